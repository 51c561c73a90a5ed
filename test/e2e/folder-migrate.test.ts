import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { amountOf } from '../support/amount.ts';
import { eventually } from '../support/eventually.ts';
import { findMoto } from '../support/moto-server.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { resource } from './fixtures/http-folder.ts';
import type { KeyBackend } from './fixtures/folder-backends.ts';
import {
  KeyFolder,
  freshKey,
  houseBackend,
  houseConsulBackend,
  houseGcsBackend,
  localBackend,
  motoBackend,
  postgresBackend,
} from './fixtures/folder-backends.ts';

/** It is the state that is looked at, not the lock: moto may refuse a lock to the run whose first answer was lost. */
const PLAN = ['plan', '-detailed-exitcode', '-lock=false'] as const;

const WORKSPACES = amountOf('STATEHOUSE_WORKSPACES', { few: 5, many: 50 });
const KILLS = amountOf('STATEHOUSE_KILLS', { few: 2, many: 5 });
const MAIN = `${resource('one')}${resource('two')}`;

const terraform = await findTerraform();
const moto = await findMoto();
const postgres = await findPostgres();

type Name = 'local' | 'http' | 's3' | 'pg' | 'gcs' | 'consul';
const STARTS: Readonly<Record<Name, () => Promise<KeyBackend>>> = {
  local: localBackend,
  http: houseBackend,
  s3: () => motoBackend(moto ?? '', { use_lockfile: 'true', dynamodb_table: 'locks' }),
  pg: () => postgresBackend(postgres!),
  gcs: houseGcsBackend,
  consul: houseConsulBackend,
};
const NAMES = Object.keys(STARTS) as Name[];
/** Of these one each way: their locks are taken over by other IDs than their own. */
const OTHER_IDS: readonly Name[] = ['gcs', 'consul'];
const OF_OTHERS: readonly (readonly [Name, Name])[] = [
  ['gcs', 'http'],
  ['local', 'gcs'],
  ['consul', 'pg'],
  ['s3', 'consul'],
];
const PAIRS = NAMES.flatMap((from) =>
  NAMES.filter((to) => to !== from).map((to) => [from, to] as const),
).filter(
  (pair) =>
    !OTHER_IDS.some((name) => pair.includes(name)) ||
    OF_OTHERS.some(([from, to]) => from === pair[0] && to === pair[1]),
);

