import { setTimeout as sleep } from 'node:timers/promises';
import { writeOf } from '../src/contract/engine-commands.ts';
import type { Address } from '../src/core/address.ts';
import { buildHouse } from '../src/server/build.ts';
import { DEFAULTS } from '../src/server/configuration.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { AwsSigner } from './aws-signer.ts';
import { RawClient } from './raw-client.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

/** States of the smaller and the larger server; the second can be set, such as to a million. */
const SIZES: readonly [number, number] = [1_000, Number(process.env['STATEHOUSE_BENCH_STATES'] ?? 100_000)];
const COMMANDS_AT_A_TIME = 128;
const FOLDERS = 100;
const RUNS = 15;
/** How long the neighbour waits between two requests. */
const NEIGHBOUR_PAUSE_MS = 2;

/** One listing, and how a page of it is asked for. */
interface Listing {
  readonly name: string;
  readonly page: (house: HouseProcess) => Promise<void>;
}

const LISTINGS: readonly Listing[] = [
  { name: 'S3, first page of 1,000', page: bucket('') },
  { name: 'S3, first page, by folders', page: bucket('delimiter=%2F&') },
  { name: 'S3, a page in the middle', page: bucket('start-after=folder-50%2F&') },
  { name: 'S3, `env:/`, as before each command of terraform', page: bucket('prefix=env%3A%2F&') },
  { name: 'API, 100 states', page: api('/states?project=bench&limit=100') },
  { name: 'API, search for what is nowhere', page: api('/states?search=nowhere&limit=100') },
  { name: 'API, audit of an action that never was', page: api('/audit?action=restore&limit=100') },
];

/** (k) What a page of each listing costs, and how long somebody else waits meanwhile, as the number of states grows. */
export async function listings(): Promise<Section> {
  const measured: (readonly Cost[])[] = [];
  for (const states of SIZES) {
    await using house = await loaded(states);
    const costs: Cost[] = [];
    for (const listing of LISTINGS) costs.push(await costOf(house, listing));
    measured.push(costs);
    progress(`listings: ${states} states`);
  }
  const [small = [], large = []] = measured;
  return {
    name: 'listings',
    title: 'Listings',
    text: `The slowest of ${RUNS} pages, and the longest that a GET of one state took meanwhile, which another client sends all the time.
Targets: with more states at most 1.5 times as slow, and nobody waits longer than 50 ms. \`STATEHOUSE_BENCH_STATES\` sets the larger number of states.`,
    table: markdownTable(
      ['listing', ...SIZES.flatMap((states) => [`${states.toLocaleString('en')} states`, 'a neighbour'])],
      LISTINGS.map(({ name }, at) => [
        name,
        ...[small[at], large[at]].flatMap((cost) => [
          milliseconds(cost?.slowest ?? 0),
          milliseconds(cost?.neighbour ?? 0),
        ]),
      ]),
    ),
  };
}

interface Cost {
  readonly slowest: number;
  readonly neighbour: number;
}

async function costOf(house: HouseProcess, { page }: Listing): Promise<Cost> {
  await page(house);
  const stop = new AbortController();
  const neighbour = worstGet(house, stop.signal);
  let slowest = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const began = performance.now();
    await page(house);
    slowest = Math.max(slowest, performance.now() - began);
  }
  stop.abort();
  return { slowest, neighbour: await neighbour };
}

/** Asks for one state again and again. @returns the longest that it took, in milliseconds */
async function worstGet(house: HouseProcess, stop: AbortSignal): Promise<number> {
  let worst = 0;
  while (!stop.aborted) {
    const began = performance.now();
    const { status } = await ask(house.url, 'GET', '/http/other/one');
    if (status !== 200) throw new Error(`the neighbour was answered ${status}`);
    worst = Math.max(worst, performance.now() - began);
    await sleep(NEIGHBOUR_PAUSE_MS);
  }
  return worst;
}

/** A server with so many states, written through its engine. */
async function loaded(states: number): Promise<HouseProcess> {
  const house = await HouseProcess.start({ flags: ['--request-rate=0'] });
  const { status } = await ask(house.url, 'POST', '/http/other/one', {
    body: '{"version":4,"serial":1,"lineage":"one","resources":[]}',
  });
  if (status !== 200) throw new Error(`the first write was answered ${status}`);
  await house.kill();
  const store = { kind: 'directory', path: house.directory } as const;
  const loading = await buildHouse({ ...DEFAULTS, store, logLevel: 'silent' });
  for (let from = 0; from < states; from += COMMANDS_AT_A_TIME) {
    const count = Math.min(COMMANDS_AT_A_TIME, states - from);
    await loading.engine.apply(Array.from({ length: count }, (_, at) => writeOf(addressOf(from + at), 1n)));
  }
  await loading.close();
  await house.launch();
  return house;
}

function addressOf(number: number): Address {
  return {
    project: 'bench',
    key: `folder-${number % FOLDERS}/state-${number}`,
    workspace: number % FOLDERS === 0 ? 'dev' : 'default',
  };
}

function bucket(query: string): Listing['page'] {
  const signer = new AwsSigner(TEST_ADMIN, Date.now);
  return async ({ port }) => {
    const client = await RawClient.open(port);
    const status = await client.send(
      signer.s3({ method: 'GET', path: '/bench', query: `${query}list-type=2&max-keys=1000` }),
    );
    client.close();
    if (status !== 200) throw new Error(`a listing was answered ${status}`);
  };
}

function api(target: string): Listing['page'] {
  return async ({ url }) => {
    const { status } = await ask(url, 'GET', `/api/v1${target}`);
    if (status !== 200) throw new Error(`a listing was answered ${status}`);
  };
}
