import { setTimeout as sleep } from 'node:timers/promises';
import { lockOf, writeOf } from '../src/contract/engine-commands.ts';
import type { Address } from '../src/core/address.ts';
import { buildHouse } from '../src/server/build.ts';
import { DEFAULTS } from '../src/server/configuration.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { sampleLock } from '../test/support/sample-state.ts';
import { AWAITED_KEY, LISTED_PROJECT, LISTINGS, type Listing } from './listing-pages.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';
import { usageOf } from './usage.ts';

/** States of each server; they can be set, such as to `1000,1000000`. */
const SIZES: readonly number[] = (process.env['STATEHOUSE_BENCH_STATES'] ?? '1000,100000')
  .split(',')
  .map(Number);
/** Writes of each state. */
const VERSIONS = Number(process.env['STATEHOUSE_BENCH_VERSIONS'] ?? 1);
const WAITING = 10_000;
const COMMANDS_AT_A_TIME = 128;
const FOLDERS = 100;
const RUNS = 15;
/** What takes so long is asked for no more. */
const RUNS_MS_MAX = 20_000;
/** How long the neighbour waits between two requests. */
const NEIGHBOUR_PAUSE_MS = 2;

/** (k) What a page of each listing costs, and how long somebody else waits meanwhile, as the number of states grows. */
export async function listings(): Promise<Section> {
  const measured: (readonly Cost[])[] = [];
  for (const states of SIZES) {
    await using house = await loaded(states);
    const costs: Cost[] = [];
    for (const listing of LISTINGS) {
      const cost = await costOf(house, listing);
      costs.push(cost);
      progress(`listings: ${states}: ${listing.name}: ${Object.values(cost).map(milliseconds).join(', ')}`);
    }
    measured.push(costs);
    progress(`listings: ${states} states`);
  }
  return {
    name: 'listings',
    title: 'Listings',
    text: `The slowest of ${RUNS} pages (of fewer where they take longer than ${RUNS_MS_MAX / 1_000} s), the server's processor time for one, and the longest that a GET of one state
took meanwhile, which another client sends all the time. States have ${VERSIONS} version each.
Targets: with more states at most 1.5 times as slow, and nobody waits longer than 50 ms. \`STATEHOUSE_BENCH_STATES=1000,1000000\` sets the numbers of states.`,
    table: markdownTable(
      [
        'listing',
        ...SIZES.flatMap((states) => [`${states.toLocaleString('en')} states`, 'CPU a page', 'a neighbour']),
      ],
      LISTINGS.map(({ name }, at) => [
        name,
        ...measured.flatMap((costs) => {
          const { slowest = 0, cpu = 0, neighbour = 0 } = costs[at] ?? {};
          return [slowest, cpu, neighbour].map(milliseconds);
        }),
      ]),
    ),
  };
}

/** In milliseconds. */
interface Cost {
  readonly slowest: number;
  /** What the server took for a page, and for those of the neighbour's requests that were sent meanwhile. */
  readonly cpu: number;
  readonly neighbour: number;
}

async function costOf(house: HouseProcess, { page }: Listing): Promise<Cost> {
  await page(house);
  const stop = new AbortController();
  const neighbour = worstGet(house, stop.signal);
  const before = await usageOf(house.pid);
  const start = performance.now();
  let slowest = 0;
  let runs = 0;
  for (; runs < RUNS && performance.now() - start < RUNS_MS_MAX; runs += 1) {
    const began = performance.now();
    await page(house);
    slowest = Math.max(slowest, performance.now() - began);
  }
  const after = await usageOf(house.pid);
  stop.abort();
  const cpu = ((after.cpuSeconds - before.cpuSeconds) * 1_000) / runs;
  return { slowest, cpu, neighbour: await neighbour };
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
  for (let serial = 1n; serial <= VERSIONS; serial += 1n) {
    for (let from = 0; from < states; from += COMMANDS_AT_A_TIME) {
      const count = Math.min(COMMANDS_AT_A_TIME, states - from);
      await loading.engine.apply(
        Array.from({ length: count }, (_, at) => writeOf(addressOf(from + at), serial)),
      );
    }
  }
  const awaited: Address = { project: LISTED_PROJECT, key: AWAITED_KEY, workspace: 'default' };
  for (let from = 0; from <= WAITING; from += COMMANDS_AT_A_TIME) {
    await loading.engine.apply(
      Array.from({ length: COMMANDS_AT_A_TIME }, (_, at) => {
        const id = `lock-${from + at}`;
        const info = loading.house.lockInfos.seal(awaited, Buffer.from(sampleLock(id)));
        return lockOf(awaited, id, { info });
      }),
    );
  }
  await loading.close();
  await house.launch();
  return house;
}

function addressOf(number: number): Address {
  return {
    project: LISTED_PROJECT,
    key: `folder-${number % FOLDERS}/state-${number}`,
    workspace: number % FOLDERS === 0 ? 'dev' : 'default',
  };
}
