import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTS } from '../../src/cli/demo/acts.ts';
import type { Apply, ApplyEnd, Player } from '../../src/cli/demo/player.ts';
import type { PlayRecord } from '../../src/cli/demo/play.ts';
import { Script } from '../../src/cli/demo/script.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { eventually } from '../support/eventually.ts';
import { RunningProgram, type ProgramEnd } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const terraform = await findTerraform();
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-demo-test-'));
});

afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

function start(flags: readonly string[], env: Record<string, string> = {}): RunningProgram {
  return new RunningProgram(process.execPath, [MAIN, 'demo', ...flags], {
    cwd: directory,
    env: { ...process.env, TMPDIR: directory, ...env },
  });
}

async function expectAllHeld(end: ProgramEnd, client: RegExp): Promise<void> {
  expect(end.code, end.output).toBe(0);
  const record = JSON.parse(end.stdout) as PlayRecord;
  expect(record.client).toMatch(client);
  expect(record.acts.map(({ title }) => title)).toEqual(ACTS.map(({ title }) => title));
  const claims = record.acts.flatMap((act) => act.claims);
  expect(claims.filter(({ held }) => !held)).toEqual([]);
  expect(claims.length).toBeGreaterThanOrEqual(12);
  expect(record.held).toBe(true);
  expect(await readdir(directory)).toEqual([]);
}

describe('demo', () => {
  it.skipIf(terraform === null)('is played with the real terraform, to the last claim', async () => {
    const end = await start(['--json']).end;
    await expectAllHeld(end, /^terraform \d/);
    expect(end.milliseconds).toBeLessThan(25_000);
  });

  it('is played with our own client where there is no terraform', async () => {
    const end = await start(['--json'], { PATH: join(dirname(MAIN), 'nowhere') }).end;
    await expectAllHeld(end, /own client$/);
  });

  it('tells what happens, for people', async () => {
    const { code, stdout } = await start(['--no-terraform']).end;
    expect(code).toBe(0);
    expect(stdout).toContain('Alice     comes with a state that knows nothing of db = 2');
    expect(stdout).toContain('✓ her stale write is refused');
    expect(stdout).toContain('Nothing was lost.');
    expect(stdout).not.toContain('✗');
  });

  it.skipIf(terraform === null)('leaves nothing behind when it is stopped', async () => {
    const run = start([]);
    await eventually('Alice is at work', () => run.stdout.includes('takes her time'));
    run.signal('SIGTERM');
    const { code, stderr } = await run.end;
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'Error: the demo was stopped\n' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('does not claim what is not so', async () => {
    const done = (end: ApplyEnd): Apply => ({
      atWork: Promise.resolve(),
      end: Promise.resolve(end),
      carryOn: () => undefined,
      kill: () => undefined,
    });
    const player = (name: string): Player => ({
      name,
      apply: () => done({ type: 'done' }),
      close: () => Promise.resolve(),
    });
    const { stdout: output, stderr: errors, stdin: input } = process;
    const script = new Script(openTerminal({ input, output, errors }, {}, true), 'a house that takes all', 5);
    // Where every write is taken, the last one wins and Bob's change is gone.
    const stage = {
      scene: () => Promise.resolve({ serial: 2n, values: { web: 2, db: 1 } }),
      lock: () => Promise.reject(new Error('not asked')),
      breakLock: () => Promise.resolve(false),
      handovers: 0,
      untilParked: () => Promise.resolve(),
      soon: <T>(_what: string, promise: Promise<T>): Promise<T> => promise,
    };
    await ACTS[0]?.play({ stage, alice: player('Alice'), bob: player('Bob') }, script);
    expect(script.end().claims.map(({ held }) => held)).toEqual([false, false, false]);
  });
});
