import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stateText } from '../../src/contract/client-contract.ts';
import type { StateClient } from '../../src/ports/state-client.ts';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { readGcsConfig } from '../../src/protocols/gcs/client/config.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { LossyProxy } from '../e2e/fixtures/lossy-proxy.ts';
import { FakeGcsServer, findFakeGcs } from '../support/fake-gcs-server.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { PlainGcs } from './fixtures/plain-gcs.ts';

const AT_ONCE = { milliseconds: 0, signal: null };
const KEY = Buffer.alloc(32, 7).toString('base64');

describe('the gcs configuration', () => {
  const read = (attributes: BackendAttributes, env: Record<string, string> = {}, noExternal = false) =>
    readGcsConfig(attributes, { env, folder: '/', noExternal });

  it('is read with its defaults, and from the environment', () => {
    expect(read({ bucket: 'b', prefix: '/net/app' })).toMatchObject({
      place: { bucket: 'b', prefix: 'net/app/' },
      endpoint: new URL('https://storage.googleapis.com/storage/v1/'),
      isCustom: false,
      login: { type: 'ambient' },
    });
    const env = {
      GOOGLE_STORAGE_CUSTOM_ENDPOINT: 'http://x:1/storage/v1',
      GOOGLE_OAUTH_ACCESS_TOKEN: 't',
      GOOGLE_ENCRYPTION_KEY: KEY,
      GOOGLE_IMPERSONATE_SERVICE_ACCOUNT: 'robot@project',
    };
    expect(read({ bucket: 'b', impersonate_service_account_delegates: ['d'] }, env)).toMatchObject({
      place: { prefix: '' },
      endpoint: new URL('http://x:1/storage/v1/'),
      isCustom: true,
      login: { type: 'token', token: 't' },
      encryptionKey: KEY,
      impersonate: { account: 'robot@project', delegates: ['d'] },
    });
    expect(read({ bucket: 'b' }, { STORAGE_EMULATOR_HOST: 'localhost:4443' })).toMatchObject({
      endpoint: new URL('http://localhost:4443/storage/v1/'),
      login: { type: 'none' },
    });
  });

  it('is refused where terraform refuses it', () => {
    const bad: readonly (readonly [BackendAttributes, string])[] = [
      [{}, 'needs "bucket"'],
      [{ bucket: 'b', storage_custom_endpoint: 'storage' }, 'is not a URL that begins with'],
      [{ bucket: 'b', encryption_key: KEY, kms_encryption_key: 'k' }, 'not both'],
      [{ bucket: 'b', encryption_key: 'c2hvcnQ=' }, 'is neither 32 bytes in base64 nor a file'],
      [{ bucket: 'b', encryption_key: '/dev/null' }, 'encryption_key is not 32 bytes in base64'],
    ];
    for (const [attributes, why] of bad) expect(() => read(attributes)).toThrow(why);
    expect(() => read({ bucket: 'b', encryption_key: '/dev/null' }, {}, true)).toThrow('--no-external');
  });
});

