import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatAddress, type Address } from '../../src/core/address.ts';
import { isFinal } from '../../src/core/runs/status.ts';
import { DRIFT_SCHEDULES, type StoredSchedule } from '../../src/runs/drift/records.ts';
import { RUN_NODES, type RunCause } from '../../src/runs/records.ts';
import type { Run } from '../../src/runs/run-book.ts';
import type { Runs } from '../../src/runs/runs.ts';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { playedPrograms } from '../runs/played-program.ts';
import { slugOf, WANTED } from '../runs/running-house.ts';
import { amountOf } from '../support/amount.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, type TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import type { PostgresProxy } from '../support/postgres-proxy.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();
const ROUNDS = amountOf('STATEHOUSE_TEST_RUN_CUTS', { few: 1, many: 20 });
const WORKSPACES = 3;
const STATE = {
  version: 4,
  terraform_version: '1.11.4',
  lineage: 'l',
  outputs: {},
  resources: [],
  serial: 1,
};
/** Longer than a node may be silent before it is gone, and than a check may be about to be made. */
const LONG_AGO = 600_000;

describe.skipIf(programs === null)(
  'runs of three nodes of which one loses the database (skipped unless postgres is on PATH)',
  () => {
    let nodes: ThreeHouses;
    let houses: readonly TestHouse[];
    let played: Awaited<ReturnType<typeof playedPrograms>>;
    let directory: string;
    let count = 0;

    beforeAll(async () => {
      played = await playedPrograms();
      directory = await mkdtemp(join(tmpdir(), 'statehouse-cut-'));
      const runs = { ...DEFAULTS.runs, mode: 'local', directory, programs: played.path, slots: 8 } as const;
      nodes = await ThreeHouses.open(programs!, { runs });
      houses = nodes.houses;
    });
    afterAll(async () => {
      await nodes[Symbol.asyncDispose]();
      await played[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    beforeEach(() => isBack(0));

    const runsOf = (node: number): Runs => {
      const runs = houses[node % 3]?.runs;
      if (runs === null || runs === undefined) throw new Error('this node executes no runs');
      return runs;
    };
    const proxyOf = (node: number): PostgresProxy => nodes.proxies[node % 3] as PostgresProxy;
    const recordsOf = (node: number): TestHouse['house'] => (houses[node % 3] as TestHouse).house;
    const newAddress = (): Address => {
      count += 1;
      return { project: `app${count}`, key: 'net', workspace: 'default' };
    };
    const begun = async (
      node: number,
      address: Address,
      files: Readonly<Record<string, string>>,
    ): Promise<Run> => {
      const runs = runsOf(node);
      const made = await runs.configurations.create(ADMIN_CALLER, address, {
        speculative: false,
        provisional: false,
      });
      if (made.type !== 'created') throw new Error(made.type);
      const { id } = made.configuration;
      await runs.configurations.upload({}, id, chunks(await slugOf({ 'main.tf': '', ...files })));
      const run = await runs.create(ADMIN_CALLER, { ...WANTED, configuration: id, autoApply: true });
      if (run.type !== 'created') throw new Error(JSON.stringify(run));
      return run.run;
    };
    const shown = async (node: number, id: string): Promise<Run> => {
      await runsOf(node).log(id, 'plan', { offset: 1e12, limit: 1 }, { wait: 0 });
      const answer = await runsOf(node).show(ADMIN_CALLER, id);
      if (answer.type !== 'shown') throw new Error(answer.type);
      return answer.run;
    };
    const over = async (node: number, ids: readonly string[]): Promise<readonly Run[]> => {
      const look = (): Promise<readonly Run[]> => Promise.all(ids.map((id) => shown(node, id)));
      await eventually('the runs are over', async () => (await look()).every(isFinal), 60_000);
      return look();
    };
    const stored = async ({ project, key }: Address): Promise<void> => {
      const body = JSON.stringify(STATE);
      await (houses[1] as TestHouse).ask('POST', `/http/${project}/${key}`, { body });
    };
    const applied = async (address: Address, files: Readonly<Record<string, string>> = {}): Promise<void> => {
      await stored(address);
      const [run] = await over(1, [(await begun(1, address, files)).id]);
      expect(run).toMatchObject({ status: 'applied' });
    };
    const madeBy = async (node: number, cause: RunCause, address: Address): Promise<readonly Run[]> => {
      const listed = await runsOf(node).list(ADMIN_CALLER, address, { from: 0, limit: 100 });
      return listed.type === 'runs' ? listed.runs.filter((run) => run.cause === cause) : [];
    };
    const isFree = async (node: number, address: Address): Promise<boolean> => {
      const lock = await recordsOf(node).locks.show(ADMIN_CALLER, address);
      return lock.type === 'shown' && lock.lock.holders.length === 0;
    };
    /** Takes the database from a node, for the others as if it were killed. */
    const cut = (node: number): void => {
      proxyOf(node).refuses = true;
      proxyOf(node).sever();
    };
    const isBack = async (node: number): Promise<void> => {
      proxyOf(node).refuses = false;
      await eventually('it reaches the database', async () =>
        recordsOf(node)
          .now()
          .catch(() => null),
      );
    };
    /** Has a node be silent for so long already that it is taken for gone. */
    const gone = async (node: number): Promise<void> => {
      const { node: name } = recordsOf(node);
      await recordsOf(node + 1)
        .records(RUN_NODES)
        .update(null, name, (before) => before && { seenAt: before.seenAt - LONG_AGO });
    };

    it('make each drift check that is due once', { timeout: 60_000 + ROUNDS * 60_000 }, async () => {
      const addresses = Array.from({ length: WORKSPACES }, newAddress);
      for (const address of addresses) {
        await applied(address, { 'show.json': '{"format_version":"1.2"}' });
        expect(await runsOf(1).drift.setSchedule(ADMIN_CALLER, address, 'every 720h')).toMatchObject({
          type: 'set',
        });
      }
      const schedules = recordsOf(1).records(DRIFT_SCHEDULES);
      const change = (
        address: Address,
        patch: (before: StoredSchedule) => StoredSchedule,
      ): Promise<unknown> =>
        schedules.update(null, formatAddress(address), (before) => before && patch(before));
      for (let round = 1; round <= ROUNDS; round += 1) {
        for (const address of addresses)
          await change(address, (before) => ({ ...before, dueAt: 0, making: null }));
        const looks = [0, 1, 2].map((node) =>
          runsOf(node)
            .drift.checks.look()
            .catch(() => undefined),
        );
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
        cut(0);
        await Promise.all(looks.slice(1));
        // As if it were minutes later.
        for (const address of addresses)
          await change(address, ({ making, ...before }) => ({
            ...before,
            making: making && { ...making, at: making.at - LONG_AGO },
          }));
        await gone(0);
        await Promise.all([1, 2].map((node) => runsOf(node).drift.checks.look()));
        for (const address of addresses) {
          await eventually(
            'the check is made',
            async () => (await madeBy(1, 'drift-check', address)).length >= round,
          );
          const checks = await madeBy(1, 'drift-check', address);
          expect(checks).toHaveLength(round);
          await over(
            1,
            checks.map(({ id }) => id),
          );
        }
        await isBack(0);
      }
    });

    it('make one run for each trigger of an apply', { timeout: 60_000 + ROUNDS * 60_000 }, async () => {
      const pairs = Array.from({ length: WORKSPACES }, () => ({
        source: newAddress(),
        target: newAddress(),
      }));
      for (const { source, target } of pairs) {
        await applied(target);
        await stored(source);
        expect(await runsOf(1).triggers.create(ADMIN_CALLER, target, source)).toMatchObject({
          type: 'created',
        });
      }
      for (let round = 0; round < ROUNDS; round += 1) {
        const before = await Promise.all(pairs.map(({ target }) => madeBy(1, 'run-trigger', target)));
        const sources = await Promise.all(pairs.map(({ source }) => begun(0, source, {})));
        await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 1_000));
        cut(0);
        await gone(0);
        const ended = await over(
          1,
          sources.map(({ id }) => id),
        );
        for (const [at, { source, target }] of pairs.entries()) {
          const made = async (): Promise<number> =>
            (await madeBy(1, 'run-trigger', target)).length - (before[at]?.length ?? 0);
          const expected = ended[at]?.status === 'applied' ? 1 : 0;
          await eventually('the trigger is heeded', async () => (await made()) >= expected);
          await eventually('the lock is free', () => isFree(1, source));
          expect(await made()).toBe(expected);
          for (const run of await madeBy(1, 'run-trigger', target)) {
            await eventually('it is planned', async () => (await shown(1, run.id)).status !== 'pending');
            await runsOf(1).act(ADMIN_CALLER, run.id, 'cancel');
            await runsOf(1).act(ADMIN_CALLER, run.id, 'discard');
          }
        }
        await isBack(0);
      }
    });

    it('end, and leave no lock, where the node comes back before it is taken for gone', async () => {
      const said = join(directory, 'said');
      const addresses = Array.from({ length: WORKSPACES }, newAddress);
      const apply = { 'apply.sh': `echo $TFC_RUN_ID >> ${said}\n` };
      const runs = await Promise.all(addresses.map((address) => begun(0, address, apply)));
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 500));
      cut(0);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await isBack(0);
      const ended = await over(
        1,
        runs.map(({ id }) => id),
      );
      const lines = (await readFile(said, 'utf8').catch(() => '')).split('\n');
      for (const [at, { id, status }] of ended.entries()) {
        const times = lines.filter((line) => line === id).length;
        expect(times).toBeLessThanOrEqual(1);
        if (status === 'applied') expect(times).toBe(1);
        await eventually('the lock is free', () => isFree(1, addresses[at] as Address));
      }
    }, 120_000);
  },
);

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
