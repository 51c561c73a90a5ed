import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Signal } from '../../src/ports/signals.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';

const ADDRESS = { project: 'acme', key: 'net/terraform.tfstate', workspace: 'default' };
describe('the signals of a house', () => {
  let open: TestHouse;
  let signals: Signal[];

  beforeEach(async () => {
    open = await TestHouse.open();
    signals = [];
    open.house.signals.subscribe((signal) => void signals.push(signal));
  });
  afterEach(() => open.close());

  const told = (): unknown[] => signals.map(({ event, facts }) => [event, facts]);

  function ask(lockId: string, gone: AbortSignal): ReturnType<typeof open.house.locks.lock> {
    return open.house.locks.lock(ADMIN_CALLER, ADDRESS, {
      lockId,
      operation: 'OperationTypeApply',
      info: Buffer.from(JSON.stringify({ ID: lockId })),
      tellsHoldersApart: true,
      alias: 'http',
      wait: 60_000,
      gone,
    });
  }

  it('tell of a lock that is granted, waited for, handed over and taken back', async () => {
    const { signal } = new AbortController();
    await ask('one', signal);
    const leaving = new AbortController();
    const second = ask('two', leaving.signal);
    await expect.poll(() => signals.length).toBe(2);
    await open.house.locks.unlock(ADMIN_CALLER, ADDRESS, { lockId: 'one', alias: 'http' });
    const granted = await second;
    if (granted.type !== 'granted') throw new Error(granted.type);
    granted.undelivered();
    await expect.poll(told).toEqual([
      ['lock-granted', { lock: 'one', operation: 'OperationTypeApply', fence: 1, shared: false }],
      ['waiter-parked', { waiter: 'two', position: 1, waiting: 1 }],
      ['lock-released', { lock: 'one', locks: 1 }],
      ['lock-released', { lock: 'two', locks: 1 }],
    ]);
    expect(signals[2]?.handovers).toMatchObject([{ lockId: 'two', subject: 'token:test-admin', fence: 2 }]);
  });

  it('tell of a waiter that leaves, and of a lock that is broken', async () => {
    await ask('one', new AbortController().signal);
    const leaving = new AbortController();
    const second = ask('two', leaving.signal);
    await expect.poll(() => signals.length).toBe(2);
    leaving.abort();
    expect(await second).toEqual({ type: 'gone' });
    const identity = { ...ADMIN_CALLER.identity, subject: 'token:operator' };
    const operator = { ...ADMIN_CALLER, identity };
    await open.house.locks.unlock(operator, ADDRESS, { lockId: 'one', alias: null });
    expect(told().slice(2)).toEqual([
      ['waiter-left', { waiter: 'two' }],
      ['lock-broken', { lock: 'one', locks: 1 }],
    ]);
  });

  it('tell of versions once, and are plain JSON', async () => {
    const write = async (serial: number): Promise<string> => {
      const body = (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(sampleState(serial));
      })();
      const terms = { claim: { kind: 'none' }, contentLength: null } as const;
      return (await open.house.states.write(ADMIN_CALLER, ADDRESS, body, terms)).type;
    };
    expect(await write(1)).toBe('stored');
    expect(await write(1)).toBe('stored');
    await open.house.states.delete(ADMIN_CALLER, ADDRESS, { kind: 'none' });
    await open.house.history.undelete(ADMIN_CALLER, ADDRESS);
    expect(told()).toEqual([
      ['version-stored', { version: 1, serial: '1', restored: false }],
      ['state-deleted', { version: 1 }],
      ['state-undeleted', { version: 1 }],
    ]);
    expect(JSON.parse(JSON.stringify(signals))).toEqual(signals);
  });
});
