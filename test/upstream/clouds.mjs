import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeKeyFile } from '../../dist/protocols/gcs/key-file.js';
import { run } from './program.mjs';
import { startServer } from './server.mjs';

const HERE = fileURLToPath(new URL('clouds', import.meta.url));

/** Trials of a library for Python. @param program a python that has it */
export function runPythonTrials(script, { tls = false } = {}) {
  return ({ program, only }) => play(program ?? 'python3', [join(HERE, script), ...words(only)], { tls });
}

/** Trials of a library for Node.js. @param checkout a folder with the library in its node_modules */
export function runNodeTrials(script, { tls = false } = {}) {
  return ({ checkout, only }) =>
    play(process.execPath, [join(HERE, script), ...words(only)], { tls, env: { MODULES: checkout } });
}

/** Trials of a command line. @param program the program */
export function runCommandTrials(script, name, { tls = false } = {}) {
  return ({ program, only }) =>
    play(process.execPath, [join(HERE, script), ...words(only)], { tls, env: { PROGRAM: program ?? name } });
}

/** Trials of a package for Go, which is fetched by the names in go.sum. @param program go */
export function runGoTrials(folder) {
  return async ({ program, only }) => {
    const scratch = mkdtempSync(join(tmpdir(), 'upstream-go-'));
    try {
      const trials = join(scratch, 'trials');
      const { code } = await run(program ?? 'go', ['build', '-o', trials, '.'], { cwd: join(HERE, folder) });
      if (code !== 0) throw new Error('the trials could not be built');
      return await play(trials, words(only), {});
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  };
}

/** Runs trials that print `pass NAME` or `fail NAME: why`, with a key file of Google's form at hand. */
async function play(program, args, { tls = false, env = {} }) {
  const server = await startServer(tls ? ['--tls-self-signed'] : []);
  const scratch = mkdtempSync(join(tmpdir(), 'upstream-clouds-'));
  try {
    const trust = tls
      ? { NODE_EXTRA_CA_CERTS: server.certificate, REQUESTS_CA_BUNDLE: server.certificate }
      : {};
    const { id, secret } = server.admin;
    const KEY_FILE = join(scratch, 'key.json');
    writeFileSync(KEY_FILE, makeKeyFile({ url: server.url, credential: server.admin }));
    const names = { SERVER: server.url, ID: id, SECRET: secret, KEY_FILE, HOME: scratch };
    const { output } = await run(program, args, { env: { ...trust, ...names, ...env } });
    const told = [...output.matchAll(/^(pass|fail) ([^:\n]+)/gm)];
    return new Map(told.map(([, outcome, name]) => [name, outcome]));
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function words(only) {
  return only === undefined ? [] : [only];
}
