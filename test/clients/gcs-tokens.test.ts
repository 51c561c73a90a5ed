import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Environment } from '../../src/ports/environment.ts';
import type { StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { PlainGcs } from './fixtures/plain-gcs.ts';

const KEYS = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const SECRET = 'a-refresh-token-that-nobody-may-see';

describe('the access token of the gcs client', () => {
  let server: PlainGcs;
  let folder: string;
  beforeEach(async () => {
    server = await PlainGcs.start();
    folder = await mkdtemp(join(tmpdir(), 'statehouse-gcs-'));
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (
    env: Environment,
    noExternal = false,
    more: Record<string, string> = {},
  ): Promise<StateClient> =>
    openClient({
      type: 'gcs',
      attributes: { bucket: 'states', storage_custom_endpoint: server.endpoint, ...more },
      folder,
      env: { HOME: folder, GCE_METADATA_HOST: '127.0.0.1:1', ...env },
      noExternal,
    });
  const authorizations = (): (string | undefined)[] =>
    server.requests
      .filter(({ url }) => url.includes('/b/states/'))
      .map(({ headers }) => headers.authorization);
  const serviceAccount = (): object => ({
    type: 'service_account',
    client_email: 'robot@project.iam.gserviceaccount.com',
    private_key_id: 'k1',
    private_key: KEYS.privateKey,
    token_uri: `${server.url}/token`,
  });

  it('is had for the key of a service account, kept, and asked for anew when it is not taken', async () => {
    server.tokens.push(
      { status: 200, answer: { access_token: 'first', expires_in: 3_600 } },
      { status: 200, answer: { access_token: 'second', expires_in: 3_600 } },
    );
    const client = await open({ GOOGLE_CREDENTIALS: JSON.stringify(serviceAccount()) });
    await client.read('default');
    server.failures.push(401);
    await client.read('default');
    expect(authorizations()).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
    const asked = server.requests.find(({ url }) => url === '/token');
    const assertion = new URLSearchParams(asked?.body.toString()).get('assertion') ?? '';
    const [head = '', claims = '', signature = ''] = assertion.split('.');
    expect(
      createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(KEYS.publicKey, signature, 'base64url'),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toEqual({
      alg: 'RS256',
      typ: 'JWT',
      kid: 'k1',
    });
    const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    expect(said).toMatchObject({
      iss: 'robot@project.iam.gserviceaccount.com',
      aud: `${server.url}/token`,
      scope: 'https://www.googleapis.com/auth/devstorage.read_write',
    });
    expect(Number(said['exp']) - Number(said['iat'])).toBe(3_600);
  });

  it('is had anew in its last minute', async () => {
    server.tokens.push(
      { status: 200, answer: { access_token: 'short', expires_in: 30 } },
      { status: 200, answer: { access_token: 'long', expires_in: 3_600 } },
    );
    await writeFile(join(folder, 'key.json'), JSON.stringify(serviceAccount()));
    const client = await open({}, false, { credentials: 'key.json' });
    await client.read('default');
    await client.read('default');
    expect(authorizations()).toEqual(['Bearer long', 'Bearer long']);
  });

  it("is had for a person's login, and for one that acts for a service account", async () => {
    const person = { type: 'authorized_user', client_id: 'i', client_secret: 's', refresh_token: SECRET };
    const source = { ...person, token_uri: `${server.url}/token` };
    await writeFile(join(folder, 'application_default_credentials.json'), JSON.stringify(source));
    server.tokens.push({ status: 200, answer: { access_token: 'mine' } });
    await (await open({ CLOUDSDK_CONFIG: folder })).read('default');
    const form = new URLSearchParams(server.requests[0]?.body.toString());
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'refresh_token',
      client_id: 'i',
      client_secret: 's',
      refresh_token: SECRET,
    });
    const robot = {
      type: 'impersonated_service_account',
      service_account_impersonation_url: `${server.url}/robot:generateAccessToken`,
      delegates: ['between@project'],
      source_credentials: source,
    };
    await writeFile(join(folder, 'robot.json'), JSON.stringify(robot));
    server.tokens.push({ status: 200, answer: { accessToken: 'its', expireTime: '2099-01-01T00:00:00Z' } });
    await (await open({ GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'robot.json') })).read('default');
    const asked = server.requests.find(({ url }) => url === '/robot:generateAccessToken');
    expect(asked?.headers.authorization).toBe('Bearer mine');
    expect(JSON.parse(asked?.body.toString() ?? '')).toMatchObject({
      delegates: ['projects/-/serviceAccounts/between@project'],
    });
    expect(authorizations()).toEqual(['Bearer mine', 'Bearer its']);
  });

  it("is had from the metadata server of Google's machines, and nobody waits for one that is not there", async () => {
    server.tokens.push({ status: 200, answer: { access_token: 'machine', expires_in: 3_600 } });
    await (await open({ GCE_METADATA_HOST: new URL(server.url).host })).read('default');
    expect(server.requests[0]?.headers['metadata-flavor']).toBe('Google');
    expect(authorizations()).toEqual(['Bearer machine']);
    const started = performance.now();
    await expect((await open({})).read('default')).rejects.toMatchObject({
      kind: 'denied',
      message: 'there are no Google credentials',
    });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('is not shown, nor is what it is had for', async () => {
    const person = { type: 'authorized_user', client_id: 'i', client_secret: 's', refresh_token: SECRET };
    const source = { ...person, token_uri: `${server.url}/token` };
    server.tokens.push({
      status: 400,
      answer: { error: 'invalid_grant', error_description: `no ${SECRET}` },
    });
    const denied = await (
      await open({ GOOGLE_CREDENTIALS: JSON.stringify(source) })
    )
      .read('default')
      .catch(String);
    expect(denied).toContain('gave no access token: HTTP 400, invalid_grant');
    expect(denied).not.toContain(SECRET);
    server.failures.push(401);
    const repeated = await (await open({ GOOGLE_OAUTH_ACCESS_TOKEN: SECRET })).read('default').catch(String);
    expect(repeated).toContain('HTTP 401, no: Bearer (the token)');
    // A key in one line, whose first character was lost.
    await expect(open({ GOOGLE_CREDENTIALS: `"private_key": "${SECRET}"}` })).rejects.toThrow(
      /^the gcs backend's credentials is neither JSON nor a file that can be read$/,
    );
  });

  it('is refused where the credentials are of another kind, broken, or sent where others can read them', async () => {
    const bad: readonly (readonly [object, string])[] = [
      [{ type: 'external_account' }, 'of the type "external_account", which is not supported'],
      [{ ...serviceAccount(), private_key: 'none' }, 'is not an RSA key in PEM'],
      [{ ...serviceAccount(), client_email: '' }, 'have no client_email'],
      [{ ...serviceAccount(), token_uri: 'http://tokens.example/token' }, 'that is not an https:// URL'],
    ];
    for (const [file, why] of bad) {
      const client = await open({ GOOGLE_CREDENTIALS: JSON.stringify(file) });
      await expect(client.read('default')).rejects.toThrow(why);
    }
    await expect(open({}, true, { credentials: 'key.json' })).rejects.toThrow(
      'which --no-external does not read',
    );
  });
});
