import { HouseProcess } from '../test/support/house-process.ts';
import { findPostgres, type PostgresPrograms } from '../test/support/postgres-server.ts';
import { ask } from '../test/support/request.ts';
import { sampleLock } from '../test/support/sample-state.ts';
import { findTerraform } from '../test/support/terraform.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { httpBackend, httpLogin } from '../test/e2e/fixtures/http-folder.ts';
import { HouseOfNodes } from '../test/nodes/fixtures/house-of-nodes.ts';
import { crowdsAt, crowdTable, openHouse, openPgBackend, type Crowd, type QueueEntry } from './contention.ts';
import { measure } from './cycles.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const NODES = [1, 3] as const;
const CROWDS = [8] as const;
const CLIENTS = [1, 32, 256] as const;
const STATE_BYTES = 2_000;
const HANDOVERS = 300;

/** (f) One house on PostgreSQL: what a node more costs and brings, beside SQLite and beside the `pg` backend. */
export async function nodes(): Promise<Section> {
  const programs = await findPostgres();
  const terraform = await findTerraform();
  if (programs === null || terraform === null) throw new Error('postgres and terraform must be on PATH');
  const cycles = await cyclesTable(programs);
  const handovers = await handoverTable(programs);
  const crowds = await crowdsTable(programs, terraform);
  return {
    name: 'nodes',
    title: 'Many nodes on one PostgreSQL',
    text: TEXT,
    table: [cycles, handovers, crowds].join('\n\n'),
  };
}

const TEXT = `The same clients as in \`cycles\`, a third of them at each node where there are three; the same applies as in \`contention\`,
through a TCP balancer; and ${HANDOVERS} locks handed from one node to a waiter that is parked on another, from sending the release to
having the grant. PostgreSQL runs on this machine with its defaults (\`fsync\` on), so all nodes, the database and the clients share
its cores: three nodes show what the house costs more, not what three machines bring.`;

function start(programs: PostgresPrograms, count: number): Promise<HouseOfNodes> {
  return HouseOfNodes.start(programs, { nodes: count, settings: { fsync: 'on' } });
}

function nameOf(count: number): string {
  return count === 1 ? 'PostgreSQL, 1 node' : `PostgreSQL, ${count} nodes`;
}

interface Rate {
  readonly clients: number;
  readonly server: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

async function cyclesTable(programs: PostgresPrograms): Promise<string> {
  const rates: Rate[] = [];
  for (const clients of CLIENTS) {
    await using alone = await HouseProcess.start({ flags: ['--request-rate=0'] });
    rates.push(await rateOf('SQLite', [alone], clients));
    for (const count of NODES) {
      if (clients < count) continue;
      await using house = await start(programs, count);
      rates.push(await rateOf(nameOf(count), house.nodes, clients));
    }
  }
  return markdownTable(
    ['clients', 'engine', 'cycles/s', 'p50', 'p99'],
    rates.map(({ clients, server, perSecond, p50, p99 }) => [
      String(clients),
      server,
      Math.round(perSecond).toLocaleString('en'),
      milliseconds(p50),
      milliseconds(p99),
    ]),
  );
}

/** The clients are shared out evenly; of the times the median is averaged, and the slowest counts. */
async function rateOf(server: string, houses: readonly HouseProcess[], clients: number): Promise<Rate> {
  const results = await Promise.all(
    houses.map(({ pid, port }, at) => {
      const share = Math.floor((clients + houses.length - 1 - at) / houses.length);
      return measure(server, pid, port, share, STATE_BYTES, { run: `n${at}` });
    }),
  );
  return {
    clients,
    server,
    perSecond: results.reduce((sum, { cycles, seconds }) => sum + cycles / seconds, 0),
    p50: results.reduce((sum, { p50 }) => sum + p50, 0) / results.length,
    p99: Math.max(...results.map(({ p99 }) => p99)),
  };
}

async function handoverTable(programs: PostgresPrograms): Promise<string> {
  await using house = await start(programs, 2);
  const [one, other] = house.nodes as [HouseProcess, HouseProcess];
  const took: number[] = [];
  const act = (node: HouseProcess, method: string, id: string, query = ''): Promise<{ status: number }> =>
    ask(node.url, method, `/http/bench/handover${query}`, { body: sampleLock(id) });
  await act(one, 'LOCK', 'lock-0');
  for (let turn = 1; turn <= HANDOVERS; turn += 1) {
    const [holder, waiter] = turn % 2 === 1 ? [one, other] : [other, one];
    const granted = act(waiter, 'LOCK', `lock-${turn}`, '?wait=5m');
    await parkedAt(waiter);
    const began = performance.now();
    await Promise.all([act(holder, 'UNLOCK', `lock-${turn - 1}`), granted]);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  const at = (share: number): string => milliseconds(took[Math.floor((took.length - 1) * share)] ?? 0);
  progress(`nodes: hand-over p50 ${at(0.5)}, p99 ${at(0.99)}`);
  return markdownTable(
    ['hand-over to another node', 'p50', 'p99', 'slowest', 'target'],
    [[`${HANDOVERS} times`, at(0.5), at(0.99), at(1), '100 ms']],
  );
}

async function parkedAt({ url }: HouseProcess): Promise<void> {
  for (;;) {
    const { text } = await ask(url, 'GET', '/metrics');
    if (/^statehouse_parked_requests 1$/m.test(text)) return;
  }
}

async function crowdsTable(programs: PostgresPrograms, terraform: string): Promise<string> {
  const crowds: Crowd[] = [];
  const places = [openHouse, ...NODES.map((count) => () => openNodes(programs, count)), openPgBackend];
  for (const open of places) {
    await using place = await open();
    if (place !== null) crowds.push(...(await crowdsAt(terraform, place, CROWDS)));
  }
  return crowdTable(crowds);
}

async function openNodes(programs: PostgresPrograms, count: number): Promise<QueueEntry> {
  const house = await start(programs, count);
  return {
    name: `Statehouse, http, ${nameOf(count)}`,
    backend: httpBackend({ url: house.url, path: 'bench/contention' }),
    env: httpLogin(TEST_ADMIN),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}
