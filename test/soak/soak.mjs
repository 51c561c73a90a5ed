// Runs a server for a while under clients at the http and S3 doors, and looks whether memory, descriptors, the write-ahead log and
// latency stay flat. `npm run soak` takes 30 minutes; `npm run soak -- --minutes 1` is for trying. Needs Linux.
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
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const ID = 'SHSOAKSOAKSOAK01';
const SECRET = 'soakSoakSoakSoakSoakSoakSoakSoak';
const STATE = 20_000;
/** Rows of the table, the first of which is the time in which the server warms up. */
const ROWS = 12;
/** How much more than in the middle of the run there may be at its end. */
const FLAT = { rss: 1.25, descriptors: 1.25, p99: 2 };
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
let said = 0;
server.stderr.on('data', (chunk) => (said += chunk.length));
await Promise.race([once(server.stdout, 'data'), once(server, 'exit')]);
if (server.exitCode !== null) throw new Error(`the server did not start (${server.exitCode})`);

const over = new AbortController();
let latencies = [];
let failures = 0;
const timed = async (work) => {
  const began = performance.now();
  try {
    return await work();
  } catch {
    failures += 1;
    return null;
  } finally {
    latencies.push(performance.now() - began);
  }
};

try {
  const loops = Array.from({ length: clients }, (_, index) =>
    index % 2 === 0 ? applyByHttp(index) : applyByS3(index),
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
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(data, { recursive: true, force: true });
}

/** One apply after another: lock, read, write, unlock; every second state is fought for by two clients. */
async function applyByHttp(index) {
  const agent = new Agent({ keepAlive: true });
  const path = `/http/soak/http-${index % 4}`;
  for (let serial = 1; !over.signal.aborted; serial += 1) {
    const lock = JSON.stringify({
      ID: `http-${index}-${serial}`,
      Operation: 'OperationTypeApply',
      Who: 'soak',
      Created: new Date().toISOString(),
    });
    const taken = await timed(() => ask(agent, 'LOCK', `${path}?wait=1m`, lock));
    if (taken?.status !== 200) continue;
    const read = await timed(() => ask(agent, 'GET', path));
    const next = read?.status === 200 ? JSON.parse(read.text).serial + 1 : 1;
    await timed(() => ask(agent, 'POST', `${path}?ID=http-${index}-${serial}`, stateOf(next, index % 4)));
    await timed(() => ask(agent, 'UNLOCK', path, lock));
  }
  agent.destroy();
}

async function applyByS3(index) {
  const s3 = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: ID, secretAccessKey: SECRET },
  });
  const at = (Key) => ({ Bucket: 'soak', Key });
  const [state, lock] = [`s3-${index}.tfstate`, `s3-${index}.tfstate.tflock`];
  for (let serial = 1; !over.signal.aborted; serial += 1) {
    const Body = JSON.stringify({
      ID: `s3-${index}-${serial}`,
      Operation: 'OperationTypeApply',
      Who: 'soak',
      Created: new Date().toISOString(),
    });
    const taken = await timed(() => s3.send(new PutObjectCommand({ ...at(lock), Body, IfNoneMatch: '*' })));
    if (taken === null) continue;
    if (serial > 1) {
      await timed(async () => (await s3.send(new GetObjectCommand(at(state)))).Body.transformToString());
    }
    await timed(() => s3.send(new PutObjectCommand({ ...at(state), Body: stateOf(serial, index) })));
    await timed(() => s3.send(new DeleteObjectCommand(at(lock))));
  }
  s3.destroy();
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

function ask(agent, method, path, body = '') {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Basic ${Buffer.from(`${ID}:${SECRET}`).toString('base64')}`,
      'content-length': Buffer.byteLength(body),
    };
    const request = send(url + path, { method, agent, headers }, (response) => {
      let text = '';
      response
        .on('data', (chunk) => (text += chunk))
        .on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject).end(body);
  });
}

function measure(at) {
  const sorted = latencies.sort((a, b) => a - b);
  latencies = [];
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  const sizeOf = (name) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0;
  return {
    at,
    requests: sorted.length,
    p50: sorted[Math.floor(sorted.length / 2)] ?? 0,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
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
    megabytes(rss),
    descriptors,
    megabytes(wal),
    megabytes(database),
    (spoken / 1_024).toFixed(1),
    failed,
  ];
  return cells.map((cell) => `${cell}`.padStart(11)).join(' ');
}

/** Whether the end of the run is like its middle. The first third, in which caches fill, counts for nothing. */
function judge(rows) {
  const third = rows.length / 3;
  const average = (part, what) => part.reduce((sum, row) => sum + row[what], 0) / part.length;
  const [middle, end] = [rows.slice(third, 2 * third), rows.slice(2 * third)];
  const faults = Object.entries(FLAT).flatMap(([what, factor]) => {
    const [before, after] = [average(middle, what), average(end, what)];
    return after <= before * factor ? [] : [`${what} grew from ${before.toFixed(1)} to ${after.toFixed(1)}`];
  });
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
