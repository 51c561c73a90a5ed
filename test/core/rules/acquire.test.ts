import { describe, expect, it } from 'vitest';
import { SHARERS_MAX } from '../../../src/core/rules/queue.ts';
import { anew, apply, OneAddress, plan } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');
const carol = plan('carol');
const dave = plan('dave');

describe('a free lock', () => {
  it('is granted at once, with all that is known of its holder', () => {
    const address = new OneAddress();
    const info = new TextEncoder().encode('{"ID":"alice-lock"}');
    expect(address.lock(alice, { info })).toEqual({
      type: 'granted',
      again: false,
      holder: {
        lockId: 'alice-lock',
        waiter: 'alice-lock',
        subject: 'token:alice',
        door: 'http',
        operation: 'OperationTypeApply',
        shared: false,
        fence: 1,
        since: address.at,
        until: null,
        delay: 0,
        info,
        aliases: ['http'],
        seat: 'node:1',
        accepted: true,
        answers: [{ seat: 'node:1', alias: 'http' }],
      },
    });
    expect(address.deeds()).toEqual(['lock']);
  });

  it('has a greater fence each time, a purge of the state included', () => {
    const address = new OneAddress();
    const fences = [1, 2, 3].map((run) => {
      const client = anew(alice, run);
      const outcome = address.lock(client);
      address.write(client, 1);
      address.unlock(client);
      address.delete(client);
      address.purge(client);
      return outcome.type === 'granted' ? outcome.holder.fence : null;
    });
    expect(fences).toEqual([1, 2, 3]);
  });

  it('takes its new holder out of the line', () => {
    const address = new OneAddress();
    address.lock(bob);
    address.lock(alice);
    address.unlock(bob);
    expect(address.lock(alice).type).toBe('granted');
    expect(address.waiters()).toEqual([]);
  });

  it('is granted to an expired credential no more', () => {
    const address = new OneAddress();
    expect(address.lock(alice, { actor: address.late(alice) })).toEqual({ type: 'expired' });
    expect(address.holders()).toEqual([]);
  });
});

describe('a held lock', () => {
  it('is refused with who holds it, and how many wait', () => {
    const address = new OneAddress();
    address.lock(alice);
    expect(address.lock(bob)).toMatchObject({
      type: 'held',
      holders: [{ lockId: 'alice-lock', subject: 'token:alice', operation: 'OperationTypeApply' }],
      position: null,
      waiting: 0,
      parkFor: null,
    });
  });

  it('is granted again to the lock ID that holds it, with the same fence', () => {
    const address = new OneAddress();
    address.lock(alice);
    address.pass(3);
    expect(address.lock(alice)).toMatchObject({
      type: 'granted',
      again: true,
      holder: { fence: 1, since: address.at - 3_000 },
    });
    expect(address.holders()).toEqual(['alice-lock']);
    expect(address.deeds()).toEqual([]);
  });

  it('is granted again even if the credential has expired meanwhile', () => {
    const address = new OneAddress();
    address.lock(alice);
    expect(address.lock(alice, { actor: address.late(alice) }).type).toBe('granted');
  });

  it('is not granted to another subject that sends the same lock ID', () => {
    const address = new OneAddress();
    address.lock(alice);
    expect(address.lock(apply('alice', 'token:mallory'))).toMatchObject({
      type: 'held',
      position: null,
      parkFor: null,
    });
    expect(address.world.holders).toMatchObject([{ subject: 'token:alice' }]);
    expect(address.waiters()).toEqual([]);
  });

  it('counts the request that asked last: the end of an earlier one takes nothing back', () => {
    const address = new OneAddress();
    address.lock(alice);
    const first = address.seatOf(alice);
    address.lock(alice);
    expect(address.leave(alice, first)).toEqual({ type: 'gone' });
    expect(address.holders()).toEqual(['alice-lock']);
  });

  it('whose grant never reached the client is taken back', () => {
    const address = new OneAddress();
    address.lock(alice);
    address.leave(alice);
    expect(address.holders()).toEqual([]);
    expect(address.deeds()).toEqual(['lock-taken-back']);
  });

  it('gathers the aliases that its holder takes it by', () => {
    const address = new OneAddress();
    for (const alias of ['s3-lock-file', 'dynamodb-item', 'dynamodb-item']) address.lock(alice, { alias });
    expect(address.world.holders).toMatchObject([{ aliases: ['s3-lock-file', 'dynamodb-item'] }]);
  });
});

describe('plans', () => {
  it('hold the lock together', () => {
    const address = new OneAddress();
    expect(address.lock(carol).type).toBe('granted');
    expect(address.lock(dave).type).toBe('granted');
    address.lock(carol);
    expect(address.world.holders.map(({ fence }) => fence)).toEqual([1, 2]);
  });

  it('wait for an apply, and an apply waits for all of them', () => {
    const address = new OneAddress();
    address.lock(alice);
    expect(address.lock(carol).type).toBe('held');
    address.unlock(alice);
    address.lock(carol);
    address.lock(dave);
    address.park(anew(alice));
    address.unlock(carol);
    expect(address.holders()).toEqual(['dave-lock']);
    address.unlock(dave);
    expect(address.holders()).toEqual(['alice-lock-2']);
  });

  it('that come after a waiting apply wait for it', () => {
    const address = new OneAddress();
    address.lock(carol);
    address.park(alice);
    expect(address.lock(dave).type).toBe('held');
    address.unlock(carol);
    expect(address.holders()).toEqual(['alice-lock']);
  });

  it('do not wait for an apply that is asleep', () => {
    const address = new OneAddress();
    address.lock(carol);
    address.lock(alice);
    expect(address.lock(dave).type).toBe('granted');
  });

  it('that asked before the apply go before it', () => {
    const address = new OneAddress();
    address.lock(bob);
    address.lock(carol);
    address.lock(alice);
    address.unlock(bob);
    address.lock(dave);
    address.lock(alice);
    expect(address.lock(carol).type).toBe('granted');
    expect(address.holders()).toEqual(['dave-lock', 'carol-lock']);
  });

  it('do not share with a plan at a door that cannot tell holders apart', () => {
    const address = new OneAddress();
    address.lock({ ...carol, shared: false });
    expect(address.lock(dave).type).toBe('held');
  });

  it('hold it together up to a thousand; the next one waits for any of them', () => {
    const address = new OneAddress();
    const crowd = Array.from({ length: SHARERS_MAX }, (_, index) => plan(`p${index}`));
    for (const each of crowd) expect(address.lock(each).type).toBe('granted');
    expect(address.lock(dave).type).toBe('held');
    address.lock(dave);
    address.unlock(plan('p500'));
    expect(address.last.handovers).toMatchObject([{ waiter: 'dave-lock' }]);
    expect(address.holders()).toHaveLength(SHARERS_MAX);
  });

  it('wait no longer for an apply whose node died', () => {
    const erin = plan('erin');
    const address = new OneAddress();
    address.lock(carol);
    address.park(alice);
    address.pass(25);
    const parked = address.park(dave);
    address.pass(10);
    expect(address.lock(erin).type).toBe('granted');
    expect(address.last.handovers).toMatchObject([{ waiter: 'dave-lock', seat: parked }]);
    expect(address.waiters()).toEqual([]);
  });
});
