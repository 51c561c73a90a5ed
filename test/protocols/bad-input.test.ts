import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signatureOf } from '../../src/protocols/azurerm/sas-text.ts';
import { makeKeyFile } from '../../src/protocols/gcs/key-file.ts';
import { addressAt, lockAt } from '../e2e/fixtures/view.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { comeFromElsewhere, type Answer } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';

type Headers = Readonly<Record<string, string>>;
type Name = 'gcs' | 'azurerm' | 'consul';

const NOBODY: Pair = { id: 'nobody', secret: 'atall' };
const LIMIT = 1024 * 1024;
const MINUTE = 60_000;

let house: TestHouse;
let writer: Pair;
let holder: Pair;
let expired: Pair;
let revoked: Pair;
/** A session that was destroyed. */
let goneSession = '';

/** Of each door two states: one that is free, and one that is locked by another. */
const NAMES: readonly Name[] = ['gcs', 'azurerm', 'consul'];
const pathOf = (door: Name, which: string): string => `acme/bad/${door}-${which}`;

const token = ({ id, secret }: Pair): string => `${id}.${secret}`;
const send = (method: string, target: string, headers: Headers, body?: string): Promise<Answer> =>
  house.ask(method, target, { as: null, headers, ...(body === undefined ? {} : { body }) });

/** A request to each door as its clients write one. */
const OBJECTS = '/storage/v1/b/acme/o';
const objectOf = (key: string, suffix = 'tfstate'): string => encodeURIComponent(`${key}/default.${suffix}`);
const gcs = (method: string, target: string, as = writer, body?: string): Promise<Answer> =>
  send(method, target, { authorization: `Bearer ${token(as)}` }, body);
const gcsPut = (name: string, body: string, more = '', as = writer): Promise<Answer> =>
  gcs('POST', `/upload${OBJECTS}?uploadType=media&name=${name}${more}`, as, body);

const accountOf = ({ id }: Pair): string => id.toLowerCase();
const blobOf = (path: string): string => `/azure/${accountOf(writer)}/${path}`;
const VERSION = { 'x-ms-version': '2023-11-03' };
const azure = (
  method: string,
  target: string,
  { as = writer, headers = {}, body }: { as?: Pair; headers?: Headers; body?: string } = {},
): Promise<Answer> =>
  send(
    method,
    target,
    {
      authorization: `Bearer ${token(as)}`,
      ...VERSION,
      ...(body === undefined && method !== 'GET' ? { 'content-length': '0' } : {}),
      ...headers,
    },
    body,
  );
const azurePut = (path: string, body: string, headers: Headers = {}): Promise<Answer> =>
  azure('PUT', blobOf(path), { body, headers: { 'x-ms-blob-type': 'BlockBlob', ...headers } });
const lease = (path: string, action: string, headers: Headers, as = writer): Promise<Answer> =>
  azure('PUT', `${blobOf(path)}?comp=lease`, { as, headers: { 'x-ms-lease-action': action, ...headers } });
const sharedKey = (
  path: string,
  { secret, date, account }: { secret: string; date: Date; account: string },
) => {
  const headers = { 'x-ms-date': date.toUTCString(), ...VERSION };
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const text = `GET\n\n\n\n\n\n\n\n\n\n\n\n${lines.join('')}/${account}${path}`;
  return send('GET', path, {
    ...headers,
    authorization: `SharedKey ${account}:${signatureOf(secret, text).toString('base64')}`,
  });
};
const form = (target: string, fields: Record<string, string>): Promise<Answer> =>
  send(
    'POST',
    target,
    { 'content-type': 'application/x-www-form-urlencoded' },
    new URLSearchParams(fields).toString(),
  );

const consul = (method: string, target: string, as = writer, body?: string): Promise<Answer> =>
  send(method, `/v1/${target}`, { 'x-consul-token': token(as) }, body);
const newSession = async (as: Pair): Promise<string> => {
  const made = await consul('PUT', 'session/create', as, '{"TTL":"60s"}');
  return (JSON.parse(made.text) as { ID: string }).ID;
};

/** An assertion as Google's clients sign one with a key file. */
const assertion = async (
  change: (claims: Record<string, number>) => object,
  isForeign = false,
): Promise<Answer> => {
  const file = JSON.parse(makeKeyFile({ url: house.url, credential: writer })) as Record<string, string>;
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: file['client_email'],
    aud: file['token_uri'],
    ...change({ iat: now, exp: now + 3_600 }),
  };
  const head = { alg: 'RS256', typ: 'JWT', kid: file['private_key_id'] };
  const text = [head, claims].map((one) => Buffer.from(JSON.stringify(one)).toString('base64url')).join('.');
  const key = isForeign ? foreign : (file['private_key'] ?? '');
  return form('/gcs/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`,
  });
};

