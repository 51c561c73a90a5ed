// Writes docs/tour.md by really running what it shows, with terraform on PATH; with --check it only says whether that is up to date.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TARGET = new URL('../docs/tour.md', import.meta.url);
const MAIN = fileURLToPath(new URL('../dist/program/cli.main.cjs', import.meta.url));
const LONG_MS = 60_000;
const RESOURCES = `resource "terraform_data" "one" {
  input = "one"
}
`;

const home = mkdtempSync(join(tmpdir(), 'statehouse-tour-'));
const port = await freePort();
const bin = join(home, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'statehouse'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, {
  mode: 0o755,
});
const env = {
  PATH: `${bin}${delimiter}${process.env.PATH}`,
  HOME: home,
  CHECKPOINT_DISABLE: '1',
  TF_CLI_CONFIG_FILE: '/dev/null',
  TF_CLI_ARGS: '-no-color',
  TF_INPUT: '0',
  NO_PROXY: '*',
};
const lines = [];
const running = [];

try {
  await tell();
} finally {
  for (const child of running) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
const page = `${lines.join('\n').trim()}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== page) {
    process.stderr.write('docs/tour.md is not what the commands say: run "npm run tour"\n');
    process.exit(1);
  }
} else writeFileSync(TARGET, page);

async function tell() {
  say('# A tour');
  say(
    'Two people, one state: an apply, a second one that waits, a crash, and a restore. `npm run tour` ran every command here and wrote down what it',
    'printed; IDs, secrets, times and the port are replaced, and of what terraform prints the lines stand here that matter.',
  );
  say('## The server');
  const server = start('statehouse serve', home, [`--listen=127.0.0.1:${port}`, '--log-level=error']);
  await until(() => server.text.includes('For another state'), 'the server starts');
  block('statehouse serve', server.text);
  env.STATEHOUSE_SERVER = `http://127.0.0.1:${port}`;
  env.STATEHOUSE_CREDENTIAL_FILE = join(home, 'statehouse-data', 'admin-credential');
  say(
    '## Two people',
    'In a second shell, set the two variables that the server has printed (`STATEHOUSE_CREDENTIAL_FILE` and `STATEHOUSE_SERVER`): you are the admin',
    'there. Each person gets a credential of their own, so that locks and versions say who it was.',
  );
  for (const who of ['alice', 'bob']) {
    const made = run(`statehouse credential create ${who} --grant "writer:app/*" --json`, home, true);
    writeFileSync(join(home, who), JSON.stringify(JSON.parse(made)));
    block(`statehouse credential create ${who} --grant "writer:app/*"`, 'id      ID\nsecret  SECRET\n…');
  }
  const alice = personOf('alice');
  const bob = personOf('bob');
  const printed = run('statehouse config http app/net', home, true);
  block('statehouse config http app/net', printed);
  const backend = /^terraform \{\n[\s\S]*?\n\}\n/m.exec(printed)?.[0] ?? '';
  for (const person of [alice, bob]) writeFileSync(join(person.cwd, 'main.tf'), backend + RESOURCES);
  say(
    '## The first apply',
    'Alice puts that block into `main.tf` of her folder, with one resource (`resource "terraform_data" "one" { input = "one" }`), and the two variables',
    'with her own ID and secret into her shell.',
  );
  show(alice, 'terraform init', /successfully initialized/);
  show(alice, 'terraform apply -auto-approve', /Apply complete/);
  run('terraform init', bob.cwd, true, bob.env);
  say(
    '## Bob comes while Alice works',
    'She adds a resource that takes a while, and applies again. Bob has the same block, with his ID and secret. He does not wait, and is told who holds the',
    'lock and where to look.',
  );
  const gate = join(home, 'gate');
  writeFileSync(join(alice.cwd, 'slow.tf'), slow(gate));
  const long = start('terraform apply -auto-approve', alice.cwd, [], alice.env);
  await until(() => existsSync(`${gate}.reached`), 'the lock is held');
  show(bob, 'terraform apply -auto-approve', /held by|^see |in line|statehouse force-unlock|Error acquiring/);
  block('statehouse locks', run('statehouse locks', home));
  say(
    'With `-lock-timeout` he waits in line, and has the lock in the moment when she lets it go. (His folder lacks what she has added.)',
  );
  const waiting = start('terraform apply -auto-approve -lock-timeout=5m', bob.cwd, [], bob.env);
  // Between two requests it is polling.
  let seen = '';
  await until(() => /1st in line {2}/.test((seen = run('statehouse locks', home))), 'Bob waits');
  block('statehouse locks', seen);
  writeFileSync(gate, '');
  await Promise.all([ended(long), ended(waiting)]);
  block(
    'terraform apply -auto-approve -lock-timeout=5m',
    only(waiting.text, /Apply complete|No changes/),
    'bob',
  );
  say('## A crash', "Alice's next apply dies, and leaves its lock behind.");
  rmSync(gate);
  rmSync(`${gate}.reached`);
  writeFileSync(join(alice.cwd, 'slow.tf'), slow(gate, 'again'));
  const dying = start('exec terraform apply -auto-approve', alice.cwd, [], alice.env);
  await until(() => existsSync(`${gate}.reached`), 'the lock is held again');
  process.kill(-dying.child.pid, 'SIGKILL');
  await ended(dying);
  block('statehouse locks', run('statehouse locks', home));
  say(
    'Whoever may break locks looks, and breaks it; what its former holder might still write is refused from now on.',
  );
  block('statehouse force-unlock app/net --yes', run('statehouse force-unlock app/net --yes 2>&1', home));
  rmSync(join(alice.cwd, 'slow.tf'));
  say('## What happened, and back again');
  block('statehouse history app/net', run('statehouse history app/net', home));
  writeFileSync(join(bob.cwd, 'main.tf'), backend + RESOURCES.replace('"one"', '"another"'));
  show(bob, 'terraform apply -auto-approve', /Apply complete/);
  block('statehouse restore app/net 1', run('statehouse restore app/net 1 --yes', home));
  say('The restore is a new version; the history goes on.');
  block('statehouse diff app/net 4 5', run('statehouse diff app/net 4 5', home));
  server.child.kill('SIGTERM');
  await ended(server);
}

