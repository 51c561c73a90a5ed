import { PLAYED_VERSION, playedPrograms } from '../test/runs/played-program.ts';
import { HcpDriver } from '../test/runs/hcp-driver.ts';
import { slugOf } from '../test/runs/running-house.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { progress } from './section.ts';
import { usageOf } from './usage.ts';

const RUNS = 1_000;
/** A workspace has at most 200 runs that are not over. */
const WORKSPACES = 10;
const LOOK_SECONDS = 20;

/** A server with so many runs that wait. */
export interface QueuedCost {
  readonly runs: number;
  readonly rssBytes: number;
  /** Of each second. */
  readonly cpuSeconds: number;
  /** The time that another request takes. */
  readonly milliseconds: number;
}

/**
 * What runs that wait cost the server: those that wait for the lock of their workspace, behind one run each that nobody confirms.
 * @returns the server before there were any, and then
 */
export async function queuedRuns(): Promise<readonly QueuedCost[]> {
  await using programs = await playedPrograms();
  await using house = await HouseProcess.start({
    flags: ['--runs=local', `--run-programs=${programs.path}`, '--run-slots=2'],
  });
  const driver = new HcpDriver(house);
  const slug = await slugOf({ 'main.tf': '' });
  const at = (number: number): Parameters<HcpDriver['run']>[0] => ({
    project: 'acme',
    key: `net-${number % WORKSPACES}`,
    workspace: 'default',
  });
  for (let number = 0; number < WORKSPACES; number += 1) {
    await driver.workspace(at(number));
    const first = await driver.run(at(number), slug, PLAYED_VERSION);
    while ((await driver.show(first))?.status !== 'planned') await pause(50);
  }
  const before = await cost(house, 0);
  for (let number = 0; number < RUNS; number += 1) await driver.run(at(number), slug, PLAYED_VERSION);
  progress('runs: 1,000 are queued');
  return [before, await cost(house, RUNS)];
}

async function cost(house: HouseProcess, runs: number): Promise<QueuedCost> {
  // What was just done is cleared up first.
  await pause(LOOK_SECONDS * 1_000);
  const [from, since] = [await usageOf(house.pid), performance.now()];
  await pause(LOOK_SECONDS * 1_000);
  const to = await usageOf(house.pid);
  const seconds = (performance.now() - since) / 1_000;
  const took: number[] = [];
  for (let time = 0; time < 25; time += 1) {
    const begun = performance.now();
    await ask(house.url, 'GET', '/http/acme/other');
    took.push(performance.now() - begun);
  }
  return {
    runs,
    rssBytes: to.rssBytes,
    cpuSeconds: (to.cpuSeconds - from.cpuSeconds) / seconds,
    milliseconds: took.toSorted((a, b) => a - b)[12] ?? Number.NaN,
  };
}

function pause(delay: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay));
}