const FREE_OBJECT = objectOf('bad/gcs-free');
const HELD_OBJECT = objectOf('bad/gcs-held');
const HELD_LOCK = objectOf('bad/gcs-held', 'tflock');
const FREE_BLOB = pathOf('azurerm', 'free');
const HELD_BLOB = pathOf('azurerm', 'held');
const FREE_KEY = `kv/${pathOf('consul', 'free')}`;
const HELD_KEY = `kv/${pathOf('consul', 'held')}`;
const STATE_2 = sampleState(2);
const BIG = sampleState(2, { size: LIMIT + 1_000 });

/** What is wrong, who is asked how, what the status is, and what stands in the answer: its code in the service's own form first. */
type Line = readonly [what: string, ask: () => Promise<Answer>, status: number, code: string, words?: string];

const LINES: Readonly<Record<Name, readonly Line[]>> = {
  gcs: [
    ['a wrong credential', () => gcs('GET', OBJECTS, NOBODY), 401, 'authError', 'ID.SECRET'],
    ['an expired credential', () => gcs('GET', OBJECTS, expired), 401, 'authError', 'expired'],
    ['a revoked credential', () => gcs('GET', OBJECTS, revoked), 401, 'authError'],
    ['a wrong signature', () => assertion((claims) => claims, true), 401, 'invalid_grant'],
    [
      'a clock that is ahead',
      () => assertion(({ iat = 0, exp = 0 }) => ({ iat: iat + 3_600, exp: exp + 3_600 })),
      400,
      'invalid_grant',
      'clock',
    ],
    ["another's bucket", () => gcs('GET', '/storage/v1/b/other/o'), 403, 'forbidden'],
    ['compose', () => gcs('POST', `${OBJECTS}/${FREE_OBJECT}/compose`, writer, '{}'), 501, 'notImplemented'],
    ['HMAC keys', () => gcs('GET', '/storage/v1/projects/p/hmacKeys'), 501, 'notImplemented', 'hmacKeys'],
    ['a body that is no state', () => gcsPut(FREE_OBJECT, 'hello'), 400, 'invalid'],
    ["a write beside another's lock", () => gcsPut(HELD_OBJECT, STATE_2), 409, 'conflict', 'is locked'],
    [
      "a release of another's lock",
      () => gcs('DELETE', `${OBJECTS}/${HELD_LOCK}?ifGenerationMatch=999`),
      412,
      'conditionNotMet',
    ],
    [
      "the lock that is another's",
      () => gcsPut(HELD_LOCK, sampleLock('mine'), '&ifGenerationMatch=0'),
      412,
      'conditionNotMet',
      'held by',
    ],
    [
      'another generation',
      () => gcsPut(FREE_OBJECT, STATE_2, '&ifGenerationMatch=999'),
      412,
      'conditionNotMet',
    ],
    [
      'a generation of the future',
      () => gcs('GET', `${OBJECTS}/${FREE_OBJECT}?alt=media&generation=999`),
      404,
      'notFound',
    ],
    [
      'an upload that is gone',
      () => gcs('PUT', `/upload${OBJECTS}?uploadType=resumable&name=x&upload_id=gone`, writer, STATE_2),
      404,
      'notFound',
    ],
    ['a body that is too large', () => gcsPut(FREE_OBJECT, BIG), 413, 'uploadTooLarge'],
    ['a way up', () => gcsPut('bad%2F..%2Fx%2Fdefault.tfstate', STATE_2), 400, 'invalid', 'segment'],
    ['an escape that is no UTF-8', () => gcsPut('bad%2F%ff%2Fdefault.tfstate', STATE_2), 400, 'invalid'],
    ['a zero byte', () => gcsPut('bad%2Fx%00%2Fdefault.tfstate', STATE_2), 400, 'invalid'],
  ],
  azurerm: [
    [
      'a wrong credential',
      () => azure('GET', blobOf(FREE_BLOB), { as: NOBODY }),
      403,
      'AuthenticationFailed',
    ],
    [
      'an expired credential',
      () => azure('GET', blobOf(FREE_BLOB), { as: expired }),
      403,
      'AuthenticationFailed',
    ],
    [
      'a revoked credential',
      () => azure('GET', blobOf(FREE_BLOB), { as: revoked }),
      403,
      'AuthenticationFailed',
    ],
    [
      'a wrong signature',
      () => sharedKey(blobOf(FREE_BLOB), { secret: 'AAAA', date: new Date(), account: accountOf(writer) }),
      403,
      'AuthenticationFailed',
      'the access key or its signature is wrong',
    ],
    [
      'a clock that is behind',
      () =>
        sharedKey(blobOf(FREE_BLOB), {
          secret: writer.secret,
          date: new Date(Date.now() - 16 * MINUTE),
          account: accountOf(writer),
        }),
      403,
      'AuthenticationFailed',
      'set the clock of the client',
    ],
    [
      'another account',
      () =>
        sharedKey(`/azure/another/${FREE_BLOB}`, {
          secret: writer.secret,
          date: new Date(),
          account: accountOf(writer),
        }),
      403,
      'AuthenticationFailed',
      'of another account',
    ],
    ["another's container", () => azure('GET', blobOf('other/net')), 403, 'AuthorizationPermissionMismatch'],
    ['tags', () => azure('PUT', `${blobOf(FREE_BLOB)}?comp=tags`), 400, 'NotSupported', 'backend "azurerm"'],
    [
      'a key for user delegation',
      () => azure('POST', `/azure/${accountOf(writer)}/?restype=service&comp=userdelegationkey`),
      400,
      'NotSupported',
      'userdelegationkey',
    ],
    [
      'a signature of user delegation',
      () => send('GET', `${blobOf(FREE_BLOB)}?sv=2023-11-03&sr=b&sp=r&skoid=u&sktid=t&sig=AAAA`, VERSION),
      403,
      'AuthenticationFailed',
      'statehouse config azurerm',
    ],
    [
      'a federated token',
      () =>
        form('/adfs/oauth2/v2.0/token', {
          grant_type: 'client_credentials',
          client_id: writer.id,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: 'a.b.c',
        }),
      400,
      'unauthorized_client',
      'set client_id and client_secret',
    ],
    ['a body that is no state', () => azurePut(FREE_BLOB, 'hello'), 400, 'InvalidInput'],
    ["a write beside another's lease", () => azurePut(HELD_BLOB, STATE_2), 412, 'LeaseIdMissing'],
    [
      'a write under a lease of another ID',
      () => azurePut(HELD_BLOB, STATE_2, { 'x-ms-lease-id': randomUUID() }),
      412,
      'LeaseIdMismatchWithBlobOperation',
    ],
    [
      "the lease that is another's",
      () => lease(HELD_BLOB, 'acquire', { 'x-ms-lease-duration': '-1' }),
      409,
      'LeaseAlreadyPresent',
      'held by',
    ],
    [
      'a release under another ID',
      () => lease(HELD_BLOB, 'release', { 'x-ms-lease-id': randomUUID() }),
      409,
      'LeaseIdMismatchWithLeaseOperation',
    ],
    [
      "a break of another's lease",
      () => lease(HELD_BLOB, 'break', {}),
      403,
      'AuthorizationPermissionMismatch',
    ],
    [
      'the renewal of a lease that is gone',
      () => lease(FREE_BLOB, 'renew', { 'x-ms-lease-id': randomUUID() }),
      409,
      'LeaseNotPresentWithLeaseOperation',
    ],
    ['another ETag', () => azurePut(FREE_BLOB, STATE_2, { 'if-match': '"0x1"' }), 412, 'ConditionNotMet'],
    [
      'a version of the future',
      () => azure('GET', `${blobOf(FREE_BLOB)}?versionid=2099-01-01T00:00:00.0000009Z`),
      404,
      'BlobNotFound',
    ],
    ['a body that is too large', () => azurePut(FREE_BLOB, BIG), 413, 'RequestBodyTooLarge'],
    ['a way up', () => azurePut('acme/bad/..%2Fx', STATE_2), 400, 'InvalidResourceName', '".." segment'],
    ['an escape that is no UTF-8', () => azurePut('acme/bad/%ff', STATE_2), 400, 'InvalidInput', 'UTF-8'],
    ['a zero byte', () => azurePut('acme/bad/x%00', STATE_2), 400, 'InvalidResourceName'],
  ],
  consul: [
    ['a wrong credential', () => consul('GET', FREE_KEY, NOBODY), 403, 'Permission denied', 'ID.SECRET'],
    ['an expired credential', () => consul('GET', FREE_KEY, expired), 403, 'Permission denied', 'expired'],
    ['a revoked credential', () => consul('GET', FREE_KEY, revoked), 403, 'Permission denied'],
    ['another datacenter', () => consul('GET', `${FREE_KEY}?dc=dc2`), 501, 'No path to datacenter "dc2"'],
    ["another's project", () => consul('GET', 'kv/other/net'), 403, 'Permission denied'],
    ['services', () => consul('GET', 'catalog/services'), 501, 'not supported', 'backend "consul"'],
    ['prepared queries', () => consul('POST', 'query', writer, '{}'), 501, 'not supported'],
    [
      'a body that is no state',
      () => consul('PUT', FREE_KEY, writer, 'hello'),
      400,
      'the body is not a JSON object',
    ],
    ["a write beside another's lock", () => consul('PUT', HELD_KEY, writer, STATE_2), 409, 'is locked'],
    [
      "the lock that is another's",
      async () => consul('PUT', `${HELD_KEY}/.lock?acquire=${await newSession(writer)}`),
      200,
      'false',
    ],
    [
      "a release of another's lock",
      async () => consul('PUT', `${HELD_KEY}/.lock?release=${await newSession(writer)}`),
      200,
      'false',
    ],
    ["the deletion of another's lock", () => consul('DELETE', `${HELD_KEY}/.lock`), 403, 'Permission denied'],
    [
      'a session that is gone',
      () => consul('PUT', `${FREE_KEY}/.lock?acquire=${goneSession}`),
      500,
      'invalid session',
    ],
    ['the renewal of one', () => consul('PUT', `session/renew/${goneSession}`), 404, ''],
    ['another index', () => consul('PUT', `${FREE_KEY}?cas=999`, writer, STATE_2), 200, 'false'],
    ['an index of the future', () => consul('GET', `${FREE_KEY}?index=999&wait=60s`), 200, '"ModifyIndex":2'],
    ['an index that is none', () => consul('GET', `${FREE_KEY}?index=soon`), 400, 'invalid index'],
    ['a body that is too large', () => consul('PUT', FREE_KEY, writer, BIG), 413, 'exceeds the limit'],
    ['a way up', () => consul('PUT', 'kv/acme/bad/..%2Fx', writer, STATE_2), 400, '".." segment'],
    ['an escape that is no UTF-8', () => consul('PUT', 'kv/acme/%ff', writer, STATE_2), 400, 'UTF-8'],
    ['a zero byte', () => consul('PUT', 'kv/acme/x%00', writer, STATE_2), 400, 'control characters'],
  ],
};

