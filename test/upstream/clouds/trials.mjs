// What the trials of the clouds' own libraries for Node.js share. SERVER, ID and SECRET name the server and a credential; MODULES is a
// folder with the libraries in its node_modules.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

export const { SERVER, ID, SECRET } = process.env;
const requireThere = createRequire(resolve(process.env.MODULES ?? '.', 'package.json'));
/** A library out of the given folder. */
export const library = (name) => requireThere(name);

export function state(serial, filler = '') {
  const head = { version: 4, terraform_version: '1.11.4', serial, lineage: 'l', outputs: {}, resources: [] };
  return Buffer.from(JSON.stringify({ ...head, filler }));
}

export function lockInfo(ID) {
  const said = { Operation: 'by hand', Info: '', Who: 'node@host', Version: '1.11.4' };
  return JSON.stringify({ ID, ...said, Created: '2026-01-01T00:00:00Z', Path: '' });
}

/** What a promise is refused with. @param is whether that is the refusal which was expected */
export async function refused(promise, is) {
  const fault = await promise.then(
    () => null,
    (error) => error,
  );
  if (fault === null || !is(fault)) throw new Error(`not refused as expected: ${fault}`);
  return fault;
}

/** Runs trials, each with a project of its own, and prints `pass NAME` or `fail NAME: why`. */
export async function play(trials) {
  const only = process.argv[2] ?? '';
  let number = 0;
  for (const [name, run] of Object.entries(trials)) {
    number += 1;
    if (!name.includes(only)) continue;
    try {
      await run(`trial-${number}`);
      console.log(`pass ${name}`);
    } catch (fault) {
      console.log(
        `fail ${name}: ${String(fault?.stack ?? fault)
          .replaceAll('\n', ' ')
          .slice(0, 600)}`,
      );
    }
  }
}
