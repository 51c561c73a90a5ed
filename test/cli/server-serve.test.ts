import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { welcome } from '../../src/cli/server/welcome.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RunningProgram } from '../support/running-program.ts';
import { runStatehouse } from './run-statehouse.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-serve-'));
});

afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

function serve(...flags: readonly string[]): RunningProgram {
  return new RunningProgram(process.execPath, [MAIN, 'serve', '--log-level=error', ...flags], {
    cwd: directory,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
}

/** Runs a house until it has said so much, then stops it. @returns its standard output */
async function opened(until: string, ...flags: readonly string[]): Promise<string> {
  const run = serve(`--listen=127.0.0.1:${await freePort()}`, ...flags);
  await eventually('the house opens', () => run.stdout.includes(until) || !run.running);
  run.signal('SIGTERM');
  const { code, stdout, output } = await run.end;
  expect(code, output).toBe(0);
  return stdout;
}

async function refused(...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await serve(...flags).end;
  expect(stdout).toBe('');
  expect(code).not.toBe(0);
  return stderr;
}

/** What a file of the first start says, which its owner alone may read. */
async function credentialIn(data: string, name: string): Promise<{ id: string; secret: string }> {
  const path = join(data, name);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const [, id = '', secret = ''] = /^(\w+)\.(\w+)\n$/.exec(await readFile(path, 'utf8')) ?? [];
  expect(secret).not.toBe('');
  return { id, secret };
}

describe('serve', () => {
  it('makes its data directory, keeps the first credentials in files of their own, and tells no secret in a pipe', async () => {
    const data = join(directory, 'new', 'data');
    const first = await opened('For another state', `--data=${data}`);
    expect(first).toContain(`Everything is kept in ${data}`);
    expect(first).toContain(`The master key is ${join(data, 'master.key')}. Copy it`);
    const admin = await credentialIn(data, 'admin-credential');
    const writer = await credentialIn(data, 'demo-credential');
    expect(first).toContain(`The admin credential is in ${join(data, 'admin-credential')}`);
    expect(first).toContain(`export STATEHOUSE_CREDENTIAL_FILE=${join(data, 'admin-credential')}`);
    expect(first).toContain('credential create NAME');
    expect(first).toContain(`sign in with the content of ${join(data, 'demo-credential')}`);
    expect(first).toContain(`export TF_HTTP_USERNAME=${writer.id}`);
    expect(first).toContain(`export TF_HTTP_PASSWORD="$(cut -d . -f 2 ${join(data, 'demo-credential')})"`);
    for (const { secret } of [admin, writer]) expect(first).not.toContain(secret);
    expect(first).not.toContain(admin.id);
    const second = await opened('config http', `--data=${data}`);
    expect(second).not.toContain(writer.id);
    expect(second).toContain('statehouse config http PROJECT/KEY');
  });

  it.each([
    ['over http', []],
    ['over https, with a certificate that the server signed itself', ['--tls-self-signed']],
  ])('prints what lets the command line manage this very server, %s', async (_how, flags) => {
    const data = join(directory, `manage-${flags.length}`);
    const run = serve(`--listen=127.0.0.1:${await freePort()}`, `--data=${data}`, ...flags);
    await eventually('the house opens', () => run.stdout.includes('For another state') || !run.running);
    const lines = [...run.stdout.matchAll(/^ *export (STATEHOUSE_\w+)=(\S+)$/gm)];
    const env = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
    const listed = await runStatehouse(['credential', 'list', '--json'], { env });
    expect(listed.code, listed.err).toBe(0);
    run.signal('SIGTERM');
    await run.end;
  });

  it('names no server where the command line asks it by itself', async () => {
    const output = new PassThrough();
    const shown = text(output);
    const terminal = openTerminal({ input: new PassThrough(), output, errors: new PassThrough() }, {}, false);
    const made = { id: 'ID', secret: 'SECRET', path: '/data/file' };
    const open = { url: 'http://127.0.0.1:7117', certPath: null, newKeyPath: null };
    const first = { admin: made, writer: made };
    welcome(terminal, { ...open, first }, { kind: 'directory', path: '/data' }, {});
    output.end();
    expect(await shown).not.toContain('STATEHOUSE_SERVER');
  });

  it('says the same in JSON', async () => {
    const data = join(directory, 'json');
    const printed = await opened('}\n', `--data=${data}`, '--json');
    const first = JSON.parse(printed) as Record<string, unknown>;
    expect(first).toMatchObject({ data, newMasterKey: join(data, 'master.key'), certificate: null });
    expect(first['url']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const admin = await credentialIn(data, 'admin-credential');
    const writer = await credentialIn(data, 'demo-credential');
    expect(first).toMatchObject({
      admin: { id: admin.id, file: join(data, 'admin-credential') },
      writer: { id: writer.id, file: join(data, 'demo-credential') },
    });
    for (const { secret } of [admin, writer]) expect(printed).not.toContain(secret);
    const second = JSON.parse(await opened('}\n', `--data=${data}`, '--json')) as Record<string, unknown>;
    expect(second).toMatchObject({ admin: null, writer: null, newMasterKey: null });
  });

  it('shows the first credentials on a screen, and names the file in the log', async () => {
    const data = join(directory, 'screen');
    const run = serve(`--listen=127.0.0.1:${await freePort()}`, `--data=${data}`, '--log-level=info');
    await eventually('the house opens', () => run.stdout.includes('For another state') || !run.running);
    run.signal('SIGTERM');
    const { stderr } = await run.end;
    const admin = await credentialIn(data, 'admin-credential');
    const writer = await credentialIn(data, 'demo-credential');
    expect(stderr).toContain(join(data, 'admin-credential'));
    expect(stderr).not.toContain(admin.secret);
    const output = Object.assign(new PassThrough(), { isTTY: true });
    const shown = text(output);
    const terminal = openTerminal({ input: new PassThrough(), output, errors: new PassThrough() }, {}, false);
    const path = (name: string): string => join(data, name);
    const first = {
      admin: { ...admin, path: path('admin-credential') },
      writer: { ...writer, path: path('demo-credential') },
    };
    const open = { url: 'http://127.0.0.1:1', certPath: null, newKeyPath: null, first };
    welcome(terminal, open, { kind: 'directory', path: data }, {});
    output.end();
    expect(await shown).toContain(`The admin credential is ${admin.id}.${admin.secret}`);
    // What is pasted names the file, so that "config" does not put the admin into a folder.
    expect(await shown).toContain(`export STATEHOUSE_CREDENTIAL_FILE=${path('admin-credential')}`);
    expect(await shown).toContain(`sign in with ${writer.id}.${writer.secret}`);
    expect(await shown).toContain(`export TF_HTTP_PASSWORD=${writer.secret}`);
  });

  it('gives the printed block a credential that writes one project and manages nothing', async () => {
    const data = join(directory, 'writer');
    const run = serve(`--listen=127.0.0.1:${await freePort()}`, `--data=${data}`);
    await eventually('the house opens', () => run.stdout.includes('For another state') || !run.running);
    const url = /running at (\S+)/.exec(run.stdout)?.[1] ?? '';
    const env = { STATEHOUSE_SERVER: url };
    const ask = (file: string, ...words: readonly string[]) =>
      runStatehouse([...words, '--credential-file', join(data, file), '--json'], { env });
    expect(JSON.parse((await ask('demo-credential', 'states')).out)).toMatchObject({ states: [] });
    expect((await ask('demo-credential', 'credential', 'list')).code).toBe(1);
    const listed = JSON.parse((await ask('admin-credential', 'credential', 'list')).out) as {
      credentials: { name: string; grants: unknown }[];
    };
    expect(listed.credentials.map(({ name, grants }) => [name, grants])).toEqual(
      expect.arrayContaining([
        ['admin', [{ role: 'admin', pattern: '*' }]],
        ['demo', [{ role: 'writer', pattern: 'demo/*' }]],
      ]),
    );
    run.signal('SIGTERM');
    await run.end;
  });

  it('takes secrets from files, warns of those on its command line, and refuses files that others can read', async () => {
    const data = `--data=${join(directory, 'files')}`;
    const secret = 'thesecretofanadmin20';
    const file = join(directory, 'admin.txt');
    await writeFile(file, `SHADMINEXAMPLE01.${secret}\n`, { mode: 0o644 });
    const open = await refused(data, `--admin-credential-file=${file}`);
    expect(open).toContain(`${file} can be read by other users of this machine (mode 0644)`);
    expect(open).toContain(`chmod 600 ${file}`);
    expect(open).toContain('--exposed-secrets');
    await opened('config http', data, `--admin-credential-file=${file}`, '--exposed-secrets');
    await chmod(file, 0o600);
    await opened('config http', data, `--admin-credential-file=${file}`);
    const both = await refused(data, `--admin-credential-file=${file}`, '--admin-credential=x.y');
    expect(both).toContain('--admin-credential and --admin-credential-file say the same');

    const run = serve(data, '--listen=127.0.0.1:0', `--admin-credential=SHADMINEXAMPLE01.${secret}`);
    await eventually('the house opens', () => run.stdout.includes('config http') || !run.running);
    run.signal('SIGTERM');
    expect((await run.end).stderr).toMatch(
      /Warning: --admin-credential has a secret in it.*use --admin-credential-file or STATEHOUSE_ADMIN_CREDENTIAL/,
    );

    const key = join(directory, 'files', 'master.key');
    await chmod(key, 0o644);
    expect(await refused(data)).toContain(`chmod 600 ${key}`);
    await chmod(key, 0o600);
    await opened('config http', data);
  });

  it('exports the certificate that it signed itself, found from anywhere', async () => {
    const shown = await opened('For another state', '--data=./tls', '--tls-self-signed');
    expect(shown).toContain(
      `export TF_HTTP_CLIENT_CA_CERTIFICATE_PEM="$(cat ${join(directory, 'tls', 'tls-cert.pem')})"`,
    );
  });

  it('refuses to open with words for what is wrong, and keeps the first credential for the start that works', async () => {
    const data = join(directory, 'trouble');
    const taken: Server = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const listen = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const portTaken = await refused(`--data=${data}`, `--listen=${listen}`);
    taken.close();
    expect(portTaken).toContain(`${listen} is in use by another program`);
    expect(portTaken).toContain('--listen');
    expect(await opened('For another state', `--data=${data}`)).toContain('STATEHOUSE_CREDENTIAL_FILE=');

    const other = Buffer.alloc(32, 7).toString('base64');
    const wrongKey = await refused(`--data=${data}`, `--master-key=${other}`);
    expect(wrongKey).toContain('the master key does not match this data');
    expect(wrongKey).not.toContain(other);
    expect(await refused(`--data=${data}`, '--master-key=short')).toContain('base64 of 32 bytes');
    expect(await refused(`--data=${data}`, '--admin-credential=short')).toContain('expected ID.SECRET');
    expect(await refused(`--data=${data}`, '--listen=nonsense')).toContain('expected HOST:PORT');
  });

  it('refuses a certificate that TLS cannot be spoken with', async () => {
    const data = `--data=${join(directory, 'bad-tls')}`;
    const pem = join(directory, 'no-certificate.pem');
    await writeFile(pem, 'hello\n');
    expect(await refused(data, `--tls-cert=${pem}`)).toContain('go together');
    expect(await refused(data, `--tls-cert=${pem}`, `--tls-key=${pem}`)).toContain(
      `${pem} is not a valid PEM certificate`,
    );
    expect(await refused(data, `--tls-cert=${pem}.x`, `--tls-key=${pem}`)).toContain('cannot be read');
    await opened('config http', data, '--tls-self-signed').catch(() => undefined);
    await opened('}\n', `--data=${join(directory, 'other-tls')}`, '--tls-self-signed', '--json');
    const cert = join(directory, 'bad-tls', 'tls-cert.pem');
    const key = join(directory, 'other-tls', 'tls-key.pem');
    expect(await refused(data, `--tls-cert=${cert}`, `--tls-key=${key}`)).toContain('does not match');
  });
});