/** What a client of the service finds an error by. */
const CODE_OF: Readonly<Record<Name, (answer: Answer) => string>> = {
  gcs: ({ text }) => {
    const { error } = JSON.parse(text) as { error: string | { errors: readonly { reason: string }[] } };
    return typeof error === 'string' ? error : (error.errors[0]?.reason ?? '');
  },
  azurerm: ({ text, headers }) => {
    const code = headers['x-ms-error-code'];
    if (code === undefined) return (JSON.parse(text) as { error: string }).error;
    expect(text).toContain(`<Code>${String(code)}</Code>`);
    return String(code);
  },
  consul: ({ text }) => text,
};

beforeAll(async () => {
  house = await TestHouse.open({ stateBytesMax: LIMIT });
  const grants = [{ role: 'writer', pattern: 'acme/bad/*@*' }] as const;
  const expiresAt = Date.now() + 400;
  [writer, holder, revoked, expired] = await Promise.all([
    house.credential('writer', grants),
    house.credential('holder', grants),
    house.credential('revoked', grants),
    house.credential('expired', grants, expiresAt),
  ]);
  await house.house.credentials.revoke(ADMIN_CALLER, revoked.id);
  for (const door of NAMES)
    for (const which of ['free', 'held'])
      await house.ask('POST', `/http/${pathOf(door, which)}`, { body: sampleState(1) });
  await gcsPut(HELD_LOCK, sampleLock(randomUUID()), '&ifGenerationMatch=0', holder);
  await lease(HELD_BLOB, 'acquire', { 'x-ms-lease-duration': '-1' }, holder);
  await consul('PUT', `${HELD_KEY}/.lock?acquire=${await newSession(holder)}`, holder);
  goneSession = await newSession(writer);
  await consul('PUT', `session/destroy/${goneSession}`);
  await sleep(Math.max(0, expiresAt - Date.now() + 50));
});
afterAll(() => house.close());

