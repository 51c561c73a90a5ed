// Fills the index of a server as if so many states had been written, asks it, and prints what came of it as JSON. It is a program
// of its own because it works on the built server from within.
//
// node bench/explore-measure.mjs STATES
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allTerms } from '../dist/core/snapshot/contents.js';
import { INDEX_RECORD, INDEX_RECORDS, IndexKey } from '../dist/house/explorer/index-key.js';
import { sealRow } from '../dist/house/explorer/indexed-state.js';
import { buildHouse } from '../dist/server/build.js';
import { DEFAULTS } from '../dist/server/configuration.js';
import { openBuilt } from '../dist/server/open.js';
import { systemClock } from '../dist/server/runtime.js';

const STATES = Number(process.argv[2]);
const RESOURCES = 50;
const BATCH = 100;
const ASKED = 300;
const TYPES = ['aws_instance', 'aws_subnet', 'aws_iam_role', 'aws_security_group', 'aws_route53_record'];
const ADMIN = 'SHBENCHADMIN2345.benchsecretbenchsecretbenchsecret012';

const QUESTIONS = [
  ['an ID, which one state has', (state) => `value=i-${hex(state, 7)}`],
  ['any term, which one state has', (state) => `text=${ipOf(state, 3)}`],
  ['an ID and its type', (state) => `type=aws_instance&value=i-${hex(state, 5)}`],
  ['a name, which one in a thousand has', (state) => `name=team-${state % 1_000}`],
  ['a type, which all have', () => 'type=aws_instance'],
  ['a type and a provider, which all have', () => 'type=aws_subnet&provider=aws'],
  ['a type that nothing has', () => 'type=google_compute_instance'],
  ['a type in one project', (state) => `type=aws_instance&project=p${state % 200}`],
  ['who wrote it, and when', () => 'writer=token:ci-7&until=2026-01-01T00:00:00Z'],
  ['when it was written, and nothing else', () => 'until=2023-11-15T00:00:00Z'],
];

const path = await mkdtemp(join(tmpdir(), 'statehouse-bench-explore-'));
const configuration = {
  ...DEFAULTS,
  store: { kind: 'directory', path },
  port: 0,
  adminCredential: ADMIN,
  logLevel: 'silent',
  requestRate: 0,
};
const building = buildHouse(configuration);
const open = await openBuilt(configuration, building);
try {
  const began = performance.now();
  const words = await furnish(await building);
  const fillMs = (performance.now() - began) / STATES;
  const rows = [];
  for (const [what, targetOf] of QUESTIONS) rows.push(await ask(what, targetOf));
  const { size } = await stat(join(path, 'statehouse.db'));
  const answer = {
    resources: RESOURCES,
    asked: ASKED,
    words: Math.round(words / STATES),
    fillMs,
    size,
    rows,
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
} finally {
  await open.close();
  await rm(path, { recursive: true });
}

async function ask(what, targetOf) {
  const took = [];
  let found = 0;
  for (let n = 0; n < ASKED; n += 1) {
    const url = `${open.url}/api/v1/explore?limit=100&${targetOf(Math.floor(Math.random() * STATES))}`;
    const from = performance.now();
    const response = await fetch(url, { headers: { authorization: `Bearer ${ADMIN}` } });
    const { states } = await response.json();
    took.push(performance.now() - from);
    found = states.length;
  }
  took.sort((a, b) => a - b);
  process.stderr.write(`explore: ${what}\n`);
  return { what, found, p50: took[Math.floor(ASKED / 2)], p99: took[Math.floor(0.99 * (ASKED - 1))] };
}

async function furnish({ engine, keyring }) {
  const records = INDEX_RECORDS.of({ engine, clock: systemClock });
  let stored = await records.one(INDEX_RECORD);
  while (stored?.builtTo !== null) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    stored = await records.one(INDEX_RECORD);
  }
  const key = IndexKey.open(keyring, stored);
  let words = 0;
  for (let from = 0; from < STATES; from += BATCH) {
    const commands = [];
    for (let state = from; state < Math.min(STATES, from + BATCH); state += 1) {
      const about = { terraformVersion: '1.11.4', writer: `token:ci-${state % 20}`, reads: [], unread: null };
      const contents = { resources: resourcesOf(state), more: 0, sources: [], ...about };
      const name = `p${state % 200}/team-${state % 1_000}/state-${state}`;
      const mark = { name, version: 1, at: 1_700_000_000_000 + state * 1_000 };
      const those = [
        ...allTerms(contents).map((term) => key.word('term', term)),
        key.word('writer', about.writer),
        key.word('terraform', about.terraformVersion),
      ];
      words += those.length;
      commands.push({ type: 'put-index', row: await sealRow(keyring, mark, contents), words: those });
    }
    await engine.apply(commands);
    if (from % 10_000 === 0) process.stderr.write(`explore: ${from} of ${STATES} states\n`);
  }
  return words;
}

function resourcesOf(state) {
  return Array.from({ length: RESOURCES }, (_, at) => {
    const type = TYPES[at % TYPES.length];
    const name = at === 0 ? `team-${state % 1_000}` : `item-${at}`;
    return {
      address: `module.net.${type}.${name}`,
      module: 'module.net',
      mode: 'managed',
      type,
      name,
      provider: 'registry.terraform.io/hashicorp/aws',
      values: [
        ['id', `i-${hex(state, at)}`],
        ['arn', `arn:aws:ec2:eu-central-1:123456789012:thing/i-${hex(state, at)}`],
        ['private_ip', ipOf(state, at)],
        ['availability_zone', `eu-central-1${'abc'[at % 3]}`],
        ['tags.Name', `${name}-${state % 5_000}`],
        ['tags.Owner', `owner-${state % 300}`],
      ],
    };
  });
}

function hex(state, at) {
  return (state * RESOURCES + at).toString(16).padStart(17, '0');
}

function ipOf(state, at) {
  const number = state * RESOURCES + at;
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
