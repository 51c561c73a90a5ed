import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { takeLock, underLock } from '../../src/cli/folder/holding.ts';
import { openTerminal, type Terminal } from '../../src/cli/terminal.ts';
import { OPERATION_LOCK } from '../../src/core/lock-info.ts';
import type { LockAttempt, StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { PlainHttpBackend } from '../clients/fixtures/plain-http-backend.ts';

const AT_ONCE = { milliseconds: 0, signal: null };

/** A terminal that somebody sits at, and what is shown there. */
function somebody(columns = 120): { terminal: Terminal; shown: () => string } {
  const errors = Object.assign(new PassThrough(), { isTTY: true, columns });
  let text = '';
  errors.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const streams = { input: new PassThrough(), output: new PassThrough(), errors };
  return { terminal: openTerminal(streams, {}, false), shown: () => text };
}

async function lockedBackend(): Promise<{ server: PlainHttpBackend; client: StateClient }> {
  const server = await PlainHttpBackend.start();
  const address = `${server.url}/s`;
  const attributes = { address, lock_address: address, unlock_address: address };
  const client = await openClient({ type: 'http', attributes, folder: '/', env: {} });
  return { server, client };
}

const wanted = (client: StateClient, timeout: number, stopped = new AbortController().signal) => ({
  client,
  workspace: 'default',
  operation: 'test',
  timeout,
  stopped,
});

describe('taking the lock', () => {
  it('shows on a terminal who has it, for how long, and how much time is left', async () => {
    const { server, client } = await lockedBackend();
    const created = new Date(Date.now() - 125_000).toISOString();
    const other = { ...makeLockRequest('OperationTypeApply', '1.11.4'), who: 'bob@ci', created };
    await client.lock('default', other, { milliseconds: 0, signal: null });
    const { terminal, shown } = somebody();
    setTimeout(() => server.locks.clear(), 300);
    const lock = await takeLock(terminal, wanted(client, 60_000));
    expect(shown()).toContain('default, 1m left: held by bob@ci (apply) for 2m 5s');
    // The line is gone when the lock is there.
    expect(shown().endsWith('\r\u001b[K')).toBe(true);
    await lock.release();
    await server.close();
  });

  it('shows, of a server, the place in line, the usual hold and the reason, as far as the terminal is wide', async () => {
    await using house = await TestHouse.open();
    const address = `${house.url}/http/acme/net`;
    const attributes = { address, lock_address: address, unlock_address: address };
    const login = { username: TEST_ADMIN.id, password: TEST_ADMIN.secret };
    const client = await openClient({
      type: 'http',
      attributes: { ...attributes, ...login },
      folder: '/',
      env: {},
    });
    const release = async (lock: LockAttempt): Promise<void> => {
      if (lock.type === 'locked') await lock.lock.release();
    };
    await release(await client.lock('default', makeLockRequest('apply', '1'), AT_ONCE));
    const reason = 'moving the database by hand';
    const held = await client.lock('default', makeLockRequest(OPERATION_LOCK, '1', reason), AT_ONCE);
    const { terminal, shown } = somebody(400);
    const narrow = somebody(60);
    const places = [terminal, narrow.terminal].map((one) => takeLock(one, wanted(client, 60_000)));
    const words =
      /Waiting for the lock on default, you are [12](?:st|nd) of \d in line, (?:1m|\d+s) left: held by token:admin\S* \(\S+, statehouse lock\) for \ds, usually less than 1s, reason: moving the database by hand/;
    await eventually('both wait', () => words.test(shown()) && narrow.shown().includes('in line'));
    const lines = narrow.shown().split('\r\u001b[K');
    expect(lines.every((line) => line.length < 60)).toBe(true);
    expect(lines.some((line) => line.endsWith('…'))).toBe(true);
    await release(held);
    for (const place of places) void place.then((lock) => lock.release());
    await Promise.all(places);
    await expect(takeLock(terminal, wanted(client, 0))).resolves.toMatchObject({ workspace: 'default' });
    await client.close();
  });

  it('fails with the code for "locked by someone else", and what to do', async () => {
    const { server, client } = await lockedBackend();
    await client.lock('default', makeLockRequest('apply', '1'), { milliseconds: 0, signal: null });
    const { terminal } = somebody();
    await expect(takeLock(terminal, wanted(client, 0))).rejects.toMatchObject({
      exitCode: 3,
      next: expect.stringContaining('--lock-timeout') as string,
    });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    await expect(takeLock(terminal, wanted(client, 60_000, stop.signal))).rejects.toThrow('aborted');
    await server.close();
  });

  it('releases it whatever happens inside, and tells when it was lost', async () => {
    const { server, client } = await lockedBackend();
    const { terminal } = somebody();
    const free = { ...wanted(client, 0), noLock: false, env: {} };
    await expect(underLock(terminal, free, () => Promise.reject(new Error('inside')))).rejects.toThrow(
      'inside',
    );
    expect(server.locks.size).toBe(0);
    const vanish = (): Promise<void> => {
      server.locks.clear();
      return Promise.resolve();
    };
    await expect(underLock(terminal, free, vanish)).rejects.toThrow('was lost while it was held');
    await expect(
      underLock(terminal, { ...free, noLock: true }, () => Promise.resolve(server.locks.size)),
    ).resolves.toBe(0);
    await server.close();
  });
});