describe.each(NAMES)('what is wrong at the %s door', (door) => {
  const kept = async (which: string): Promise<object> => ({
    state: (await house.ask('GET', `/http/${pathOf(door, which)}`, { as: TEST_ADMIN })).text,
    versions: (await house.engine.versions(addressAt(pathOf(door, which)), { limit: 9 })).length,
    holders: (await lockAt(house, pathOf(door, which))).holders.map(({ subject }) => subject),
  });

  for (const [what, ask, status, code, words = ''] of LINES[door]) {
    it(`is refused in its own form, and loses nothing: ${what}`, async () => {
      // Whoever comes with many wrong credentials from one address is put off.
      comeFromElsewhere();
      const answer = await ask();
      expect([answer.status, CODE_OF[door](answer)], answer.text).toEqual([
        status,
        door === 'consul' ? expect.stringContaining(code) : code,
      ]);
      expect(answer.text).toContain(words);
      for (const { secret } of [writer, holder, expired, revoked, TEST_ADMIN])
        expect(answer.text).not.toContain(secret);
    });
  }

  it('has left both states and the lock as they were', async () => {
    expect(await kept('free')).toEqual({ state: sampleState(1), versions: 1, holders: [] });
    expect(await kept('held')).toEqual({
      state: sampleState(1),
      versions: 1,
      holders: [expect.stringContaining('holder')],
    });
  });
});
