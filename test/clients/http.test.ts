import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { waitForLock } from '../../src/protocols/wait-for-lock.ts';
import { stateText } from '../../src/contract/client-contract.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { PlainHttpBackend } from './fixtures/plain-http-backend.ts';

const AT_ONCE = { milliseconds: 0, signal: null };
const quick = { retry_wait_min: '0', retry_wait_max: '0' };

describe('states behind a plain http backend', () => {
  let server: PlainHttpBackend;
  const open = (attributes: Record<string, string> = {}): Promise<StateClient> => {
    const address = `${server.url}/s?b=1&a=2`;
    return openClient({
      type: 'http',
      attributes: { address, ...quick, ...attributes },
      folder: '/',
      env: {},
    });
  };
  const locked = (): Promise<StateClient> => {
    const lock = `${server.url}/s`;
    return open({ lock_address: lock, unlock_address: lock });
  };

  beforeEach(async () => {
    server = await PlainHttpBackend.start();
  });
  afterEach(async () => {
    await server.close();
  });

  it('are asked for again as often as terraform asks', async () => {
    server.failures.push(503, 500);
    server.states.set('/s', Buffer.from(stateText(1, 'l')));
    expect(await (await open()).read('default')).not.toBeNull();
    expect(server.requests.length).toBe(3);
    server.failures.push(500, 500, 500);
    await expect((await open()).read('default')).rejects.toMatchObject({ kind: 'unreachable' });
    server.failures.push(501);
    await expect((await open()).read('default')).rejects.toThrow('HTTP 501');
  });

  it('are absent only when the server says so', async () => {
    expect(await (await open()).read('default')).toBeNull();
    for (const status of [401, 403]) {
      server.failures.push(status);
      await expect((await open()).read('default')).rejects.toMatchObject({ kind: 'denied' });
    }
    server.failures.push(302);
    await expect((await open()).read('default')).rejects.toThrow('HTTP 302');
    server.states.set('/s', Buffer.of());
    expect(await (await open()).read('default')).toBeNull();
  });

  it('are written under the ID of the lock, with the query kept', async () => {
    const client = await locked();
    const attempt = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    if (attempt.type !== 'locked') throw new Error('not locked');
    await client.write('default', stateText(1, 'l'), attempt.lock);
    expect(server.requests.at(-1)).toBe(`POST /s?b=1&a=2&ID=${attempt.lock.id}`);
    await expect(client.write('default', stateText(2, 'l'), null)).rejects.toThrow(
      `it is locked by ${attempt.lock.info.who} (test, lock ID ${attempt.lock.id})`,
    );
    server.locks.clear();
    expect((await attempt.lock.release()).type).toBe('lost');
  });

  it('have no lock where none is configured, and no workspaces without a place for them', async () => {
    const client = await open();
    expect((await client.lock('default', makeLockRequest('test', '0'), AT_ONCE)).type).toBe('unsupported');
    expect((await client.examine()).map(({ level, topic }) => `${level} ${topic}`)).toContain(
      'problem locking',
    );
    await expect(client.read('dev')).rejects.toThrow('the http backend has no workspaces');
    expect(client.locate('default')).not.toContain('secret');
  });

  it('take a lock of their own for theirs when the answer to the first request was lost', async () => {
    const client = await locked();
    const request = makeLockRequest('test', '0');
    await client.lock('default', request, AT_ONCE);
    expect((await client.lock('default', request, AT_ONCE)).type).toBe('locked');
  });

  it('say that nobody answers, without the password', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    probe.close();
    const port = typeof address === 'object' && address !== null ? address.port : 1;
    const client = await open({ address: `http://me:secret@127.0.0.1:${port}/s`, retry_max: '0' });
    const fault: unknown = await client.read('default').catch((caught: unknown) => caught);
    expect(String(fault)).toContain(`no answer from 127.0.0.1:${port}`);
    expect(String(fault) + client.locate('default')).not.toContain('secret');
  });
});

describe('states in a house, over http', () => {
  let house: TestHouse;
  const open = (key: string): Promise<StateClient> => {
    const address = `${house.url}/http/acme/${key}`;
    const login = { username: TEST_ADMIN.id, password: TEST_ADMIN.secret };
    const attributes = { address, lock_address: address, unlock_address: address, ...login };
    return openClient({ type: 'http', attributes, folder: '/', env: {} });
  };

  beforeEach(async () => {
    house = await TestHouse.open();
  });
  afterEach(async () => {
    await house.close();
  });

  it('have workspaces, and a history that can be read', async () => {
    const client = await open('net/terraform.tfstate');
    await client.write('default', stateText(1, 'l'), null);
    await client.write('default', stateText(2, 'l'), null);
    await client.write('dev', stateText(7, 'd'), null);
    await (await open('net/terraform.tfstate.other')).write('elsewhere', stateText(1, 'x'), null);
    expect(await client.workspaces()).toEqual(['default', 'dev']);
    const versions = (await client.history?.list('default', 10)) ?? [];
    expect(versions.map(({ id }) => id)).toEqual(['2', '1']);
    expect(Buffer.from((await client.history?.read('default', '1')) ?? []).equals(stateText(1, 'l'))).toBe(
      true,
    );
    expect(await client.history?.read('default', '9')).toBeNull();
  });

  it('are waited for by one request that is held open, and the line can be seen', async () => {
    const [a, b, c] = [await open('line'), await open('line'), await open('line')];
    const first = await a.lock('default', makeLockRequest('first', '0'), AT_ONCE);
    if (first.type !== 'locked') throw new Error('not locked');
    const asked: string[] = [];
    const waiting = waitForLock(b, 'default', makeLockRequest('second', '0'), {
      timeout: 30_000,
      onWait: ({ sleep }) => asked.push(String(sleep)),
    });
    await expect
      .poll(async () => {
        const lock = await c.inspectLock('default');
        return lock.type === 'held' ? lock.waiting : null;
      })
      .toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const released = performance.now();
    await first.lock.release();
    const got = await waiting;
    expect(got.type).toBe('locked');
    expect(performance.now() - released).toBeLessThan(1_000);
    expect(asked).toEqual(['null']);
    if (got.type === 'locked') await got.lock.release();
  });
});
