import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { httpFolder, httpLogin, resource } from './fixtures/http-folder.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { lockAt, untilParked } from './fixtures/view.ts';

const terraform = await findTerraform();
const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
/** Terraform gives an operation 5 s after the second Ctrl-C. */
const AFTER_SECOND_MS_MAX = 8_000;
/** A request that had waited some 1 to 2 s is parked for twice that. */
const PARKED_MS_MAX = 8_000;
const OWN_MS_MAX = 3_000;

// No request tells the server of a Ctrl-C: neither Terraform nor OpenTofu can end a lock request that is under way. What can be kept
// is that the wait ends when the request is answered or the process ends, and that nothing of the waiter stays.
describe('a waiter who presses Ctrl-C', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(async () => {
    await house.close();
  });

  const hold = async (path: string): Promise<void> => {
    const info = { ID: 'held', Operation: 'OperationTypeApply', Who: 'alice@laptop', Version: '1.11.4' };
    const took = await house.ask('LOCK', `/http/${path}`, { body: JSON.stringify(info) });
    expect(took.status).toBe(200);
  };
  const milliseconds = async (doing: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await doing();
    return performance.now() - began;
  };
  const leftLine = (path: string): Promise<unknown> =>
    eventually('nobody waits', async () => (await lockAt(house, path)).line.length === 0);
  const interrupt = async (run: RunningProgram, count: number): Promise<void> => {
    run.signal('SIGINT');
    const words = count === 1 ? /Interrupt received/ : /Two interrupts received/;
    await eventually('terraform hears it', () => words.test(run.output) || !run.running);
  };

  it.skipIf(terraform === null)(
    'at ?wait=5m, twice: terraform ends, and its place is gone (skipped unless terraform is on PATH)',
    async () => {
      const path = 'acme/interrupted-wait';
      await hold(path);
      await using folder = await httpFolder(
        terraform!,
        { url: house.url, path, lockQuery: 'wait=5m' },
        resource('bob'),
      );
      const run = folder.start(['apply', '-auto-approve']);
      await untilParked(house, path, 1);
      await interrupt(run, 1);
      const took = await milliseconds(async () => {
        await interrupt(run, 2);
        expect((await run.end).code).not.toBe(0);
        await leftLine(path);
      });
      expect(took).toBeLessThan(AFTER_SECOND_MS_MAX);
    },
  );

  const doors: Readonly<Record<string, (path: string) => Promise<TerraformFolder>>> = {
    http: (path) => httpFolder(terraform!, { url: house.url, path }, resource('bob')),
    'lock-file': (path) =>
      s3Folder(terraform!, { url: house.url, lines: s3Lines(path, ['lock-file']) }, resource('bob')),
    table: (path) =>
      s3Folder(terraform!, { url: house.url, lines: s3Lines(path, ['table']) }, resource('bob')),
  };

  it.skipIf(terraform === null)(
    'at -lock-timeout, once: terraform ends with the parked request, at each door (skipped unless terraform is on PATH)',
    async () => {
      const ends = Object.entries(doors).map(async ([door, open]) => {
        const path = `acme/interrupted-${door}`;
        await hold(path);
        await using folder = await open(path);
        const run = folder.start(['apply', '-auto-approve', '-lock-timeout=5m']);
        await untilParked(house, path, 1);
        const took = await milliseconds(async () => {
          await interrupt(run, 1);
          expect((await run.end).output).toContain('Error acquiring the state lock');
        });
        expect(took, door).toBeLessThan(PARKED_MS_MAX);
      });
      await Promise.all(ends);
    },
  );

  it('on the command line, once: it ends, and its place is gone', async () => {
    const path = 'acme/interrupted-own';
    await hold(path);
    const cwd = await mkdtemp(join(tmpdir(), 'statehouse-waiter-'));
    const at = `${house.url}/http/${path}`;
    const settings = ['address', 'lock_address', 'unlock_address'].map(
      (name) => `--backend-config=${name}=${at}`,
    );
    const words = [MAIN, 'lock', '--backend=http', ...settings, '--lock-timeout=5m'];
    const run = new RunningProgram(process.execPath, words, {
      cwd,
      env: { PATH: process.env['PATH'], ...httpLogin(TEST_ADMIN) },
    });
    await untilParked(house, path, 1);
    const took = await milliseconds(async () => {
      run.signal('SIGINT');
      expect((await run.end).code).not.toBe(0);
      await leftLine(path);
    });
    expect(took).toBeLessThan(OWN_MS_MAX);
    await rm(cwd, { recursive: true });
  });
});
