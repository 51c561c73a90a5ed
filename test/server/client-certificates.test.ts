import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../src/server/configuration.ts';
import { SETTINGS, type Settings } from '../../src/server/settings.ts';
import { namesOf } from '../../src/server/client-certificate.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { basic } from '../support/request.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';

interface Pem {
  readonly cert: string;
  readonly key: string;
}

let root = '';
let authority: Pem;
let build: Pem;
let stranger: Pem;

/** A certificate of a client, or of an authority that signs itself. */
async function issue(name: string, altNames: readonly object[], by: Pem | null): Promise<Pem> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: by === null, critical: true },
      ...(by === null
        ? [{ name: 'keyUsage', keyCertSign: true, critical: true } as const]
        : [{ name: 'extKeyUsage', clientAuth: true } as const]),
      ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName', altNames } as never]),
    ],
    ...(by === null ? {} : { ca: by }),
  });
  return { cert, key };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'statehouse-client-certificates-'));
  authority = await issue('authority', [], null);
  const dns = [{ type: 2, value: 'build.example.com' }];
  build = await issue('build', dns, authority);
  stranger = await issue('build', dns, await issue('authority', [], null));
  await writeFile(join(root, 'ca.pem'), authority.cert);
});

afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));

async function open(name: string, clientCertificates: 'optional' | 'required'): Promise<TestHouse> {
  return TestHouse.open({
    store: { kind: 'directory', path: join(root, name) },
    tls: { kind: 'self-signed' },
    clientCa: join(root, 'ca.pem'),
    clientCertificates,
  });
}

function ask(
  house: TestHouse,
  path: string,
  client: Pem | null,
  more: { method?: string; body?: string; as?: string } = {},
) {
  const { method = 'GET', body, as } = more;
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(
      `${house.url}${path}`,
      {
        method,
        rejectUnauthorized: false,
        agent: false,
        ...client,
        headers: {
          ...(as === undefined ? {} : { authorization: as }),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, text: said }), reject);
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

describe('a client certificate', () => {
  it('stands for the credential of its name, with its grants, until that is revoked', async () => {
    await using house = await open('optional', 'optional');
    const name = 'cert:dns:build.example.com';
    expect((await ask(house, '/http/app/net', build)).status).toBe(401);
    const { id } = await house.credential(name, [{ role: 'writer', pattern: 'app/*' }]);
    const put = { method: 'POST', body: sampleState(1) };
    expect((await ask(house, '/http/app/net', build, put)).status).toBe(200);
    expect((await ask(house, '/http/other/net', build, put)).status).toBe(403);
    expect(JSON.parse((await ask(house, '/api/v1/whoami', build)).text)).toMatchObject({
      subject: `token:${name}`,
    });
    // A credential that is shown counts, and a wrong one is not mended by a certificate.
    const admin = { as: basic(TEST_ADMIN) };
    expect((await ask(house, '/http/other/net', build, { ...put, ...admin })).status).toBe(200);
    expect((await ask(house, '/http/app/net', build, { as: basic({ id, secret: 'wrong' }) })).status).toBe(
      401,
    );
    // Of another authority, or none: as if there were no certificate.
    for (const client of [stranger, null]) {
      expect((await ask(house, '/http/app/net', client)).status).toBe(401);
      expect((await ask(house, '/http/app/net', client, admin)).status).toBe(200);
    }
    const revoked = await ask(house, `/api/v1/credentials/${id}`, null, { method: 'DELETE', ...admin });
    expect(revoked.status, revoked.text).toBe(200);
    expect((await ask(house, '/http/app/net', build)).status).toBe(401);
  });

  it('can be demanded of every client', async () => {
    await using house = await open('required', 'required');
    expect((await ask(house, '/healthz', build)).status).toBe(200);
    for (const client of [stranger, null]) await expect(ask(house, '/healthz', client)).rejects.toThrow();
  });

  it('has the names that its authority gave it, and none that pretend to be several', () => {
    expect(namesOf('DNS:a.b, URI:spiffe://x/y, email:c@d, IP Address:1.2.3.4', 'cn')).toEqual([
      'cert:uri:spiffe://x/y',
      'cert:dns:a.b',
      'cert:email:c@d',
    ]);
    expect(namesOf('', 'build')).toEqual(['cert:cn:build']);
    expect(namesOf('URI:"http://a/, DNS:admin.example.com"', 'cn')).toEqual([]);
    expect(namesOf('IP Address:1.2.3.4', 'cn')).toEqual([]);
  });

  it('needs TLS and an authority', () => {
    const given = (more: Partial<Settings>) =>
      configure({
        ...(Object.fromEntries(
          Object.entries(SETTINGS).map(([key, { read }]) => [key, read(undefined)]),
        ) as unknown as Settings),
        ...more,
      });
    expect(given({ tlsClientCa: 'x' })).toMatchObject({ problem: expect.stringContaining('needs TLS') });
    expect(given({ tlsClientRequired: true, tlsSelfSigned: true })).toMatchObject({
      problem: expect.stringContaining('--tls-client-ca is missing'),
    });
    expect(given({ tlsClientCa: 'x', tlsClientRequired: true, tlsSelfSigned: true })).toMatchObject({
      clientCertificates: 'required',
    });
  });
});

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'terraform with a client certificate (skipped unless it is on PATH)',
  () => {
    it('keeps its state without any other credential', async () => {
      await using house = await open('terraform', 'required');
      await house.credential('cert:dns:build.example.com', [{ role: 'writer', pattern: 'app/*' }]);
      const at = `${house.url}/http/app/net`;
      const main = `terraform {
      backend "http" {
        address        = "${at}"
        lock_address   = "${at}"
        unlock_address = "${at}"
        skip_cert_verification = true
      }
    }
    output "kept" { value = "yes" }`;
      await using folder = await TerraformFolder.make(terraform!, {
        files: { 'main.tf': main },
        env: { TF_HTTP_CLIENT_CERTIFICATE_PEM: build.cert, TF_HTTP_CLIENT_PRIVATE_KEY_PEM: build.key },
      });
      await folder.must('init');
      await folder.must('apply', '-auto-approve');
      expect(await folder.must('output', '-raw', 'kept')).toBe('yes');
    }, 120_000);
  },
);
