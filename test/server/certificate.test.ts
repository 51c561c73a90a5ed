import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/ports/log.ts';
import { Certificate } from '../../src/server/certificate.ts';
import { DEFAULTS, type Configuration } from '../../src/server/configuration.ts';
import { DAY_MS, selfSignedPaths } from '../../src/server/tls.ts';
import { eventually } from '../support/eventually.ts';
import { findOnPath } from '../support/find-program.ts';
import { HouseProcess } from '../support/house-process.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';

let root = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'statehouse-certificate-'));
});

afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(path);
  return path;
}

/** Writes a certificate, as an authority or the first versions would have made it. */
async function write(directory: string, { days = 397, cA = false, name = 'x' } = {}): Promise<string> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  const { cert, key } = selfSignedPaths(directory);
  await writeFile(key, made.private, { mode: 0o600 });
  await writeFile(cert, made.cert);
  return made.cert;
}

/** A log that keeps what is said. */
function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string, fields: object = {}): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, log: { debug: keep, info: keep, warn: keep, error: keep } };
}

function selfSigned(directory: string): Configuration {
  return { ...DEFAULTS, store: { kind: 'directory', path: directory }, tls: { kind: 'self-signed' } };
}

/** The certificate that a server shows. */
async function shownBy(url: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw).fingerprint256;
}

