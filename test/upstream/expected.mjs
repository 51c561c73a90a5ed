import { readFileSync, writeFileSync } from 'node:fs';

/** What a suite is expected to do, as its list says: `pass NAME`, or `fail REASON NAME` where the reason is told above. */
export function readExpected(suite) {
  const text = readFileSync(fileOf(suite), 'utf8');
  const expected = { source: '', reasons: new Map(), tests: new Map() };
  for (const line of text.split('\n').filter((row) => row !== '' && !row.startsWith('#'))) {
    const [kind, ...rest] = line.split(' ');
    if (kind === 'source') expected.source = rest.join(' ');
    else if (kind === 'reason') expected.reasons.set(rest[0], rest.slice(1).join(' '));
    else if (kind === 'pass') expected.tests.set(rest.join(' '), { outcome: 'pass' });
    else if (kind === 'fail')
      expected.tests.set(rest.slice(1).join(' '), { outcome: 'fail', reason: rest[0] });
    else throw new Error(`${suite}: "${line}" is neither source, reason, pass nor fail`);
  }
  return expected;
}

/** Writes a list again, its tests in order. */
export function writeExpected(suite, { source, reasons, tests }) {
  const rows = [...tests].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    '# What each test of the suite does here; made and compared by test/upstream/run.mjs. "ours" is a fault of this server.',
    `source ${source}`,
    ...[...reasons].map(([name, text]) => `reason ${name} ${text}`),
    ...rows.map(([name, { outcome, reason }]) =>
      outcome === 'pass' ? `pass ${name}` : `fail ${reason} ${name}`,
    ),
  ];
  writeFileSync(fileOf(suite), `${lines.join('\n')}\n`);
}

/** What a suite says of this server, counted. Applicable is what passes or is a fault of ours. */
export function count({ tests }) {
  const byReason = new Map();
  let passed = 0;
  for (const { outcome, reason } of tests.values()) {
    if (outcome === 'pass') passed += 1;
    else byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  }
  return { passed, applicable: passed + (byReason.get('ours') ?? 0), all: tests.size, byReason };
}

function fileOf(suite) {
  return new URL(`expected/${suite}.txt`, import.meta.url);
}