function personOf(name) {
  const { id, secret } = JSON.parse(readFileSync(join(home, name), 'utf8'));
  const cwd = join(home, `folder-${name}`);
  mkdirSync(cwd);
  const credential = { STATEHOUSE_CREDENTIAL_FILE: '', STATEHOUSE_CREDENTIAL: `${id}.${secret}` };
  return { name, cwd, env: { ...env, ...credential, TF_HTTP_USERNAME: id, TF_HTTP_PASSWORD: secret } };
}

/** A table whose columns are as wide as what stands in them once it is masked. */
function table(output) {
  const rows = output.trimEnd().split('\n');
  const starts = [...rows[0].matchAll(/(?<=^| {2})\S/g)].map(({ index }) => index);
  const cells = rows.map((row) => starts.map((from, at) => mask(row.slice(from, starts[at + 1]).trim())));
  const widths = starts.map((_, at) => Math.max(...cells.map((row) => row[at].length)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function say(...text) {
  const [first, ...rest] = text;
  if (first.startsWith('#') && rest.length > 0) lines.push(first, '', rest.join('\n'), '');
  else lines.push(text.join('\n'), '');
}

function block(command, output, who) {
  const masked = /^[A-Z][A-Z ]+ {2}[A-Z]/.test(output) ? table(output) : mask(output);
  // Both are played on one machine.
  const shown = masked.replaceAll(/(token:bob +)alice@laptop/g, '$1bob@desktop ');
  lines.push('```console', `${who === undefined ? '' : `${who} `}$ ${command}`, shown.trim(), '```', '');
}

function show(person, command, pattern) {
  block(command, only(run(command, person.cwd, false, person.env), pattern), person.name);
}

/** The lines that a reader is to see: terraform says much more. */
function only(text, pattern) {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => line.replace(/^[│╷╵ ]+/, ''))
    .join('\n');
}

function run(command, cwd, must = false, environment = env) {
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command], {
    cwd,
    env: environment,
    encoding: 'utf8',
  });
  if (must && status !== 0) throw new Error(`${command}: ${stdout}${stderr}`);
  return stdout + stderr;
}

function start(command, cwd, more = [], environment = env) {
  const child = spawn('/bin/sh', ['-c', `exec ${command.replace(/^exec /, '')} ${more.join(' ')}`], {
    cwd,
    env: environment,
    detached: true,
  });
  const begun = { child, text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (begun.text += data));
  running.push(child);
  return begun;
}

async function ended({ child }) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function until(look, what) {
  for (const end = Date.now() + LONG_MS; !look();) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

function slow(gate, name = 'slow') {
  const wait = `touch ${gate}.reached; while [ ! -e ${gate} ]; do sleep 0.1; done`;
  return `resource "terraform_data" "${name}" {\n  provisioner "local-exec" {\n    command = "${wait}"\n  }\n}\n`;
}

/** What differs from one run to the next. */
function mask(text) {
  return text
    .replaceAll(home, '/home/you')
    .replaceAll(`127.0.0.1:${port}`, '127.0.0.1:7117')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'LOCK-ID')
    .replaceAll(/\bSH[A-Z2-7]{16}\b/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)/g, 'TIME')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?: ?(?:UTC|[+-]\d{4}))?/g, 'TIME')
    .replaceAll(/(?<!=)\b(?:\d+[dhms] )?\d+(?:ms|[dhms])\b(?= ago|[,;]|$|\n| |\))/g, '2s')
    .replaceAll('just now', '2s ago')
    .replaceAll(/(?:less than )?2s(?: 2s)?/g, '2s')
    .replaceAll(/\b[\d.]+ (?:B|KiB)(?= |$)/g, '1 KiB')
    .replaceAll(`${userInfo().username}@${hostname()}`, 'alice@laptop')
    .replaceAll(/(PASSWORD=)[A-Za-z0-9]{40}\b/g, '$1SECRET')
    .replaceAll(/ +$/gm, '');
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const found = probe.address().port;
  probe.close();
  return found;
}
