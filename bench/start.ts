import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { sampleState } from '../test/support/sample-state.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const RUNS = 15;
const MAIN = join(
  dirname(createRequire(import.meta.url).resolve('statehouse-server/package.json')),
  'dist',
  'cli',
  'main.js',
);

/** (e) From nothing to an answer. */
export async function start(): Promise<Section> {
  const rows = [
    row('`statehouse --version`, process and all', '100 ms', await repeated(version)),
    row('`node -e 0`, to compare', '', await repeated(nothing)),
    row('`statehouse serve` to its port, on data that is there', '400 ms', await served()),
  ];
  progress('start: done');
  return {
    name: 'start',
    title: 'Cold start',
    text: `Median, fastest and slowest of ${RUNS} runs, from the moment the process is asked for.`,
    table: markdownTable(['', 'median', 'fastest', 'slowest', 'target'], rows),
  };
}

function row(what: string, target: string, took: readonly number[]): readonly string[] {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (index: number): string => milliseconds(sorted[index] ?? 0);
  return [what, at(Math.floor(sorted.length / 2)), at(0), at(sorted.length - 1), target];
}

async function repeated(once: () => Promise<number>): Promise<readonly number[]> {
  const took: number[] = [];
  for (let run = 0; run < RUNS; run += 1) took.push(await once());
  return took;
}

function version(): Promise<number> {
  return run([MAIN, '--version']);
}

function nothing(): Promise<number> {
  return run(['-e', '0']);
}

async function run(parameters: readonly string[]): Promise<number> {
  const { code, milliseconds, output } = await new RunningProgram(process.execPath, parameters, {
    cwd: '.',
    env: process.env,
  }).end;
  if (code !== 0) throw new Error(output);
  return milliseconds;
}

async function served(): Promise<readonly number[]> {
  await using house = await HouseProcess.start();
  await ask(house.url, 'POST', '/http/bench/start', { body: sampleState(1) });
  return repeated(async () => {
    await house.stop();
    const began = performance.now();
    await house.launch();
    return performance.now() - began;
  });
}