describe('a certificate that the server signs itself', () => {
  it('can sign nothing, says what it is for, and lasts about a year', async () => {
    const directory = await folder('leaf');
    using certificate = (await Certificate.open(selfSigned(directory), keptLog().log))!;
    const { cert, key } = selfSignedPaths(directory);
    const x509 = new X509Certificate(await readFile(cert));
    expect(x509.ca).toBe(false);
    expect(x509.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(x509.subjectAltName).toContain('IP Address:127.0.0.1');
    expect((certificate.ends - Date.now()) / DAY_MS).toBeCloseTo(397, 0);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    using again = (await Certificate.open(selfSigned(directory), keptLog().log))!;
    expect(again.material).toEqual(certificate.material);
  });

  it.each([
    ['could sign others', { cA: true, days: 800 }, 'could sign certificates'],
    ['ends soon', { days: 29 }, 'ends soon'],
    ['has ended', { days: -1 }, 'ends soon'],
  ])('takes the place of one that %s, and the log says so', async (name, former, why) => {
    const directory = await folder(name.replaceAll(' ', '-'));
    const before = await write(directory, former);
    const { log, lines } = keptLog();
    using certificate = (await Certificate.open(selfSigned(directory), log))!;
    expect(certificate.material.cert).not.toBe(before);
    expect(new X509Certificate(certificate.material.cert).ca).toBe(false);
    expect(lines.join()).toContain(why);
    expect(lines.join()).toContain(selfSignedPaths(directory).cert);
  });

  it('is for the domain too, and for the accounts of Azure before each name', async () => {
    const configuration = { ...selfSigned(await folder('domain')), domain: 'state.example.com' };
    using certificate = (await Certificate.open(configuration, keptLog().log))!;
    const { cert } = selfSignedPaths(join(root, 'domain'));
    const x509 = new X509Certificate(await readFile(cert));
    for (const name of ['localhost', 'state.example.com', 'a1b.blob.state.example.com', 'a1b.blob.localhost'])
      expect(x509.checkHost(name), name).toBeDefined();
    for (const name of ['example.com', 'x.state.example.com', 'a.b.blob.state.example.com'])
      expect(x509.checkHost(name), name).toBeUndefined();
    expect(certificate).not.toBe(null);
  });

  it('is renewed while the server runs, and those who connect are shown the new one', async () => {
    const directory = await folder('renewed');
    const { store, tls } = selfSigned(directory);
    await using house = await TestHouse.open({ store, tls });
    const before = await shownBy(house.url);
    await write(directory, { days: 20, name: 'old' });
    await eventually('it is renewed', async () => (await shownBy(house.url)) !== before, 20_000);
    expect(new X509Certificate(await readFile(selfSignedPaths(directory).cert)).subject).toBe(
      'CN=Statehouse',
    );
  });
});

describe('a certificate in files', () => {
  it('is read again at SIGHUP and when it changes; a broken one leaves the former in place', async () => {
    const directory = await folder('files');
    await write(directory, { days: 20, name: 'first' });
    const { cert, key } = selfSignedPaths(directory);
    await using house = await HouseProcess.start({ flags: [`--tls-cert=${cert}`, `--tls-key=${key}`] });
    expect(house.output).toContain('the certificate ends soon');
    const first = await shownBy(house.url);
    await write(directory, { name: 'second' });
    process.kill(house.pid, 'SIGHUP');
    await eventually('SIGHUP is heard', async () => (await shownBy(house.url)) !== first, 3_000);
    const second = await shownBy(house.url);
    await writeFile(cert, 'nonsense');
    await eventually('it is seen', () => house.output.includes('the former one stays'), 20_000);
    expect(await shownBy(house.url)).toBe(second);
    await write(directory, { name: 'third' });
    await eventually('the change is seen', async () => (await shownBy(house.url)) !== second, 20_000);
  });

  it('has its end among the metrics', async () => {
    const directory = await folder('metrics');
    await using house = await HouseProcess.start({ directory, flags: ['--tls-self-signed'] });
    const { cert } = selfSignedPaths(directory);
    const run = new RunningProgram(
      process.execPath,
      [
        '-e',
        `require('https').get('${house.url}/metrics', { auth: '${TEST_ADMIN.id}:${TEST_ADMIN.secret}' }, (r) => r.pipe(process.stdout))`,
      ],
      { cwd: directory, env: { ...process.env, NODE_EXTRA_CA_CERTS: cert } },
    );
    const { stdout } = await run.end;
    const ends = Number(/^statehouse_certificate_end_timestamp_seconds (\S+)$/m.exec(stdout)?.[1]);
    expect(ends * 1_000).toBe(Date.parse(new X509Certificate(await readFile(cert)).validTo));
  });
});

const [terraform, curl, aws] = await Promise.all([findTerraform(), findOnPath('curl'), findOnPath('aws')]);

describe('the clients that are told to trust a self-signed certificate', () => {
  it.skipIf(curl === null || aws === null || terraform === null)(
    'do: terraform, curl, the AWS CLI (skipped unless they are on PATH)',
    async () => {
      const directory = await folder('clients');
      await using house = await HouseProcess.start({ directory, flags: ['--tls-self-signed'] });
      const { cert } = selfSignedPaths(directory);
      const run = (program: string, words: readonly string[], env: Record<string, string>) =>
        new RunningProgram(program, words, { cwd: root, env: { ...process.env, ...env } }).end;
      const curled = await run(curl!, ['-sS', '--cacert', cert, `${house.url}/healthz`], {});
      expect(curled.code, curled.output).toBe(0);
      const listed = await run(aws!, ['--endpoint-url', house.url, 's3api', 'list-buckets'], {
        AWS_CA_BUNDLE: cert,
        AWS_ACCESS_KEY_ID: TEST_ADMIN.id,
        AWS_SECRET_ACCESS_KEY: TEST_ADMIN.secret,
        AWS_REGION: 'us-east-1',
      });
      expect(listed.code, listed.output).toBe(0);
      const main = `terraform {
        backend "http" {
          address = "${house.url}/http/app/tls"
        }
      }
      output "kept" { value = "yes" }`;
      await using tf = await TerraformFolder.make(terraform!, {
        files: { 'main.tf': main },
        env: { SSL_CERT_FILE: cert, TF_HTTP_USERNAME: TEST_ADMIN.id, TF_HTTP_PASSWORD: TEST_ADMIN.secret },
      });
      await tf.must('init');
      await tf.must('apply', '-auto-approve');
    },
    120_000,
  );
});
