import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { catchMutants } from './mutants/catch.ts';
import { runMany } from './run-many.ts';
import { runSeed } from './run-seed.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
    /** Threads that simulate. */
    threads: { type: 'string', default: `${availableParallelism()}` },
    mutants: { type: 'boolean', default: false },
    /** Only mutants whose name contains this. */
    only: { type: 'string', default: '' },
  },
});

/** Simulates one seed, and shows what happened. @returns how many seeds failed */
async function showSeed(seed: number): Promise<number> {
  const { lines, ...verdict } = await runSeed(seed, values.trace);
  for (const line of lines) console.log(line);
  console.log(JSON.stringify(verdict));
  return verdict.violation === null ? 0 : 1;
}

/** Simulates many seeds, and names those that fail. @returns how many did */
async function runSeeds(from: number, count: number): Promise<number> {
  const { first: endsAtFirst, threads } = values;
  const failed = await runMany(
    { from, count, threads: Number(threads), endsAtFirst },
    ({ seed, violation }) => console.log(`seed ${seed}: ${violation.rule}: ${violation.what}`),
  );
  console.log(`${count} seeds, ${failed} failed`);
  return failed;
}

/** @returns how much was not as it should be */
async function main(): Promise<number> {
  const { seed, seeds, from, mutants, only } = values;
  if (mutants) return catchMutants(Number(seeds), only).length;
  if (seed !== undefined) return showSeed(Number(seed));
  return runSeeds(Number(from), Number(seeds));
}

process.exitCode = (await main()) === 0 ? 0 : 1;
