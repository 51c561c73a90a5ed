import { createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stateText } from '../../../src/contract/client-contract.ts';
import { openClient } from '../../../src/protocols/backends.ts';
import { makeKeyFile } from '../../../src/protocols/gcs/key-file.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Pair } from '../../support/test-admin.ts';

interface KeyFile {
  readonly private_key_id: string;
  readonly private_key: string;
  readonly client_email: string;
  readonly token_uri: string;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

describe('a key file of a service account at the gcs door', () => {
  let house: TestHouse;
  let pair: Pair;
  let file: KeyFile;

  beforeAll(async () => {
    house = await TestHouse.open();
    pair = await house.credential('robot', [{ role: 'writer', pattern: 'acme/net@*' }]);
    file = JSON.parse(makeKeyFile({ url: house.url, credential: pair })) as KeyFile;
  });
  afterAll(() => house.close());

  const now = (): number => Math.floor(Date.now() / 1_000);
  const sign = (key: KeyFile, claims: object = {}, header: object = {}): string => {
    const head = { alg: 'RS256', typ: 'JWT', kid: key.private_key_id, ...header };
    const all = { iss: key.client_email, aud: key.token_uri, iat: now(), exp: now() + 3_600, ...claims };
    const text = [head, all].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key.private_key, 'base64url')}`;
  };
  const exchange = async (
    assertion: string,
    grantType = GRANT_TYPE,
  ): Promise<{ readonly status: number; readonly answer: Readonly<Record<string, string>> }> => {
    const body = new URLSearchParams({ grant_type: grantType, assertion });
    const reply = await fetch(file.token_uri, { method: 'POST', body });
    return { status: reply.status, answer: (await reply.json()) as Record<string, string> };
  };
  const get = (path: string, token: string): Promise<Response> =>
    fetch(`${house.url}${path}`, { headers: { authorization: `Bearer ${token}` } });

  it('gives our own client what its credential may, and no more', async () => {
    const open = (bucket: string) =>
      openClient({
        type: 'gcs',
        attributes: {
          bucket,
          prefix: 'net',
          storage_custom_endpoint: `${house.url}/storage/v1/`,
          credentials: JSON.stringify(file),
        },
        folder: '/',
        env: {},
      });
    const client = await open('acme');
    await client.write('default', stateText(1, 'l'), null);
    expect(await client.read('default')).toEqual(Buffer.from(stateText(1, 'l')));
    await expect((await open('beta')).write('default', stateText(1, 'l'), null)).rejects.toMatchObject({
      kind: 'denied',
    });
  });

  it('gives a token for an hour that is not the secret', async () => {
    const { status, answer } = await exchange(sign(file));
    expect(status).toBe(200);
    expect(answer).toMatchObject({ token_type: 'Bearer' });
    expect(Number(answer['expires_in'])).toBeGreaterThan(3_500);
    const token = answer['access_token'] ?? '';
    expect(token).not.toContain(pair.secret);
    expect((await get('/storage/v1/b/acme/o', token)).status).toBe(200);
    const [id = '', secret = '', ...rest] = token.split('.');
    const others = [
      `${id}.${secret}`,
      `${id}.${secret.slice(0, -1)}x.${rest.join('.')}`,
      `${pair.id}.${secret}.${rest.join('.')}`,
      `${token.slice(0, -20)}${token.at(-20) === 'A' ? 'B' : 'A'}${token.slice(-19)}`,
    ];
    for (const other of others) expect((await get('/storage/v1/b/acme/o', other)).status).toBe(401);
  });

  it('is refused for what the credential did not make, or does not mean now', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const foreign = stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const byOther = JSON.parse(
      makeKeyFile({ url: house.url, credential: { id: pair.id, secret: 'x'.repeat(40) } }),
    ) as KeyFile;
    const changed = `A${file.private_key_id.slice(1)}`;
    const bad: readonly (readonly [string, string, number, string])[] = [
      ['another key', sign({ ...file, private_key: foreign }), 401, 'invalid_grant'],
      ["another's secret", sign(byOther), 401, 'invalid_grant'],
      ['another key ID', sign({ ...file, private_key_id: changed }), 401, 'invalid_grant'],
      ['no such credential', sign(file, { iss: 'NOSUCHCREDENTIAL0000@statehouse' }), 401, 'invalid_grant'],
      ['no account', sign(file, { iss: pair.id }), 400, 'invalid_request'],
      ['no signature', sign(file, {}, { alg: 'none' }), 400, 'invalid_request'],
      ['another algorithm', sign(file, {}, { alg: 'HS256' }), 400, 'invalid_request'],
      ['another audience', sign(file, { aud: 'https://oauth2.example/token' }), 400, 'invalid_grant'],
      ['expired', sign(file, { iat: now() - 7_200, exp: now() - 3_600 }), 400, 'invalid_grant'],
      ['of the future', sign(file, { iat: now() + 3_600, exp: now() + 7_200 }), 400, 'invalid_grant'],
      ['too long', sign(file, { exp: now() + 86_400 }), 400, 'invalid_grant'],
      ['no JWT', 'a.b', 400, 'invalid_request'],
      ['too large', 'a'.repeat(20_000), 400, 'unsupported_grant_type'],
    ];
    for (const [what, assertion, status, error] of bad) {
      const got = await exchange(assertion);
      expect([what, got.status, got.answer['error']]).toEqual([what, status, error]);
      expect(JSON.stringify(got.answer)).not.toContain(pair.secret);
    }
    expect((await exchange(sign(file), 'password')).answer['error']).toBe('unsupported_grant_type');
    expect((await fetch(file.token_uri)).status).toBe(405);
  });
});
