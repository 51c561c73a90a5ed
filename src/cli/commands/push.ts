import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { withSerial } from '../../core/state-header.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { headerOf } from '../folder/content.ts';
import { ADOPT_LOCK, LOCK_OPTIONS, underLock } from '../folder/holding.ts';
import type { ReadState } from '../folder/import-check.ts';
import { checkImport } from '../folder/import-check.ts';
import { OPERATION_PUSH } from '../folder/operations.ts';
import { writeAndVerify } from '../folder/writing.ts';
import { flag } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description:
    'Writes a state, byte for byte, under the lock. An older serial or another lineage is refused, because a change would be lost.',
  args: [
    PLACE,
    { name: 'file', help: 'the state to write; "-" reads it from the standard input', required: true },
  ],
  options: {
    ...PLACE_OPTIONS,
    ...LOCK_OPTIONS,
    lock: ADOPT_LOCK,
    force: flag('replace any existing state; the serial is raised above that of the existing state', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse push fixed.tfstate', says: 'after raising its serial' },
    {
      line: 'statehouse push --lock 5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c11 errored.tfstate',
      says: 'after an apply of yours that could neither write its state nor release its lock',
    },
    {
      line: 'statehouse push app/net.tfstate --force before.tfstate',
      says: 'restores an old copy on a server',
    },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'changes', async ({ client, workspace, name }) => {
      const { args, options, terminal, cwd, env, stopped } = invocation;
      const [, file = '-'] = args;
      const bytes = await readInput(file, cwd);
      if (bytes.length === 0) throw new Failure(`${file} is empty: expected a state`);
      const next: ReadState = { bytes, header: headerOf(bytes, file) };
      const { lockTimeout: timeout, noLock, force } = options;
      const { lock: adopt } = options;
      const wanted = {
        client,
        workspace,
        operation: OPERATION_PUSH,
        timeout,
        stopped,
        noLock,
        env,
        adopt,
      };
      const written = await underLock(terminal, wanted, async (lock) => {
        const there = await client.read(workspace);
        const existing = there === null ? null : { bytes: there, header: headerOf(there, name) };
        const check = checkImport(next, existing);
        if (check.type === 'same') return null;
        if (check.type === 'may-not' && !force) {
          throw new Failure(`${file} was not written: ${check.why}`, {
            next: 'Pull the newest state and apply your change to it. --force replaces the existing state.',
          });
        }
        const raised = force ? raise(next, existing) : next.bytes;
        await writeAndVerify(client, workspace, raised, lock);
        return headerOf(raised, file).serial;
      });
      if (terminal.json)
        terminal.result({ written: written !== null, serial: written ?? next.header.serial });
      else {
        terminal.say(
          written === null
            ? `Nothing to do: this state is already in workspace ${workspace}.`
            : `Wrote serial ${written} to workspace ${workspace}.`,
        );
      }
      return DONE;
    }),
});

/** A forced write goes above what it replaces: a serial stands for one content only. */
function raise(next: ReadState, existing: ReadState | null): Uint8Array {
  const floor = existing?.header.serial ?? -1n;
  return next.header.serial > floor ? next.bytes : withSerial(next.bytes, next.header, floor + 1n);
}

async function readInput(file: string, cwd: string): Promise<Uint8Array> {
  if (file !== '-') {
    return readFile(resolve(cwd, file)).catch((fault: NodeJS.ErrnoException) => {
      throw new Failure(`${file} cannot be read: ${fault.code ?? fault.message}`, { cause: fault });
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
