// Runs a server for a while under clients at the http, S3 and DynamoDB doors, and looks whether memory, descriptors, the write-ahead log
// and latency stay flat. Each request is followed by one like it to a bare server in a process of its own: latency is judged beside that
// one's, so that what else the machine does makes no difference.
// `npm run soak` takes 30 minutes; `npm run soak -- --minutes 1` is for trying. Needs Linux.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Agent, request as send } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const BARE = fileURLToPath(new URL('bare.mjs', import.meta.url));
const ID = 'SHSOAKSOAKSOAK01';
const SECRET = 'soakSoakSoakSoakSoakSoakSoakSoak';
const STATE = 20_000;
/** Rows of the table, the first of which is the time in which the server warms up. */
const ROWS = 12;
/** How much more than in the middle of the run there may be at its end. */
const FLAT = { rss: 1.25, descriptors: 1.25 };
/** How much more than the bare server's latency may the server's grow from the first third of the run to the last. */
const STEADY = 2;
const LOG_BYTES_MAX = 160 * 1_024 * 1_024;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    clients: { type: 'string', default: '8' },
  },
});
const seconds = Number(values.minutes) * 60;
const clients = Number(values.clients);

const data = mkdtempSync(join(tmpdir(), 'statehouse-soak-'));
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = spawn(
  process.execPath,
  [
    MAIN,
    'serve',
    '--json',
    `--listen=127.0.0.1:${port}`,
    `--data=${data}`,
    '--keep-versions=5',
    '--min-keep-days=0',
  ],
  {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1', STATEHOUSE_ADMIN_CREDENTIAL: `${ID}.${SECRET}` },
  },
);
const bare = spawn(process.execPath, [BARE, join(data, 'bare'), `${STATE}`], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [bareSaid] = await once(bare.stdout, 'data');
const bareUrl = `http://127.0.0.1:${`${bareSaid}`.trim()}`;
let said = 0;
server.stderr.on('data', (chunk) => (said += chunk.length));
await Promise.race([once(server.stdout, 'data'), once(server, 'exit')]);
if (server.exitCode !== null) throw new Error(`the server did not start (${server.exitCode})`);

const over = new AbortController();
const bareAgent = new Agent({ keepAlive: true });
let latencies = { server: [], bare: [] };
let failures = 0;

/**
 * Does one request, and then one like it at the bare server.
 * @param bytes that the request stores, 0 where it reads
 */
async function timed(bytes, work) {
  const answer = await clock('server', work);
  await clock('bare', () =>
    bytes === 0
      ? ask(bareUrl, bareAgent, 'GET', '/')
      : ask(bareUrl, bareAgent, 'PUT', '/', 'x'.repeat(bytes)),
  );
  return answer;
}

async function clock(who, work) {
  const began = performance.now();
  try {
    return await work();
  } catch {
    failures += 1;
    return null;
  } finally {
    latencies[who].push(performance.now() - began);
  }
}

try {
  const loops = Array.from({ length: clients }, (_, index) =>
    index % 2 === 0 ? applyByHttp(index) : applyByS3(index, index % 4 === 1 ? lockFile : lockItem),
  );
  const rows = [];
  for (let row = 0; row < ROWS; row += 1) {
    await sleep((seconds * 1_000) / ROWS);
    rows.push(measure((seconds / ROWS) * (row + 1)));
    console.log(row === 0 ? [heading(), inWords(rows[row])].join('\n') : inWords(rows[row]));
  }
  over.abort();
  await Promise.all(loops);
  const faults = judge(rows);
  console.log(faults.length === 0 ? 'flat' : faults.join('\n'));
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  bareAgent.destroy();
  bare.kill('SIGTERM');
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(data, { recursive: true, force: true });
}

/** One apply after another: lock, read, write, unlock; every second state is fought for by two clients. */
async function applyByHttp(index) {
  const agent = new Agent({ keepAlive: true });
  const path = `/http/soak/http-${index % 4}`;
  for (let serial = 1; !over.signal.aborted; serial += 1) {
    const id = `http-${index}-${serial}`;
    const lock = lockInfo(id);
    const taken = await timed(lock.length, () => ask(url, agent, 'LOCK', `${path}?wait=1m`, lock));
    if (taken?.status !== 200) continue;
    const read = await timed(0, () => ask(url, agent, 'GET', path));
    const state = stateOf(read?.status === 200 ? JSON.parse(read.text).serial + 1 : 1, index % 4);
    await timed(STATE, () => ask(url, agent, 'POST', `${path}?ID=${id}`, state));
    await timed(lock.length, () => ask(url, agent, 'UNLOCK', path, lock));
  }
  agent.destroy();
}

/** @param lockOf what locks, as lockFile and lockItem do */
async function applyByS3(index, lockOf) {
  const credentials = { accessKeyId: ID, secretAccessKey: SECRET };
  const s3 = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials });
  const at = { Bucket: 'soak', Key: `s3-${index}.tfstate` };
  const lock = lockOf({ s3, credentials, at });
  for (let serial = 1; !over.signal.aborted; serial += 1) {
    const info = lockInfo(`s3-${index}-${serial}`);
    const taken = await timed(info.length, () => lock.take(info));
    if (taken === null) continue;
    if (serial > 1) {
      await timed(0, async () => (await s3.send(new GetObjectCommand(at))).Body.transformToString());
    }
    await timed(STATE, () => s3.send(new PutObjectCommand({ ...at, Body: stateOf(serial, index) })));
    await timed(info.length, () => lock.release());
  }
  s3.destroy();
}

