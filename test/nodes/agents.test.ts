import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runs } from '../../src/runs/runs.ts';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { PLAYED_VERSION, playedPrograms } from '../runs/played-program.ts';
import { newPool, useAgents } from '../runs/playing-agent.ts';
import { slugOf, WANTED } from '../runs/running-house.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { amountOf } from '../support/amount.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();
const RUNS = amountOf('STATEHOUSE_TEST_AGENT_RUNS', { few: 15, many: 50 });
const KILLS = amountOf('STATEHOUSE_TEST_AGENT_KILLS', { few: 3, many: 50 });
const WORKSPACES = 10;
/** A busy machine may keep an agent from its next sign of life for seconds. */
const AGENT_GONE = 8_000;

describe.skipIf(programs === null)(
  'runs that two agents execute for three nodes (skipped unless postgres is on PATH)',
  () => {
    let nodes: ThreeHouses;
    let played: Awaited<ReturnType<typeof playedPrograms>>;
    let directory: string;
    let pool: Awaited<ReturnType<typeof newPool>>;

    beforeAll(async () => {
      played = await playedPrograms();
      directory = await mkdtemp(join(tmpdir(), 'statehouse-agents-'));
      const runs = { ...DEFAULTS.runs, mode: 'agents', agentGone: AGENT_GONE } as const;
      nodes = await ThreeHouses.open(programs!, { runs });
      pool = await newPool(runsOf(0), 'acme');
      for (let at = 0; at < WORKSPACES; at += 1) await useAgents(runsOf(at), workspace(at), pool.id);
    });
    afterAll(async () => {
      await nodes[Symbol.asyncDispose]();
      await played[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    const runsOf = (node: number): Runs => {
      const { runs = null } = nodes.houses[node % 3] ?? {};
      if (runs === null) throw new Error('this node has no runs');
      return runs;
    };
    const workspace = (at: number): Parameters<typeof useAgents>[1] => ({
      project: 'acme',
      key: `net-${at % WORKSPACES}`,
      workspace: 'default',
    });
    const agentAt = (node: number): Promise<AgentProcess> =>
      AgentProcess.start(nodes.houses[node % 3]?.url ?? '', pool.token, [`--run-programs=${played.path}`]);

    /** Makes runs over all workspaces, whose applies say that they begin and end. */
    const made = async (amount: number, said: string): Promise<readonly string[]> => {
      const ids: string[] = [];
      for (let at = 0; at < amount; at += 1) {
        const apply = `echo "begin ${at % WORKSPACES} $TFC_RUN_ID" >> ${said}; sleep 0.1; echo "end ${at % WORKSPACES} $TFC_RUN_ID" >> ${said}\n`;
        const runs = runsOf(at);
        const terms = { speculative: false, provisional: false };
        const created = await runs.configurations.create(ADMIN_CALLER, workspace(at), terms);
        if (created.type !== 'created') throw new Error(created.type);
        const { id: configuration } = created.configuration;
        await runs.configurations.upload({}, configuration, chunks(await slugOf({ 'apply.sh': apply })));
        const wanted = { ...WANTED, configuration, version: PLAYED_VERSION, autoApply: true };
        const run = await runs.create(ADMIN_CALLER, wanted);
        if (run.type !== 'created') throw new Error(JSON.stringify(run));
        ids.push(run.run.id);
      }
      return ids;
    };
    const statusesOf = async (ids: readonly string[]): Promise<readonly string[]> =>
      Promise.all(
        ids.map(async (id, at) => {
          // As a client does, for which an apply without a question waits.
          await runsOf(at).log(id, 'plan', { offset: 1e12, limit: 1 }, { wait: 0 });
          const shown = await runsOf(at).show(ADMIN_CALLER, id, true);
          return shown.type === 'shown' ? shown.run.status : shown.type;
        }),
      );
    const linesOf = async (said: string): Promise<readonly string[]> =>
      (await readFile(said, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

    it('are each executed once, one after the other in a workspace', { timeout: 240_000 }, async () => {
      const said = join(directory, 'said');
      await using _one = await agentAt(1);
      await using _two = await agentAt(2);
      const ids = await made(RUNS, said);
      await eventually(
        'all are applied',
        async () => {
          const statuses = await statusesOf(ids);
          expect(statuses).not.toContain('errored');
          return statuses.every((status) => status === 'applied');
        },
        200_000,
      );
      const lines = await linesOf(said);
      expect(lines).toHaveLength(2 * RUNS);
      for (let at = 0; at < WORKSPACES; at += 1) {
        const own = lines.filter((line) => line.split(' ')[1] === String(at));
        for (let line = 0; line < own.length; line += 2)
          expect(own[line + 1]).toBe(own[line]?.replace('begin', 'end'));
      }
    });

    it(
      'end, are applied at most once and leave no lock, whenever agents are killed',
      {
        timeout: 60_000 + KILLS * 20_000,
      },
      async () => {
        const said = join(directory, 'killed');
        const agents = [await agentAt(0), await agentAt(1)];
        const ids = await made(KILLS * 2, said);
        for (let kill = 0; kill < KILLS; kill += 1) {
          await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_000));
          await agents[kill % 2]?.[Symbol.asyncDispose]();
          agents[kill % 2] = await agentAt(kill);
        }
        await eventually(
          'all are over',
          async () => (await statusesOf(ids)).every((status) => ['applied', 'errored'].includes(status)),
          30_000 + KILLS * 18_000,
        );
        await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()));
        const [statuses, lines] = [await statusesOf(ids), await linesOf(said)];
        expect(statuses.filter((status) => status === 'errored').length).toBeLessThanOrEqual(KILLS);
        ids.forEach((id, at) => {
          const own = lines.filter((line) => line.endsWith(id)).map((line) => line.split(' ')[0]);
          if (statuses[at] === 'applied') expect(own).toEqual(['begin', 'end']);
          else expect(own.filter((word) => word === 'begin').length).toBeLessThanOrEqual(1);
        });
        for (let at = 0; at < WORKSPACES; at += 1) {
          const show = (): unknown => nodes.houses[0]?.house.locks.show(ADMIN_CALLER, workspace(at));
          // The node that looks after a run may hear of its end a second later.
          await expect.poll(show, { timeout: 10_000 }).toMatchObject({ lock: { holders: [] } });
        }
      },
    );
  },
);

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
