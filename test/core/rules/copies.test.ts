import { describe, expect, it } from 'vitest';
import { actorOf, ADDRESS, apply, OneAddress, plan } from './one-address.ts';

// Requests are copied on their way, and arrive late: a frozen node wakes, a proxy sends again what it had, a packet is
// retransmitted. The copy's connection is dead, so its answer cannot be delivered.

const alice = apply('alice');
const bob = apply('bob');

/** A copy of a lock request, from a request of its own. */
function copyOf(address: OneAddress, client = alice, seat = 'node:copy', alias = 'http'): string {
  return address.lock(client, { seat, alias }).type;
}

describe('the death of a copy of a lock request', () => {
  it('does not take the lock from its holder at work', () => {
    const address = new OneAddress();
    address.lock(alice);
    expect(copyOf(address)).toBe('granted');
    expect(address.leave(alice, 'node:copy').type).toBe('gone');
    expect(address.holders()).toEqual(['alice-lock']);
    expect(address.lock(bob).type).toBe('held');
    expect(address.write(alice, 1).type).toBe('stored');
  });

  it('does not take it from one who was handed it in line, nor from a plan among plans', () => {
    const handed = new OneAddress();
    handed.lock(bob);
    handed.park(alice);
    handed.unlock(bob);
    handed.accept(alice);
    copyOf(handed);
    expect(handed.leave(alice, 'node:copy').type).toBe('gone');
    expect(handed.holders()).toEqual(['alice-lock']);
    const [a, b] = [plan('a'), plan('b')];
    const shared = new OneAddress();
    shared.lock(a);
    shared.lock(b);
    copyOf(shared, a);
    shared.leave(a, 'node:copy');
    expect(shared.holders()).toEqual(['a-lock', 'b-lock']);
  });

  it('nor do the deaths of very many copies', () => {
    const address = new OneAddress();
    address.lock(alice);
    for (let copy = 0; copy < 30; copy += 1) copyOf(address, alice, `node:copy-${copy}`);
    for (let copy = 0; copy < 30; copy += 1) address.leave(alice, `node:copy-${copy}`);
    expect(address.holders()).toEqual(['alice-lock']);
    expect(address.world.holders[0]?.answers.length).toBeLessThanOrEqual(8);
  });

  it('takes back a grant of which every answer was lost, in whatever order', () => {
    for (const order of [
      ['node:1', 'node:copy'],
      ['node:copy', 'node:1'],
    ] as const) {
      const address = new OneAddress();
      address.lock(alice);
      copyOf(address);
      expect(address.leave(alice, order[0]).type).toBe('gone');
      expect(address.leave(alice, order[1]).type).toBe('released');
      expect(address.holders()).toEqual([]);
      expect(address.lock(alice).type).toBe('granted');
    }
  });

  it('does not take back what was written under, even if the first answer was thought lost', () => {
    const address = new OneAddress();
    address.lock(alice);
    address.write(alice, 1);
    expect(address.leave(alice, 'node:1').type).toBe('gone');
    expect(address.holders()).toEqual(['alice-lock']);
  });
});

describe('a lock that is taken by two means', () => {
  it('loses only the one whose answer was lost', () => {
    const address = new OneAddress();
    copyOf(address, alice, 'node:file', 's3-lock-file');
    copyOf(address, alice, 'node:item', 'dynamodb-item');
    expect(address.leave(alice, 'node:item').type).toBe('gone');
    expect(address.world.holders).toMatchObject([{ aliases: ['s3-lock-file'] }]);
    // Terraform gives up: it removes the lock file that it has.
    expect(address.unlock(alice, { alias: 's3-lock-file' }).type).toBe('released');
    expect(address.holders()).toEqual([]);
  });

  it('is gone as well where the lock file is removed before the lost answer is noticed', () => {
    const address = new OneAddress();
    copyOf(address, alice, 'node:file', 's3-lock-file');
    copyOf(address, alice, 'node:item', 'dynamodb-item');
    address.unlock(alice, { alias: 's3-lock-file' });
    expect(address.leave(alice, 'node:item').type).toBe('released');
    expect(address.holders()).toEqual([]);
  });
});

describe('a lock request that comes after its own release', () => {
  it('is refused, because nobody would release what it took', () => {
    const address = new OneAddress();
    address.lock(alice);
    address.unlock(alice);
    const at = address.at;
    address.pass(20);
    expect(address.lock(alice)).toEqual({ type: 'released-before', lockId: 'alice-lock', at, broken: false });
    expect(address.holders()).toEqual([]);
    address.lock(bob);
    expect(address.lock(alice).type).toBe('released-before');
    expect(address.waiters()).toEqual([]);
  });

  it('is refused after a break-in as well', () => {
    const address = new OneAddress();
    address.lock(alice);
    address.forceUnlock('alice-lock');
    expect(address.lock(alice)).toMatchObject({ type: 'released-before', broken: true });
  });

  it('is refused for each of forty plans, and after a purge', () => {
    const plans = Array.from({ length: 40 }, (_, number) => plan(`plan-${number}`));
    const address = new OneAddress();
    for (const each of plans) address.lock(each);
    for (const each of plans) address.unlock(each);
    address.lock(alice);
    address.write(alice, 1);
    address.unlock(alice);
    address.delete(bob);
    address.purge(bob);
    for (const each of [...plans, alice]) expect(address.lock(each).type).toBe('released-before');
  });

  it('is granted where the lock was broken before anybody heard of the grant: its client still waits', () => {
    const address = new OneAddress();
    address.lock(bob);
    address.park(alice);
    address.unlock(bob);
    address.forceUnlock('alice-lock');
    expect(address.lock(alice).type).toBe('granted');
  });

  it('is granted where the grant was taken back: its client asks again', () => {
    const address = new OneAddress();
    address.lock(alice);
    const about = { address: ADDRESS, actor: actorOf(alice), waiter: 'alice-lock', seat: 'node:1' };
    expect(address.send({ type: 'leave', ...about }).type).toBe('released');
    expect(address.lock(alice).type).toBe('granted');
  });
});
