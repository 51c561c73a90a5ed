import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/server/configuration.ts';
import type { Runs } from '../../src/runs/runs.ts';
import { playedPrograms } from '../runs/played-program.ts';
import { slugOf, WANTED } from '../runs/running-house.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, type TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();
const RUNS = 12;

describe.skipIf(programs === null)('runs of three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  let houses: readonly TestHouse[];
  let played: Awaited<ReturnType<typeof playedPrograms>>;
  let directory: string;

  beforeAll(async () => {
    played = await playedPrograms();
    directory = await mkdtemp(join(tmpdir(), 'statehouse-runs-'));
    const runs = { ...DEFAULTS.runs, mode: 'local', directory, programs: played.path } as const;
    nodes = await ThreeHouses.open(programs!, { runs });
    houses = nodes.houses;
  });
  afterAll(async () => {
    await nodes[Symbol.asyncDispose]();
    await played[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const runsOf = (node: number): Runs => {
    const runs = houses[node % 3]?.runs;
    if (runs === null || runs === undefined) throw new Error('this node executes no runs');
    return runs;
  };

  it('are each executed once, one after the other in a workspace, whichever nodes are asked to make, confirm and show them', async () => {
    const said = join(directory, 'said');
    const made = await Promise.all(
      Array.from({ length: RUNS }, async (_, index) => {
        const address = { project: 'acme', key: `net-${index % 4}`, workspace: 'default' };
        const apply = `echo "begin ${index % 4} $TFC_RUN_ID" >> ${said}; sleep 0.1; echo "end ${index % 4} $TFC_RUN_ID" >> ${said}\n`;
        const runs = runsOf(index);
        const created = await runs.configurations.create(ADMIN_CALLER, address, {
          speculative: false,
          provisional: false,
        });
        if (created.type !== 'created') throw new Error(created.type);
        const { id } = created.configuration;
        // The archive may come to another node than the one that was told of it, and so may the run.
        await runsOf(index + 1).configurations.upload({}, id, chunks(await slugOf({ 'apply.sh': apply })));
        const run = await runsOf(index + 2).create(ADMIN_CALLER, { ...WANTED, configuration: id });
        if (run.type !== 'created') throw new Error(JSON.stringify(run));
        return run.run.id;
      }),
    );
    await eventually(
      'all are applied',
      async () => {
        const statuses = await Promise.all(
          made.map(async (id, index) => {
            const shown = await runsOf(index).show(ADMIN_CALLER, id);
            const status = shown.type === 'shown' ? shown.run.status : shown.type;
            if (status === 'planned') await runsOf(index).act(ADMIN_CALLER, id, 'confirm');
            return status;
          }),
        );
        expect(statuses).not.toContain('errored');
        return statuses.every((status) => status === 'applied');
      },
      90_000,
    );
    const lines = (await readFile(said, 'utf8')).trim().split('\n');
    expect(lines).toHaveLength(2 * RUNS);
    for (const workspace of [0, 1, 2, 3]) {
      const own = lines.filter((line) => line.split(' ')[1] === String(workspace));
      // Each ends before the next begins.
      for (let at = 0; at < own.length; at += 2) expect(own[at + 1]).toBe(own[at]?.replace('begin', 'end'));
    }
    const log = await runsOf(1).log(made[0] ?? '', 'apply', { offset: 0, limit: 10_000 }, { wait: 5_000 });
    expect(Buffer.from(log?.bytes ?? []).toString()).toMatch(/^.Terraform v1\.2\.3/);
    expect(log?.ended).toBe(true);
  });
});

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
