import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stateText } from '../../src/contract/client-contract.ts';
import type { HeldLock, StateClient } from '../../src/ports/state-client.ts';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { readConsulConfig } from '../../src/protocols/consul/client/config.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { waitForLock } from '../../src/protocols/wait-for-lock.ts';
import { LossyProxy } from '../e2e/fixtures/lossy-proxy.ts';
import { ConsulAgent, findConsul } from '../support/consul-agent.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const AT_ONCE = { milliseconds: 0, signal: null };

describe('the consul configuration', () => {
  const read = (attributes: BackendAttributes, env: Record<string, string> = {}, noExternal = false) =>
    readConsulConfig(attributes, { env, folder: '/', noExternal });

  it('is read with its defaults, and from the environment', () => {
    expect(read({ path: 'net/app' })).toMatchObject({
      endpoint: new URL('http://127.0.0.1:8500/'),
      token: null,
      auth: null,
      gzip: false,
      locks: true,
      query: {},
      tls: {},
    });
    const env = {
      CONSUL_HTTP_ADDR: 'consul.example:8501',
      CONSUL_HTTP_SSL: 'true',
      CONSUL_HTTP_TOKEN: 't',
      CONSUL_HTTP_AUTH: 'u:p',
      CONSUL_HTTP_SSL_VERIFY: 'false',
      CONSUL_NAMESPACE: 'team',
    };
    expect(read({ path: 'net/app', gzip: 'true', lock: false, datacenter: 'west' }, env)).toMatchObject({
      endpoint: new URL('https://consul.example:8501/'),
      token: 't',
      auth: 'u:p',
      gzip: true,
      locks: false,
      query: { dc: 'west', ns: 'team' },
      tls: { rejectUnauthorized: false },
    });
    const written = { path: 'p', address: 'https://x:1/consul', access_token: 'mine' };
    expect(read(written, env)).toMatchObject({ endpoint: new URL('https://x:1/consul/'), token: 'mine' });
  });

  it('is refused where it cannot be meant', () => {
    const bad: readonly (readonly [BackendAttributes, string])[] = [
      [{}, 'needs "path"'],
      [{ path: '/net' }, 'begins with "/"'],
      [{ path: 'p', address: 'unix:///run/consul.sock' }, 'not those of an HTTP server'],
      [{ path: 'p', scheme: 'ftp' }, 'not those of an HTTP server'],
      [{ path: 'p', cert_file: '/dev/null' }, 'cert_file and key_file together'],
      [{ path: 'p', ca_file: '/no/such/file' }, 'cannot be read'],
    ];
    for (const [attributes, why] of bad) expect(() => read(attributes)).toThrow(why);
    expect(() => read({ path: 'p', ca_file: '/dev/null' }, {}, true)).toThrow('--no-external');
  });
});

const opened: StateClient[] = [];
const openAt = async (address: string, path: string, more: BackendAttributes = {}): Promise<StateClient> => {
  const attributes = { address, path, ...more };
  const client = await openClient({ type: 'consul', attributes, folder: '/', env: {} });
  opened.push(client);
  return client;
};
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
});
const take = async (client: StateClient, workspace = 'default'): Promise<HeldLock> => {
  const attempt = await client.lock(workspace, makeLockRequest('test', '0'), AT_ONCE);
  if (attempt.type !== 'locked') throw new Error(`it is not free: ${attempt.type}`);
  return attempt.lock;
};

