// Runs the tests of others, in a checkout of theirs, against a server of its own, and compares each with what is expected.
// node test/upstream/run.mjs SUITE CHECKOUT [--program=FILE] [--only=PATTERN] [--write]
import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { count, readExpected, writeExpected } from './expected.mjs';
import { SUITES } from './suites.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { program: { type: 'string' }, only: { type: 'string' }, write: { type: 'boolean' } },
});
const [suite, checkout] = positionals;
const play = SUITES[suite];
if (play === undefined || checkout === undefined) {
  console.error(
    `usage: run.mjs ${Object.keys(SUITES).join('|')} CHECKOUT [--program=FILE] [--only=PATTERN] [--write]`,
  );
  process.exit(2);
}

const { program, only, write } = values;
const outcomes = await play({ checkout: resolve(checkout), program, only });
const expected = readExpected(suite);
let differences = 0;
for (const [name, outcome] of outcomes) {
  const known = expected.tests.get(name);
  if (outcome === (known?.outcome ?? '') || (outcome === 'skip' && known?.outcome === 'fail')) continue;
  differences += 1;
  console.log(`${name}: ${outcome}, and expected is ${known?.outcome ?? 'nothing'}`);
  // A new failure is ours until somebody has found out otherwise.
  const reason = known?.reason ?? 'ours';
  if (write) expected.tests.set(name, outcome === 'pass' ? { outcome } : { outcome: 'fail', reason });
}
const missing = only === undefined ? [...expected.tests.keys()].filter((name) => !outcomes.has(name)) : [];
for (const name of missing) console.log(`${name}: was not run`);
if (write) {
  for (const name of missing) expected.tests.delete(name);
  writeExpected(suite, expected);
}
const { passed, applicable, all } = count(expected);
console.log(
  `${suite}: expected are ${passed} of ${applicable} applicable, ${all} in all; ${differences} differ`,
);
process.exitCode = differences + missing.length > 0 && !write ? 1 : 0;
