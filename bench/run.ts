import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { aws } from './aws.ts';
import { clouds } from './contention-clouds.ts';
import { contention } from './contention.ts';
import { cycles } from './cycles.ts';
import { explore } from './explore.ts';
import { holds } from './holds.ts';
import { key } from './key.ts';
import { large } from './large.ts';
import { line } from './line/line.ts';
import { listings } from './listings.ts';
import { describeMachine } from './machine.ts';
import { peers } from './peers.ts';
import { nodes } from './postgres.ts';
import { runs } from './runs.ts';
import type { Section } from './section.ts';
import { start } from './start.ts';
import { statements } from './statements.ts';
import { waiters } from './waiters.ts';

// npm run bench -- all            every part, printed
// npm run bench -- cycles start   some of them
// npm run bench -- all --write    and put into bench/README.md

const PARTS: Readonly<Record<string, () => Promise<Section>>> = {
  start,
  key,
  cycles,
  aws,
  large,
  waiters,
  contention,
  clouds,
  holds,
  line,
  listings,
  nodes,
  statements,
  explore,
  runs,
  peers,
};
const README = join(
  dirname(createRequire(import.meta.url).resolve('statehouse-server/package.json')),
  'bench',
  'README.md',
);
const BEGIN = '<!-- figures -->';
const END = '<!-- end of figures -->';

const words = process.argv.slice(2);
const named = words.filter((word) => !word.startsWith('--'));
const names = named.length === 0 || named.includes('all') ? Object.keys(PARTS) : named;
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  process.stderr.write(
    `no part is called ${unknown.join(', ')}: there are ${Object.keys(PARTS).join(', ')}\n`,
  );
  process.exit(2);
}

const machine = describeMachine();
const sections: Section[] = [];
for (const name of names) {
  const part = PARTS[name];
  if (part === undefined) continue;
  const load = loadavg()[0]?.toFixed(1) ?? '';
  const section = await part();
  sections.push({ ...section, text: `${section.text}\nLoad average when this part began: ${load}.` });
}
const report = [
  `Measured in one run, by \`npm run bench -- ${words.join(' ')}\`:`,
  machine,
  ...sections.map(({ name, title, text, table }) => `## ${title} (\`${name}\`)\n\n${text}\n\n${table}`),
].join('\n\n');
if (words.includes('--write')) {
  const readme = readFileSync(README, 'utf8');
  const [before, after] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  writeFileSync(README, `${readme.slice(0, before + BEGIN.length)}\n\n${report}\n\n${readme.slice(after)}`);
}
// Connections that were kept alive to a server that is gone must not keep us.
process.stdout.write(`${report}\n`, () => process.exit());