describe('states in Cloud Storage', () => {
  let server: PlainGcs;
  beforeEach(async () => {
    server = await PlainGcs.start();
  });
  afterEach(() => server.close());

  const open = (more: BackendAttributes = {}): Promise<StateClient> =>
    openClient({
      type: 'gcs',
      attributes: {
        bucket: 'states',
        prefix: 'net/app',
        storage_custom_endpoint: server.endpoint,
        access_token: 't',
        ...more,
      },
      folder: '/',
      env: {},
    });
  const paths = (): string[] => server.requests.map(({ method, url }) => `${method} ${url.split('?')[0]}`);

  it('are asked for again when the server is busy', async () => {
    server.put('net/app/default.tfstate', 'text');
    server.failures.push(503, 429);
    expect(Buffer.from((await (await open()).read('default')) ?? []).toString()).toBe('text');
    expect(server.requests.length).toBe(3);
    expect(server.requests.at(-1)?.headers['x-goog-api-client']).toContain('gccl-attempt-count/3');
  });

  it('are written once, though the answer is lost', async () => {
    server.put('net/app/default.tfstate', 'before');
    const client = await open();
    server.failures.push('fine', 'lost');
    // This server tells no MD5 by which the write could be known again.
    await expect(client.write('default', stateText(2, 'l'), null)).rejects.toMatchObject({ kind: 'refused' });
    expect(server.live('net/app/default.tfstate')?.bytes.equals(stateText(2, 'l'))).toBe(true);
    expect((await client.history?.list('default', 9))?.length).toBe(2);
    server.tellsMd5 = true;
    server.failures.push('fine', 'lost');
    await client.write('default', stateText(3, 'l'), null);
    expect((await client.history?.list('default', 9))?.length).toBe(3);
  });

  it('are not written over what another wrote at the same moment', async () => {
    const client = await open();
    server.put('net/app/default.tfstate', 'before');
    server.between = () => server.put('net/app/default.tfstate', 'of another');
    await expect(client.write('default', stateText(2, 'l'), null)).rejects.toMatchObject({ kind: 'refused' });
    expect(server.live('net/app/default.tfstate')?.bytes.toString()).toBe('of another');
  });

  it('are locked and released once, though the answers are lost', async () => {
    const client = await open();
    server.failures.push('lost');
    const attempt = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    if (attempt.type !== 'locked') throw new Error(attempt.message);
    expect(attempt.lock.id).toBe(server.live('net/app/default.tflock')?.generation);
    // It has more digits than a number of JavaScript's keeps.
    expect(await client.inspectLock('default')).toMatchObject({ holder: { id: attempt.lock.id } });
    server.failures.push('fine', 'lost');
    expect(await attempt.lock.release()).toEqual({ type: 'released' });
    expect(await client.inspectLock('default')).toEqual({ type: 'free' });
  });

  it("are worked on under a lock of one's own that stayed, by its generation", async () => {
    const client = await open();
    const first = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    if (first.type !== 'locked') throw new Error(first.message);
    const ask = (id: string) => client.lock('default', { ...makeLockRequest('push', '0'), id }, AT_ONCE);
    expect(await ask('12345')).toMatchObject({ type: 'held', holder: { id: first.lock.id } });
    const again = await ask(first.lock.id);
    if (again.type !== 'locked') throw new Error(again.message);
    expect(await again.lock.release()).toEqual({ type: 'released' });
    expect(await ask(first.lock.id)).toMatchObject({ type: 'held' });
    expect(server.live('net/app/default.tflock')).toBeUndefined();
  });

  it('leave no lock behind when somebody stops asking for it', async () => {
    const client = await open();
    const stop = new AbortController();
    server.between = () => stop.abort();
    const asking = client.lock('default', makeLockRequest('test', '0'), {
      milliseconds: 0,
      signal: stop.signal,
    });
    await expect(asking).rejects.toThrow();
    expect(server.live('net/app/default.tflock')).toBeUndefined();
  });

  it('keep the lock of another, whatever ID is named', async () => {
    const client = await open();
    const generation = server.put('net/app/default.tflock', '{"ID":"x","Crea');
    expect(await client.inspectLock('default')).toMatchObject({
      type: 'unreadable',
      message: expect.stringContaining(generation) as string,
    });
    expect(await client.lock('default', makeLockRequest('test', '0'), AT_ONCE)).toMatchObject({
      type: 'held',
      holder: null,
    });
    expect(await client.breakLock('default', '1')).toMatchObject({ type: 'other-id' });
    expect(await client.breakLock('default', 'x')).toMatchObject({ type: 'other-id' });
    expect(await client.breakLock('default', generation)).toEqual({ type: 'broken' });
  });

  it("go with the customer's key, and their locks without it", async () => {
    const client = await open({ encryption_key: KEY });
    await client.createWorkspace('dev', makeLockRequest('test', '0'));
    await client.read('dev');
    const sha256 = createHash('sha256').update(Buffer.alloc(32, 7)).digest('base64');
    for (const { url, headers, body } of server.requests) {
      const isState = `${url} ${body.toString('latin1', 0, 400)}`.includes('dev.tfstate');
      expect(headers['x-goog-encryption-key']).toBe(isState ? KEY : undefined);
      expect(headers['x-goog-encryption-key-sha256']).toBe(isState ? sha256 : undefined);
    }
    expect(paths().some((path) => path.includes('dev.tfstate'))).toBe(true);
  });

  it('have a history', async () => {
    const client = await open();
    for (const serial of [1, 2, 3]) await client.write('default', stateText(serial, 'l'), null);
    server.put('net/app/default.tfstate.backup', 'another object');
    const versions = (await client.history?.list('default', 2)) ?? [];
    expect(versions.length).toBe(2);
    const bytes = await client.history?.read('default', versions[1]?.id ?? '');
    expect(Buffer.from(bytes ?? []).equals(stateText(2, 'l'))).toBe(true);
    expect(await client.history?.read('default', '../x')).toBeNull();
    expect(await client.history?.read('default', '1')).toBeNull();
  });

  it("send no token to the API of a server that is no Statehouse's", async () => {
    const client = await open({ access_token: 'an-emulators.token' });
    expect(await client.server?.('default')).toMatchObject({ credential: null });
  });

  it('say that the bucket is missing, or that nobody answers', { timeout: 30_000 }, async () => {
    await expect((await open({ bucket: 'none' })).read('default')).rejects.toMatchObject({
      kind: 'missing',
      message: 'there is no bucket "none"',
    });
    // A bucket's name may be any word.
    const sameWord = await open({ prefix: 'the-bucket' });
    expect(await sameWord.read('default')).toBeNull();
    const dead = await open({ storage_custom_endpoint: 'http://127.0.0.1:1/storage/v1/' });
    await expect(dead.read('default')).rejects.toMatchObject({ kind: 'unreachable' });
    server.failures.push(403);
    await expect((await open()).read('default')).rejects.toMatchObject({ kind: 'denied' });
  });

  it('are examined: versions, retention, public access', async () => {
    const topics = async (bucket: object, policy: object | null = null): Promise<string[]> => {
      Object.assign(server, { bucket, policy });
      return (await (await open()).examine()).map(({ level, topic }) => `${level} ${topic}`);
    };
    const closed = { iamConfiguration: { publicAccessPrevention: 'enforced' } };
    expect(await topics({ ...closed, versioning: { enabled: true } })).toEqual([
      'good versioning',
      'good public access',
    ]);
    expect(
      await topics({
        softDeletePolicy: { retentionDurationSeconds: '604800' },
        retentionPolicy: { retentionPeriod: '86400' },
      }),
    ).toEqual(['warning versioning', 'good soft delete', 'problem retention', 'hint public access']);
    const open_ = { bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'] }] };
    expect(await topics({ defaultEventBasedHold: true }, open_)).toEqual([
      'warning versioning',
      'problem retention',
      'problem public access',
    ]);
    server.failures.push(403);
    expect(await topics({})).toEqual(['hint versioning']);
  });
});

describe('a state of 20 MB at the gcs door of a house', () => {
  it('is written in pieces, read back, and in the history', { timeout: 60_000 }, async () => {
    const house = await TestHouse.open();
    const client = await openClient({
      type: 'gcs',
      attributes: {
        bucket: 'acme',
        prefix: 'big',
        storage_custom_endpoint: `${house.url}/storage/v1/`,
        access_token: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
      },
      folder: '/',
      env: {},
    });
    const bytes = bigState(1);
    await client.write('default', bytes, null);
    expect(Buffer.from((await client.read('default')) ?? []).equals(bytes)).toBe(true);
    await client.write('default', stateText(2, 'l'), null);
    expect((await client.history?.list('default', 9))?.map(({ id }) => id)).toEqual(['2', '1']);
    expect(await client.server?.('default')).toMatchObject({
      url: house.url,
      address: { project: 'acme', key: 'big', workspace: 'default' },
      credential: TEST_ADMIN,
    });
    const oldest = await client.history?.read('default', '1');
    expect(oldest?.length).toBe(bytes.length);
    // Whatever refuses, the reason comes through.
    await expect(client.write('default', stateText(1, 'l'), null)).rejects.toMatchObject({ kind: 'refused' });
    await client.close();
    await house.close();
  });
});

it('a state in pieces is written once, whichever piece or answer is lost', { timeout: 60_000 }, async () => {
  const house = await TestHouse.open();
  await using proxy = await LossyProxy.open(house.url);
  const attributes = {
    bucket: 'acme',
    prefix: 'lossy',
    storage_custom_endpoint: `${proxy.url}/storage/v1/`,
    access_token: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
  };
  const client = await openClient({ type: 'gcs', attributes, folder: '/', env: {} });
  const losses = [
    ['answer', /^bytes 0-/],
    ['request', /^bytes 8388608-/],
    ['answer', /^bytes 8388608-/],
  ] as const;
  for (const [at, [half, range]] of losses.entries()) {
    const bytes = bigState(at + 1, 4.5);
    proxy.loseOne({ half, matches: ({ rawHeaders }) => rawHeaders.some((text) => range.test(text)) });
    await client.write('default', bytes, null);
    expect(proxy.lost).toBe(at + 1);
    expect(Buffer.from((await client.read('default')) ?? []).equals(bytes)).toBe(true);
  }
  expect((await client.history?.list('default', 9))?.length).toBe(losses.length);
  await house.close();
});

const fakeGcs = await findFakeGcs();
it.skipIf(fakeGcs === null)(
  'a state of 20 MB is written in pieces on fake-gcs-server (skipped unless it is on PATH)',
  { timeout: 60_000 },
  async () => {
    await using server = await FakeGcsServer.start(fakeGcs!);
    await server.makeBucket('states', false);
    const attributes = { bucket: 'states', prefix: 'big' };
    const env = { STORAGE_EMULATOR_HOST: server.url };
    const client = await openClient({ type: 'gcs', attributes, folder: '/', env });
    for (const serial of [1, 2]) {
      const bytes = bigState(serial);
      await client.write('default', bytes, null);
      expect(Buffer.from((await client.read('default')) ?? []).equals(bytes)).toBe(true);
    }
  },
);

/** @param size half of what it has, in MiB */
function bigState(serial: number, size = 10): Uint8Array {
  return stateText(serial, 'l', `,"big":"${randomBytes(size * 1024 * 1024).toString('hex')}"`);
}
