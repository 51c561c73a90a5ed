import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RunningProgram, type ProgramEnd } from '../support/running-program.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));

/** Starts a house that cannot open, so that it says what it tried. */
function serve(...flags: readonly string[]): Promise<ProgramEnd> {
  const parameters = [MAIN, 'serve', '--listen=127.0.0.1:0', ...flags];
  const env = { ...process.env, DATABASE_URL: 'mysql://of-another-kind/db' };
  return new RunningProgram(process.execPath, parameters, { cwd: tmpdir(), env }).end;
}

describe('DATABASE_URL', () => {
  it('says where to keep things, where nothing else does', async () => {
    const { code, output } = await serve();
    expect(code).toBe(1);
    expect(output).toMatch(/a database URL is written postgres:/);
  });

  it('says nothing where a data directory is given', async () => {
    const { code, output } = await serve('--data=/dev/null/data');
    expect(code).toBe(1);
    expect(output).toMatch(/data directory/);
  });
});
