import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AuditShape } from '../../src/api/shapes/house.ts';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { RunningProgram } from '../support/running-program.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));

let directory: string;
let house: HouseProcess;
const env = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  STATEHOUSE_SERVER: house.url,
  STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-follow-'));
  house = await HouseProcess.start({ directory: join(directory, 'data') });
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

function follow(...words: readonly string[]): RunningProgram {
  return new RunningProgram(process.execPath, [MAIN, 'audit', '--follow', ...words], {
    cwd: directory,
    env: env(),
  });
}

const write = async (key: string, serial: number): Promise<void> => {
  const { status } = await ask(house.url, 'POST', `/http/app/${key}`, { body: sampleState(serial) });
  expect(status).toBe(200);
};

it('shows the newest records and every one that comes, once, also over a restart, and ends on Ctrl-C with 0', async () => {
  for (let serial = 1; serial <= 3; serial += 1) await write('a', serial);
  await write('other', 1);
  const running = follow('--json', '--action', 'write', '--limit', '2', 'app/a');
  const records = (): AuditShape[] =>
    running.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditShape);
  const versions = (): unknown[] => records().map(({ detail }) => detail['version']);
  await eventually('the newest', () => records().length === 2);
  await write('a', 4);
  await write('other', 2);
  await eventually('one that comes', () => versions().includes(4));
  await house.kill();
  await eventually('a word', () => running.output.includes('It is asked again, and nothing is left out'));
  await house.launch();
  for (let serial = 5; serial <= 40; serial += 1) await write('a', serial);
  await eventually('the last', () => versions().includes(40));
  expect(versions()).toEqual(Array.from({ length: 39 }, (_, at) => at + 2));
  expect(records().every(({ address, action }) => address === 'app/a' && action === 'write')).toBe(true);
  running.signal('SIGINT');
  expect(await running.end).toMatchObject({ code: 0 });
}, 60_000);

it('shows a line for each on a terminal, and refuses who may not read the log', async () => {
  const running = follow('--action', 'write', '--limit', '1');
  await eventually('a record', () => /\swrite\s+done\s/.test(running.stdout));
  running.signal('SIGTERM');
  expect(await running.end).toMatchObject({ code: 0 });
  const created = await runStatehouse(['credential', 'create', 'w', '--grant', 'writer:app/*', '--json'], {
    env: env(),
    cwd: directory,
  });
  const { id, secret } = JSON.parse(created.out) as { id: string; secret: string };
  const refused = await runStatehouse(['audit', '--follow'], {
    env: { ...env(), STATEHOUSE_CREDENTIAL: `${id}.${secret}` },
    cwd: directory,
  });
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('may not read-audit') });
}, 60_000);