describe.skipIf(terraform === null || moto === null || postgres === null)(
  'migrating (skipped unless terraform, moto_server and postgres are on PATH)',
  () => {
    const backends = new Map<Name, KeyBackend>();
    /** A state as terraform wrote it. */
    let pattern = '';
    let folder = '';

    beforeAll(async () => {
      for (const name of NAMES) backends.set(name, await STARTS[name]());
      await using made = await TerraformFolder.make(terraform!, { files: { 'main.tf': MAIN } });
      await made.must('init');
      await made.must('apply', '-auto-approve');
      pattern = (await made.read('terraform.tfstate')) ?? '';
    }, 180_000);
    afterAll(async () => {
      for (const backend of backends.values()) await backend.dispose();
      await rm(folder, { recursive: true, force: true });
    });

    const place = (name: Name): KeyBackend => backends.get(name) ?? expect.fail(`${name} did not start`);
    const open = (name: Name, key: string, path: string): Promise<StateClient> => {
      const { type, config } = place(name).settings(key);
      const attributes = Object.fromEntries(config.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
      return openClient({ type, attributes, folder: path, env: place(name).env });
    };
    const workspaces = Array.from({ length: WORKSPACES }, (_, n) => (n === 0 ? 'default' : `w${n}`));
    /** Each workspace has a state of its own: another lineage, another serial. */
    const stateOf = (workspace: string, n: number): Buffer => {
      const lineage = `${String(n).padStart(8, '0')}-0000-4000-8000-${workspace.padEnd(12, '0')}`;
      const text = pattern.replace(/"lineage": "[^"]*"/, `"lineage": "${lineage}"`);
      return Buffer.from(text.replace(/"serial": \d+/, `"serial": ${n + 3}`));
    };

    for (const [from, to] of PAIRS) {
      it(
        `from ${from} to ${to}: ${WORKSPACES} workspaces, killed ${KILLS} times`,
        { timeout: 300_000 },
        async () => {
          const [source, target] = [freshKey(), freshKey()];
          folder = await mkdtemp(join(tmpdir(), 'statehouse-migrate-'));
          const [a, b] = [await open(from, source, folder), await open(to, target, folder)];
          for (const [n, workspace] of workspaces.entries())
            await a.write(workspace, stateOf(workspace, n), null);

          const [here, there] = [place(from), place(to)];
          const env = { ...here.env, ...there.env };
          const empty = { block: () => '', env };
          await using key = await KeyFolder.make(terraform!, empty, '');
          const flags = [
            '--chdir',
            folder,
            '--backend',
            from,
            '--to',
            to,
            '--lock-timeout',
            '30s',
            ...here.settings(source).config.flatMap((pair) => ['--backend-config', pair]),
            ...there.settings(target).config.flatMap((pair) => ['--to-config', pair]),
            ...(here.workspaces ? [] : workspaces.flatMap((workspace) => ['--only', workspace])),
          ];
          let killed = 0;
          for (let run = 0; run < KILLS; run += 1) {
            const migrating = key.start(['migrate', ...flags]);
            await eventually(
              'the migration is under way',
              async () => !migrating.running || (await migratorOf(folder)) === migrating.pid,
            );
            // The first time at once: on a fast machine all may be done within what is left to the others.
            await Promise.race([migrating.end, sleep(Math.random() * 200 * run)]);
            if (migrating.running) killed += 1;
            migrating.signal('SIGKILL');
            await migrating.end;
          }
          expect(killed).toBeGreaterThan(0);
          const report = JSON.parse(await key.must('migrate', '--json', ...flags)) as {
            workspaces: { outcome: string }[];
          };
          expect(report.workspaces.length).toBe(WORKSPACES);

          for (const [n, workspace] of workspaces.entries()) {
            const wanted = stateOf(workspace, n);
            expect(wanted.equals((await a.read(workspace)) ?? Buffer.of())).toBe(true);
            expect(wanted.equals((await b.read(workspace)) ?? Buffer.of())).toBe(true);
            expect((await a.inspectLock(workspace)).type).toBe('free');
            expect((await b.inspectLock(workspace)).type).toBe('free');
          }
          if (there.workspaces)
            expect([...((await b.workspaces()) ?? [])].sort()).toEqual([...workspaces].sort());
          expect(await readdir(join(folder, '.terraform'))).toEqual([]);
          await a.close();
          await b.close();

          const again = JSON.parse(await key.must('migrate', '--json', ...flags)) as typeof report;
          expect(again.workspaces.every(({ outcome }) => outcome === 'already there')).toBe(true);
          if (to !== 'local') {
            await using after = await KeyFolder.make(terraform!, there, MAIN, target);
            expect(await after.folder.must(...PLAN)).toContain('No changes');
            if (there.workspaces) {
              await after.folder.must('workspace', 'select', workspaces.at(-1) ?? '');
              expect(await after.folder.must(...PLAN)).toContain('No changes');
            }
          }
          await rm(folder, { recursive: true, force: true });
        },
      );
    }

    it('refuses to write over another state, and says what it would do', async () => {
      const [source, target] = [freshKey(), freshKey()];
      await using key = await KeyFolder.make(terraform!, place('s3'), MAIN, source);
      await key.folder.must('apply', '-auto-approve');
      const config = place('s3')
        .settings(target)
        .config.flatMap((pair) => ['--to-config', pair]);
      const planned = await key.json<{ workspaces: { outcome: string }[] }>(
        'migrate',
        '--dry-run',
        '--to',
        's3',
        ...config,
      );
      expect(planned.workspaces.map(({ outcome }) => outcome)).toEqual(['copied']);
      const there = await open('s3', target, key.folder.path);
      expect(await there.read('default')).toBeNull();
      await there.write('default', stateOf('default', 1), null);
      const refused = await key.run('migrate', '--to', 's3', ...config);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('the target has another state, with lineage');
      expect(stateOf('default', 1).equals((await there.read('default')) ?? Buffer.of())).toBe(true);
      await key.must('migrate', '--force', '--to', 's3', ...config);
      await there.close();
    });
  },
);

/** The process that works on the migration whose journal is in this folder; null before there is one. */
async function migratorOf(folder: string): Promise<number | null> {
  const text = await readFile(join(folder, '.terraform', 'statehouse-migration.json'), 'utf8').catch(
    () => '',
  );
  try {
    return (JSON.parse(text) as { pid: number }).pid;
  } catch {
    // Not there yet, or being written.
    return null;
  }
}