const consul = await findConsul();
describe.skipIf(consul === null)('states in Consul (skipped unless consul is on PATH)', () => {
  let agent: ConsulAgent;
  let count = 0;
  beforeAll(async () => {
    agent = await ConsulAgent.start(consul!);
  });
  afterAll(async () => {
    await agent[Symbol.asyncDispose]();
  });
  const newPath = (): string => `net/${(count += 1)}`;
  const keysAt = async (path: string): Promise<readonly string[]> =>
    ((await agent.ask('GET', `kv/${path}?keys`).catch(() => null)) ?? []) as readonly string[];

  it.each([{}, { gzip: true }])('are kept in parts when they are too large for a key: %o', async (more) => {
    const path = newPath();
    const client = await openAt(agent.address, path, more);
    const large = (serial: number): Uint8Array =>
      stateText(serial, 'l', `,"x":"${randomBytes(700_000).toString('hex')}"`);
    const [first, second] = [large(1), large(2)];
    await client.write('default', first, null);
    expect(Buffer.from(first).equals((await client.read('default')) ?? Buffer.of())).toBe(true);
    const parts = (keys: readonly string[]): readonly string[] =>
      keys.filter((key) => key.includes('/tfstate.'));
    const before = parts(await keysAt(path));
    expect(before.length).toBeGreaterThan(1);
    // The same once more must not take its own parts away.
    await client.write('default', first, null);
    expect(parts(await keysAt(path))).toEqual(before);
    await client.write('default', second, null);
    expect(Buffer.from(second).equals((await client.read('default')) ?? Buffer.of())).toBe(true);
    expect(parts(await keysAt(path)).some((key) => before.includes(key))).toBe(false);
    await client.write('default', stateText(3, 'l'), null);
    expect(await keysAt(path)).toEqual([path]);
  });

  it('are refused whose parts are missing or have been changed', async () => {
    const path = newPath();
    const client = await openAt(agent.address, path);
    const hash = '0123456789abcdef0123456789abcdef';
    const chunks = [`${path}/tfstate.${hash}/0`];
    await agent.ask('PUT', `kv/${path}`, JSON.stringify({ chunks, 'current-hash': hash }));
    await expect(client.read('default')).rejects.toMatchObject({ kind: 'corrupt' });
    await agent.ask('PUT', `kv/${chunks[0] ?? ''}`, 'a secret of another');
    await expect(client.read('default')).rejects.toThrow(/do not match the hash/);
    await agent.ask('PUT', `kv/${path}`, Buffer.from([0x1f, 0x8b, 1]).toString('latin1'));
    await expect(client.read('default')).rejects.toMatchObject({ kind: 'corrupt' });
  });

  it('are written and locked once, though every answer is lost once', async () => {
    const path = newPath();
    await using proxy = await LossyProxy.open(`http://${agent.address}`);
    const client = await openAt(new URL(proxy.url).host, path);
    const lose = (method: string, part: string): void =>
      proxy.loseOne({
        half: 'answer',
        matches: (request) => request.method === method && request.target.includes(part),
      });
    lose('PUT', 'session/create');
    const first = await take(client);
    await first.release();
    lose('PUT', 'acquire=');
    const second = await take(client);
    lose('PUT', '/v1/txn');
    await client.write('default', stateText(1, 'l'), second);
    expect(await client.read('default')).toEqual(Buffer.from(stateText(1, 'l')));
    lose('PUT', 'release=');
    expect(await second.release()).toEqual({ type: 'released' });
    const third = await take(client);
    lose('DELETE', 'cas=');
    expect(await third.release()).toEqual({ type: 'released' });
    expect(await keysAt(path)).toEqual([path]);
    expect(proxy.lost).toBe(5);
  });

  it('are not written by one whose lock was broken, or over what another wrote', async () => {
    const path = newPath();
    const [mine, other] = [await openAt(agent.address, path), await openAt(agent.address, path)];
    const lock = await take(mine);
    await mine.write('default', stateText(1, 'l'), lock);
    expect(await other.breakLock('default', lock.id)).toEqual({ type: 'broken' });
    await expect(mine.write('default', stateText(2, 'l'), lock)).rejects.toMatchObject({ kind: 'refused' });
    expect(await other.read('default')).toEqual(Buffer.from(stateText(1, 'l')));
    await eventually('the loss is noticed', () => lock.lost.aborted, 15_000);
    expect(await lock.release()).toMatchObject({ type: 'lost' });
    expect(await keysAt(path)).toEqual([path]);
  });

  it('are locked by one, whose lock is broken by its ID alone', async () => {
    const path = newPath();
    const [mine, other] = [await openAt(agent.address, path), await openAt(agent.address, path)];
    const lock = await take(mine);
    const wrong = await other.breakLock('default', '0b0b0b0b-0000-0000-0000-000000000000');
    expect(wrong).toMatchObject({ type: 'other-id', holder: { id: lock.id } });
    expect((await other.inspectLock('default')).type).toBe('held');
    await other.breakLock('default', lock.id);
    expect(await other.inspectLock('default')).toEqual({ type: 'free' });
    // Consul keeps a lock back for a while whose session has ended.
    const refused = await other.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    expect(refused).toMatchObject({ type: 'held', holder: null });
    const waited = await waitForLock(other, 'default', makeLockRequest('test', '0'), { timeout: 20_000 });
    if (waited.type !== 'locked') throw new Error('it did not come back');
    expect(await waited.lock.release()).toEqual({ type: 'released' });
  });

  it("are worked on under a lock of one's own that stayed, by its session", async () => {
    const path = newPath();
    const [mine, other] = [await openAt(agent.address, path), await openAt(agent.address, path)];
    const lock = await take(mine);
    const again = await other.lock('default', { ...makeLockRequest('push', '0'), id: lock.id }, AT_ONCE);
    if (again.type !== 'locked') throw new Error('it was not adopted');
    await other.write('default', stateText(1, 'l'), again.lock);
    expect(await again.lock.release()).toEqual({ type: 'released' });
    expect(await lock.release()).toMatchObject({ type: 'lost' });
  });

  it('are handed over at once to one who waits', async () => {
    const path = newPath();
    const [mine, other] = [await openAt(agent.address, path), await openAt(agent.address, path)];
    const lock = await take(mine);
    const request = makeLockRequest('test', '0');
    const waiting = other.lock('default', request, { milliseconds: 30_000, signal: null });
    await eventually('it asks', async () => {
      const sessions = (await agent.ask('GET', 'session/list')) as readonly unknown[];
      return sessions.length >= 2;
    });
    const released = performance.now();
    await lock.release();
    const attempt = await waiting;
    expect(performance.now() - released).toBeLessThan(2_000);
    if (attempt.type === 'locked') await attempt.lock.release();
    expect(attempt.type).toBe('locked');
  });

  it('have no lock with "lock = false", and are examined for what runs have left', async () => {
    const path = newPath();
    const client = await openAt(agent.address, path, { lock: false });
    expect(client.traits.locks).toBe('none');
    expect((await client.lock('default', makeLockRequest('test', '0'), AT_ONCE)).type).toBe('unsupported');
    await client.createWorkspace('dev', makeLockRequest('init', '0'));
    // Terraform locks that whenever it opens it.
    expect(await client.keepsOut?.('dev')).toContain('locks each workspace');
    expect(await client.keepsOut?.('default')).toBeNull();
    await agent.ask('PUT', `kv/${path}/.lockinfo`, '{}');
    await agent.ask('PUT', `kv/${path}/tfstate.0123456789abcdef0123456789abcdef/0`, 'x');
    const { ID } = (await agent.ask('PUT', 'session/create', '{"Name":"by hand"}')) as { ID: string };
    await agent.ask('PUT', `kv/${path}-env:dev/.lock?acquire=${ID}`);
    const found = await client.examine();
    expect(found.map(({ topic }) => topic).sort()).toEqual(
      ['access', 'history', 'locking', 'parts', 'session', 'session'].sort(),
    );
    expect(found.map(({ message }) => message).join()).toContain(
      `held by the session ${ID}, which has no TTL`,
    );
  });
});

describe('states in Consul that deny', () => {
  it('say that the token is not valid, and do not show it', async () => {
    const house = await TestHouse.open();
    try {
      const client = await openAt(new URL(house.url).host, 'acme/net', { access_token: 'admin.wrongsecret' });
      const fault = await client.read('default').catch((error: unknown) => error);
      expect(fault).toMatchObject({ kind: 'denied' });
      expect(String(fault)).not.toContain('wrongsecret');
      await expect(take(client)).rejects.toMatchObject({ kind: 'denied' });
    } finally {
      await house.close();
    }
  });

  it('are known as those of a Statehouse where they are', async () => {
    const house = await TestHouse.open();
    try {
      const token = `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`;
      const client = await openAt(new URL(house.url).host, 'acme/net', { access_token: token });
      expect(await client.server?.('dev')).toMatchObject({
        url: house.url,
        address: { project: 'acme', key: 'net', workspace: 'dev' },
        credential: TEST_ADMIN,
      });
    } finally {
      await house.close();
    }
  });
});
