import { HouseOfNodes } from '../test/nodes/fixtures/house-of-nodes.ts';
import { findPostgres, type PostgresPrograms } from '../test/support/postgres-server.ts';
import { measure, type Measured } from './cycles.ts';
import { progress, type Section } from './section.ts';
import { markdownTable } from './table.ts';
import { processesOf } from '../test/support/process-tree.ts';
import { cpuOf } from './usage.ts';

/** How many clients at how many nodes. */
const CROWDS = [
  { clients: 1, nodes: 1 },
  { clients: 32, nodes: 1 },
  { clients: 256, nodes: 1 },
  { clients: 32, nodes: 3 },
  { clients: 256, nodes: 3 },
] as const;
const STATE_BYTES = 2_000;
const WARM_MS = 3_000;
const MEASURE_MS = 6_000;

interface Cost {
  readonly clients: number;
  readonly nodes: number;
  readonly perSecond: number;
  /** Of a cycle. */
  readonly statements: number;
  readonly databaseCpuMs: number;
  readonly nodeCpuMs: number;
  readonly clientCpuMs: number;
}

/** (m) What a cycle asks of PostgreSQL: statements and processor time. */
export async function statements(): Promise<Section> {
  const programs = await findPostgres();
  if (programs === null) throw new Error('postgres must be on PATH');
  const costs: Cost[] = [];
  for (const crowd of CROWDS) costs.push(await costOf(programs, crowd));
  return {
    name: 'statements',
    title: 'Statements of PostgreSQL',
    text: `LOCK, GET, POST and UNLOCK as in \`cycles\`, states of ${STATE_BYTES / 1_000} kB, each number of clients on a database of its own with \`fsync\` on.
Statements are those that \`pg_stat_statements\` counts, of a cycle, with what the nodes ask for besides. Processor time is of a cycle, too.`,
    table: markdownTable(
      ['clients', 'nodes', 'cycles/s', 'statements', 'database', 'nodes together', 'clients together'],
      costs.map((cost) => [
        String(cost.clients),
        String(cost.nodes),
        Math.round(cost.perSecond).toLocaleString('en'),
        cost.statements.toFixed(1),
        ...[cost.databaseCpuMs, cost.nodeCpuMs, cost.clientCpuMs].map((spent) => `${spent.toFixed(2)} ms`),
      ]),
    ),
  };
}

async function costOf(
  programs: PostgresPrograms,
  { clients, nodes }: Pick<Cost, 'clients' | 'nodes'>,
): Promise<Cost> {
  await using house = await HouseOfNodes.start(programs, {
    nodes,
    settings: { fsync: 'on', shared_preload_libraries: 'pg_stat_statements' },
    flags: ['--request-rate=0'],
  });
  const { server } = house;
  await server.query('CREATE EXTENSION pg_stat_statements');
  const asked = async (): Promise<number> => {
    const [row] = await server.query('SELECT sum(calls) AS calls FROM pg_stat_statements');
    return Number(row?.['calls']);
  };
  const cpu = async (): Promise<number> => cpuOf(await processesOf(server.pid));
  const run = (name: string, measureMs: number): Promise<readonly Omit<Measured, 'server'>[]> =>
    Promise.all(
      house.nodes.map(({ pid, port }, at) => {
        const share = Math.floor((clients + nodes - 1 - at) / nodes);
        const more = { run: `${name}${at}`, warmMs: 0, measureMs };
        return measure('PostgreSQL', pid, port, share, STATE_BYTES, more);
      }),
    );
  await run('warm', WARM_MS);
  const before = { asked: await asked(), cpu: await cpu() };
  const results = await run('counted', MEASURE_MS);
  const after = { asked: await asked(), cpu: await cpu() };
  const sum = (of: (one: Omit<Measured, 'server'>) => number): number =>
    results.reduce((total, one) => total + of(one), 0);
  const cycles = sum((one) => one.cycles);
  progress(`statements: ${clients} clients, ${nodes} nodes`);
  return {
    clients,
    nodes,
    perSecond: sum((one) => one.cycles / one.seconds),
    statements: (after.asked - before.asked) / cycles,
    databaseCpuMs: ((after.cpu - before.cpu) * 1_000) / cycles,
    nodeCpuMs: (sum((one) => one.serverCpuSeconds) * 1_000) / cycles,
    clientCpuMs: (sum((one) => one.cpuSeconds) * 1_000) / cycles,
  };
}
