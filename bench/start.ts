import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HouseProcess, type HouseProcessOptions } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { sampleState } from '../test/support/sample-state.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const RUNS = 15;
const ROOT = dirname(createRequire(import.meta.url).resolve('statehouse-server/package.json'));
const MAIN = join(ROOT, 'dist', 'program', 'cli.main.cjs');
/** Made by `npm run executable`; what is missing is left out. */
const EXECUTABLE = join(ROOT, 'executable', 'statehouse');

/** (e) From nothing to an answer. */
export async function start(): Promise<Section> {
  const rows = [
    row('`node -e 0`, to compare', '', await repeated(nothing)),
    row('`statehouse --version`, process and all', '1.3 × `node -e 0`', await repeated(version)),
    row('`statehouse status` of a local state', '1.5 × `node -e 0`', await status()),
    row('`statehouse serve` to its port, on data that is there', '200 ms', await served()),
    ...(existsSync(EXECUTABLE) ? await executable() : []),
  ];
  progress('start: done');
  return {
    name: 'start',
    title: 'Cold start',
    text: `Median, fastest and slowest of ${RUNS} runs, from the moment the process is asked for.`,
    table: markdownTable(['', 'median', 'fastest', 'slowest', 'target'], rows),
  };
}

async function executable(): Promise<readonly (readonly string[])[]> {
  const cache = await mkdtemp(join(tmpdir(), 'statehouse-bench-'));
  const env = { XDG_CACHE_HOME: cache };
  const first = await run(EXECUTABLE, ['--version'], env);
  const rows = [
    row('single executable: the first start of all, which unpacks it', '', [first]),
    row('single executable: `--version`', '', await repeated(() => run(EXECUTABLE, ['--version'], env))),
    row('single executable: `serve` to its port', '', await served({ program: EXECUTABLE, env })),
  ];
  await rm(cache, { recursive: true });
  return rows;
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
  return run(process.execPath, [MAIN, '--version']);
}

async function status(): Promise<readonly number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'statehouse-bench-'));
  await writeFile(join(folder, 'main.tf'), 'terraform {\n  backend "local" {}\n}\n');
  const took = await repeated(() => run(process.execPath, [MAIN, 'status', `--chdir=${folder}`]));
  await rm(folder, { recursive: true });
  return took;
}

function nothing(): Promise<number> {
  return run(process.execPath, ['-e', '0']);
}

async function run(
  program: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { code, milliseconds, output } = await new RunningProgram(program, parameters, {
    cwd: '.',
    env: { ...process.env, ...env },
  }).end;
  if (code !== 0) throw new Error(output);
  return milliseconds;
}

async function served(options: HouseProcessOptions = {}): Promise<readonly number[]> {
  await using house = await HouseProcess.start(options);
  await ask(house.url, 'POST', '/http/bench/start', { body: sampleState(1) });
  return repeated(async () => {
    await house.stop();
    const began = performance.now();
    await house.launch();
    return performance.now() - began;
  });
}