/** An object beside the state, as terraform has it with `use_lockfile`. */
function lockFile({ s3, at }) {
  const object = { ...at, Key: `${at.Key}.tflock` };
  return {
    take: (Body) => s3.send(new PutObjectCommand({ ...object, Body, IfNoneMatch: '*' })),
    release: () => s3.send(new DeleteObjectCommand(object)),
  };
}

/** An item of a table, as terraform has it with `dynamodb_table`. */
function lockItem({ credentials, at }) {
  const table = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials });
  const LockID = { S: `${at.Bucket}/${at.Key}` };
  const ofTable = { TableName: 'soak-locks' };
  return {
    take: (info) =>
      table.send(
        new PutItemCommand({
          ...ofTable,
          Item: { LockID, Info: { S: info } },
          ConditionExpression: 'attribute_not_exists(LockID)',
        }),
      ),
    release: () => table.send(new DeleteItemCommand({ ...ofTable, Key: { LockID } })),
  };
}

function lockInfo(ID) {
  const Created = new Date().toISOString();
  return JSON.stringify({ ID, Operation: 'OperationTypeApply', Who: 'soak', Created });
}

function stateOf(serial, name) {
  const outputs = { padding: { value: 'x'.repeat(STATE), type: 'string' } };
  return JSON.stringify({
    version: 4,
    terraform_version: '1.11.0',
    serial,
    lineage: `soak-${name}`,
    outputs,
    resources: [],
  });
}

function ask(base, agent, method, path, body = '') {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Basic ${Buffer.from(`${ID}:${SECRET}`).toString('base64')}`,
      'content-length': Buffer.byteLength(body),
    };
    const request = send(base + path, { method, agent, headers }, (response) => {
      let text = '';
      response
        .on('data', (chunk) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject).end(body);
  });
}

function measure(at) {
  const sorted = latencies.server.sort((a, b) => a - b);
  const sortedBare = latencies.bare.sort((a, b) => a - b);
  latencies = { server: [], bare: [] };
  const part = (of, share) => of[Math.floor(of.length * share)] ?? 0;
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  const sizeOf = (name) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0;
  return {
    at,
    requests: sorted.length,
    p50: part(sorted, 0.5),
    p99: part(sorted, 0.99),
    bareP50: part(sortedBare, 0.5),
    bareP99: part(sortedBare, 0.99),
    rss: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1_024,
    descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
    wal: sizeOf('statehouse.db-wal'),
    database: sizeOf('statehouse.db'),
    said,
    failures,
  };
}

function heading() {
  return [
    'seconds',
    'requests',
    'p50 ms',
    'p99 ms',
    'bare p50',
    'bare p99',
    'memory MB',
    'descriptors',
    'log MB',
    'database MB',
    'said kB',
    'failed',
  ]
    .map((word) => word.padStart(11))
    .join(' ');
}

function inWords({
  at,
  requests,
  p50,
  p99,
  bareP50,
  bareP99,
  rss,
  descriptors,
  wal,
  database,
  said: spoken,
  failures: failed,
}) {
  const megabytes = (bytes) => (bytes / 1_048_576).toFixed(1);
  const cells = [
    Math.round(at),
    requests,
    p50.toFixed(1),
    p99.toFixed(1),
    bareP50.toFixed(1),
    bareP99.toFixed(1),
    megabytes(rss),
    descriptors,
    megabytes(wal),
    megabytes(database),
    (spoken / 1_024).toFixed(1),
    failed,
  ];
  return cells.map((cell) => `${cell}`.padStart(11)).join(' ');
}

/** Whether the end of the run is like its middle, and latency at its end like at its beginning. */
function judge(rows) {
  const third = rows.length / 3;
  const [first, middle, end] = [rows.slice(1, third), rows.slice(third, 2 * third), rows.slice(2 * third)];
  const average = (part, what) => part.reduce((sum, row) => sum + row[what], 0) / part.length;
  const faults = Object.entries(FLAT).flatMap(([what, factor]) => {
    const [before, after] = [average(middle, what), average(end, what)];
    return after <= before * factor ? [] : [`${what} grew from ${before.toFixed(1)} to ${after.toFixed(1)}`];
  });
  for (const [what, bareWhat] of [
    ['p50', 'bareP50'],
    ['p99', 'bareP99'],
  ]) {
    const grown = average(end, what) / average(first, what);
    const bareGrown = average(end, bareWhat) / average(first, bareWhat);
    const words = `${what}: ${grown.toFixed(2)} of the beginning, the bare server's ${bareGrown.toFixed(2)}`;
    console.log(words);
    if (grown > bareGrown * STEADY) faults.push(`${words}: it grew by more than the bare server's`);
  }
  const wal = Math.max(...rows.map((row) => row.wal));
  if (wal > LOG_BYTES_MAX) faults.push(`the write-ahead log grew to ${wal} bytes`);
  if (failures > 0) faults.push(`${failures} requests failed`);
  return faults;
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  return free;
}
