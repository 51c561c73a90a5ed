import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RunningProgram } from '../support/running-program.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
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

describe('serve', () => {
  it('makes its data directory, tells the admin credential once, and then how to get a block', async () => {
    const data = join(directory, 'new', 'data');
    const first = await opened('For another state', `--data=${data}`);
    expect(first).toContain(`Everything is kept in ${data}`);
    expect(first).toContain(`The master key is ${join(data, 'master.key')}. Copy it`);
    const [, id = '', secret = ''] = /STATEHOUSE_CREDENTIAL=(\w+)\.(\w+)/.exec(first) ?? [];
    expect(first).toContain(`export TF_HTTP_USERNAME=${id}`);
    expect(first).toContain(`export TF_HTTP_PASSWORD=${secret}`);
    const second = await opened('config http', `--data=${data}`);
    expect(second).not.toContain(secret);
    expect(second).toContain('statehouse config http PROJECT/KEY');
  });

  it('says the same in JSON', async () => {
    const data = join(directory, 'json');
    const first = JSON.parse(await opened('}\n', `--data=${data}`, '--json')) as Record<string, unknown>;
    expect(first).toMatchObject({ data, newMasterKey: join(data, 'master.key'), certificate: null });
    expect(first['url']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(first['admin']).toMatchObject({ id: expect.any(String), secret: expect.any(String) });
    const second = JSON.parse(await opened('}\n', `--data=${data}`, '--json')) as Record<string, unknown>;
    expect(second).toMatchObject({ admin: null, newMasterKey: null });
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
    expect(await opened('For another state', `--data=${data}`)).toContain('STATEHOUSE_CREDENTIAL=');

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
    const text = join(directory, 'no-certificate.pem');
    await writeFile(text, 'hello\n');
    expect(await refused(data, `--tls-cert=${text}`)).toContain('go together');
    expect(await refused(data, `--tls-cert=${text}`, `--tls-key=${text}`)).toContain(
      `${text} is not a valid PEM certificate`,
    );
    expect(await refused(data, `--tls-cert=${text}.x`, `--tls-key=${text}`)).toContain('cannot be read');
    await opened('config http', data, '--tls-self-signed').catch(() => undefined);
    await opened('}\n', `--data=${join(directory, 'other-tls')}`, '--tls-self-signed', '--json');
    const cert = join(directory, 'bad-tls', 'tls-cert.pem');
    const key = join(directory, 'other-tls', 'tls-key.pem');
    expect(await refused(data, `--tls-cert=${cert}`, `--tls-key=${key}`)).toContain('does not match');
  });
});
