import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RunningProgram } from '../support/running-program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

it('the page about the command line says what the commands say', async () => {
  const run = new RunningProgram(process.execPath, ['scripts/command-line-doc.mjs', '--check'], {
    cwd: ROOT,
    env: process.env,
  });
  const { code, stderr } = await run.end;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
