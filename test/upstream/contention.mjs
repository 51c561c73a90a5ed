// Has clients apply on one state again and again, all at once, through the S3 and DynamoDB doors: none may give up, and nothing may be
// lost. node test/upstream/contention.mjs PROGRAM [--applies=500] [--clients=8] [--locks=file,table,both] [--delays=0,40]
// [--minutes=60]: then no apply is begun any more, with each kind of lock and delay
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { parseArgs } from 'node:util';
import { run } from './program.mjs';
import { startServer } from './server.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    applies: { type: 'string', default: '500' },
    clients: { type: 'string', default: '8' },
    locks: { type: 'string', default: 'file,table,both' },
    delays: { type: 'string', default: '0,40' },
    minutes: { type: 'string', default: '60' },
  },
});
const [program] = positionals;
if (program === undefined) {
  console.error(
    'usage: contention.mjs PROGRAM [--applies=N] [--clients=N] [--locks=file,table,both] [--delays=MS,…]',
  );
  process.exit(2);
}
const LOCKS = {
  file: 'use_lockfile = true',
  table: 'dynamodb_table = "locks"',
  both: 'use_lockfile = true\n    dynamodb_table = "locks"',
};

/** A way to the server that is so many milliseconds long, there and back. */
async function distance(port, milliseconds) {
  const late = () =>
    new Transform({
      transform(chunk, _encoding, done) {
        // Each piece is late by itself, so that the next one is not later still.
        setTimeout(() => this.push(chunk), milliseconds / 2);
        done();
      },
      flush: (done) => setTimeout(done, milliseconds / 2),
    });
  const proxy = createServer({ noDelay: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1', noDelay: true });
    client.pipe(late()).pipe(server);
    server.pipe(late()).pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      one.on('error', () => other.destroy());
      one.on('close', () => setTimeout(() => other.destroy(), milliseconds));
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${proxy.address().port}`, close: () => proxy.close() };
}

/** The folder of one client, whose resource is its own. */
function folder(root, name, lock, client) {
  const path = join(root, `${name}-${client}`);
  mkdirSync(path);
  const states = Array.from({ length: Number(values.clients) }, (_, one) => one);
  const resources = states.map(
    (one) =>
      `resource "terraform_data" "c${one}" {\n  input = ${one === client ? 'var.turn' : 'null'}\n${one === client ? '' : '  lifecycle {\n    ignore_changes = [input]\n  }\n'}}\n`,
  );
  const block = `terraform {\n  backend "s3" {\n    bucket = "acme"\n    key = "${name}.tfstate"\n    region = "us-east-1"\n    ${LOCKS[lock]}\n  }\n}\n`;
  writeFileSync(
    join(path, 'main.tf'),
    `${block}variable "turn" {\n  type = number\n}\n${resources.join('')}`,
  );
  return path;
}

async function contend(server, lock, delay) {
  const root = mkdtempSync(join(tmpdir(), 'upstream-contention-'));
  const way = await distance(server.port, delay);
  const name = `${lock}-${delay}`;
  const env = {
    AWS_ENDPOINT_URL: way.url,
    AWS_ACCESS_KEY_ID: server.admin.id,
    AWS_SECRET_ACCESS_KEY: server.admin.secret,
    AWS_EC2_METADATA_DISABLED: 'true',
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
  };
  const began = Date.now();
  const end = began + Number(values.minutes) * 60_000;
  const failures = [];
  const last = new Map();
  const play = async (client) => {
    const cwd = folder(root, name, lock, client);
    const ask = (...args) => run(program, args, { cwd, env, minutes: 60, quiet: true });
    await ask('init', '-input=false', '-no-color');
    for (let turn = 1; turn <= Number(values.applies) && Date.now() < end; turn += 1) {
      const args = [
        'apply',
        '-auto-approve',
        '-input=false',
        '-no-color',
        '-lock-timeout=60m',
        `-var=turn=${turn}`,
      ];
      const { code, output } = await ask(...args);
      if (code !== 0) failures.push(`client ${client}, apply ${turn}: ${output.slice(-400)}`);
      last.set(client, turn);
    }
    return cwd;
  };
  try {
    const clients = Array.from({ length: Number(values.clients) }, (_, client) => client);
    const folders = await Promise.all(clients.map(play));
    const { output } = await run(program, ['state', 'pull'], { cwd: folders[0], env, quiet: true });
    const kept = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)).resources.map(
      ({ name: resource, instances }) => [
        Number(resource.slice(1)),
        Number(instances[0].attributes.input?.value ?? 0),
      ],
    );
    const lost = kept.filter(([client, turn]) => turn !== (last.get(client) ?? 0)).length;
    const seconds = Math.round((Date.now() - began) / 1_000);
    const ran = [...last.values()].reduce((sum, turns) => sum + turns, 0);
    console.log(
      `${name} ms: ${clients.length} clients, ${ran} applies in ${seconds} s, ${failures.length} failed, ${lost} lost`,
    );
    for (const failure of failures.slice(0, 3)) console.log(failure);
    return failures.length + lost;
  } finally {
    way.close();
    rmSync(root, { recursive: true, force: true });
  }
}

const server = await startServer();
let wrong = 0;
for (const delay of values.delays.split(',')) {
  for (const lock of values.locks.split(',')) wrong += await contend(server, lock, Number(delay));
}
await server.stop();
process.exitCode = wrong === 0 ? 0 : 1;
