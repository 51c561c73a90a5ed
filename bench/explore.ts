import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../test/support/eventually.ts';
import { HouseProcess, type HouseProcessOptions } from '../test/support/house-process.ts';
import { findPostgres, PostgresServer } from '../test/support/postgres-server.ts';
import { ask } from '../test/support/request.ts';
import { sampleState } from '../test/support/sample-state.ts';
import { SHARED_KEY } from '../test/nodes/fixtures/three-houses.ts';
import { askAll, askWhile, at, PEER, type Asked } from './explore/ask.ts';
import { load, type Loaded } from './explore/load.ts';
import { RESOURCES } from './explore/synthetic.ts';
import { postgresTables, sqliteTables } from './explore/tables.ts';
import type { Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

/** `EXPLORE_STATES=20000 npm run bench -- explore` for a smaller house. */
const STATES = Number(process.env['EXPLORE_STATES'] ?? '100000');
/** `EXPLORE_ENGINES=sqlite` for one of them alone. */
const ENGINES = process.env['EXPLORE_ENGINES'] ?? 'sqlite,postgres';
/** States that are really there while the index is made anew. */
const WRITTEN = 200;
const REMADE_MS_MAX = 600_000;

interface Measured {
  readonly engine: string;
  readonly loaded: Loaded;
  readonly asked: readonly Asked[];
  /** Reads of a neighbour: while nothing else is done, and while the index is thrown away and made anew. */
  readonly quiet: readonly number[];
  readonly remade: readonly number[];
}

/** (k) Something is found among all states. */
export async function explore(): Promise<Section> {
  const measured: Measured[] = [];
  if (ENGINES.includes('sqlite')) measured.push(await onSqlite());
  if (ENGINES.includes('postgres')) measured.push(await onPostgres());
  return {
    name: 'explore',
    title: 'Finding what is in states',
    text:
      `${STATES} states of ${RESOURCES} resources, asked over HTTP one after the other in pages of 100, with reads of one state between them (*peer*): where the machine ` +
      `is busy, they are slow alike. The index is filled sorted, beside the server, for ${measured.map(({ engine, loaded }) => `${milliseconds(loaded.cpuMs)} of processor time and ${Math.round(loaded.words)} words a state in ${engine}`).join(', ')}. ` +
      'Processor time is that of the server and its database.',
    table: [questionsTable(measured), neighbourTable(measured)].join('\n\n'),
  };
}

function questionsTable(measured: readonly Measured[]): string {
  return markdownTable(
    [
      'engine',
      'asked',
      'states on the page',
      'p50',
      'p99',
      'peer p50',
      'peer p99',
      'p99 by the peer',
      'processor',
      'target',
    ],
    measured.flatMap(({ engine, asked }) =>
      asked.map(({ what, found, p50, p99, peerP50, peerP99, cpuMs }) => [
        engine,
        what,
        String(found),
        milliseconds(p50),
        milliseconds(p99),
        milliseconds(peerP50),
        milliseconds(peerP99),
        `${(p99 / peerP99).toFixed(1)} ×`,
        milliseconds(cpuMs),
        'p99 200 ms',
      ]),
    ),
  );
}

function neighbourTable(measured: readonly Measured[]): string {
  const cells = (took: readonly number[]): readonly string[] =>
    [0.5, 0.99, 1].map((share) => milliseconds(at(took, share)));
  return markdownTable(
    ['engine', 'a neighbour reads', 'p50', 'p99', 'slowest'],
    measured.flatMap(({ engine, quiet, remade }) => [
      [engine, 'alone', ...cells(quiet)],
      [engine, `while the index is thrown away and made anew of ${WRITTEN} states`, ...cells(remade)],
    ]),
  );
}

async function onSqlite(): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-bench-explore-'));
  try {
    const place = { store: { kind: 'directory', path: directory } as const, masterKeys: null };
    const house = await startOnce({ directory, flags: ['--request-rate=0'] });
    const loaded = await load(STATES, place, () => sqliteTables(directory));
    await house.launch();
    await using _ = house;
    return { engine: 'SQLite', loaded, ...(await measure(house, [house.pid])) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function onPostgres(): Promise<Measured> {
  const programs = await findPostgres();
  if (programs === null) throw new Error('postgres and initdb must be on PATH');
  await using server = await PostgresServer.start(programs);
  const url = server.url(await server.createDatabase());
  const place = { store: { kind: 'postgres', url } as const, masterKeys: SHARED_KEY };
  const house = await startOnce({
    flags: [`--database=${url}`, '--request-rate=0'],
    env: { STATEHOUSE_MASTER_KEY: SHARED_KEY },
  });
  const loaded = await load(STATES, place, () => postgresTables(url));
  await house.launch();
  await using _ = house;
  return { engine: 'PostgreSQL', loaded, ...(await measure(house, [house.pid, server.pid])) };
}

async function measure(
  { url }: HouseProcess,
  pids: readonly number[],
): Promise<Pick<Measured, 'asked' | 'quiet' | 'remade'>> {
  await write(url, PEER);
  const asked = await askAll(url, STATES, pids);
  for (let n = 0; n < WRITTEN; n += 1) await write(url, `/http/written/${n}`);
  const quiet = await askWhile(url, PEER, new Promise((resolve) => setTimeout(resolve, 3_000)));
  const remade = await askWhile(url, PEER, remake(url));
  return { asked, quiet, remade };
}

/** A server that has made its tables and an empty index, and has ended. */
async function startOnce(options: HouseProcessOptions): Promise<HouseProcess> {
  const house = await HouseProcess.start(options);
  await eventually('the index is made', () => isComplete(house.url), REMADE_MS_MAX);
  await house.stop();
  return house;
}

async function isComplete(url: string): Promise<boolean> {
  const { text } = await ask(url, 'GET', '/api/v1/explore?limit=1&project=written');
  return (JSON.parse(text) as { readonly complete: boolean }).complete;
}

async function remake(url: string): Promise<void> {
  const { status } = await ask(url, 'POST', '/api/v1/reindex');
  if (status >= 300) throw new Error(`the index could not be renewed: ${status}`);
  await eventually('the index is being made', async () => !(await isComplete(url)), REMADE_MS_MAX);
  await eventually('the index is made', () => isComplete(url), REMADE_MS_MAX);
}

async function write(url: string, path: string): Promise<void> {
  const { status, text } = await ask(url, 'POST', path, { body: sampleState(1, { size: 50_000 }) });
  if (status !== 200) throw new Error(`POST ${path} was answered ${status}: ${text}`);
}
