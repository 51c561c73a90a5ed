import { parseArgs } from 'node:util';
import { catchMutants } from './mutants/catch.ts';
import { runSeed } from './run-seed.ts';
import type { Range } from './scenario.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
  },
});
const range: Range = values.all ? 'all' : 'proven';

/** Simulates one seed, and shows what happened. @returns how many seeds failed */
async function showSeed(seed: number): Promise<number> {
  const { lines, ...verdict } = await runSeed(seed, range, values.trace);
  for (const line of lines) console.log(line);
  console.log(JSON.stringify(verdict));
  return verdict.violation === null ? 0 : 1;
}

/** Simulates many seeds, and names those that fail. @returns how many did */
async function runSeeds(from: number, count: number): Promise<number> {
  let failed = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const { violation } = await runSeed(seed, range);
    if (violation === null) continue;
    failed += 1;
    console.log(`seed ${seed}: ${violation.rule}: ${violation.what}`);
    if (values.first) return failed;
  }
  console.log(`${count} seeds, ${failed} failed`);
  return failed;
}

/** @returns how much was not as it should be */
async function main(): Promise<number> {
  if (values.mutants) return catchMutants(Number(values.seeds)).length;
  if (values.seed !== undefined) return showSeed(Number(values.seed));
  return runSeeds(Number(values.from), Number(values.seeds));
}

process.exitCode = (await main()) === 0 ? 0 : 1;
