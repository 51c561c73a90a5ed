import { describe, expect, it } from 'vitest';
import { RELEASES_MAX, RELEASES_PER_SWEEP } from '../../../src/core/rules/releases.ts';
import { anew, apply, OneAddress, plan } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');

function heldBy(...clients: readonly ReturnType<typeof apply>[]): OneAddress {
  const address = new OneAddress();
  for (const client of clients) address.lock(client);
  return address;
}

describe('a release', () => {
  it('frees the lock', () => {
    const address = heldBy(alice);
    expect(address.unlock(alice)).toEqual({ type: 'released', broken: false, lockIds: ['alice-lock'] });
    expect(address.holders()).toEqual([]);
    expect(address.deeds()).toEqual(['unlock']);
  });

  it('that is sent again is answered again, whoever has held the lock since', () => {
    const address = heldBy(alice);
    address.unlock(alice);
    expect(address.unlock(alice).type).toBe('released');
    address.lock(bob);
    expect(address.unlock(alice).type).toBe('released');
    expect(address.holders()).toEqual(['bob-lock']);
    address.unlock(bob);
    expect(address.unlock(alice).type).toBe('released');
    expect(address.deeds()).toEqual([]);
  });

  it('of plans that held together can be sent again by each of them', () => {
    const plans = ['a', 'b', 'c'].map(plan);
    const address = heldBy(...plans);
    for (const each of plans) expect(address.unlock(each).type).toBe('released');
    for (const each of plans) expect(address.unlock(each).type).toBe('released');
  });

  it('of forty plans that held together can be sent again by each of them', () => {
    const plans = Array.from({ length: 40 }, (_, number) => plan(`plan-${number}`));
    const address = heldBy(...plans);
    for (const each of plans) expect(address.unlock(each).type).toBe('released');
    for (const each of plans) expect(address.unlock(each).type).toBe('released');
  });

  it('is remembered for an hour, and no longer', () => {
    const address = heldBy(alice);
    address.unlock(alice);
    address.pass(3_600);
    expect(address.unlock(alice).type).toBe('released');
    address.pass(1);
    expect(address.unlock(alice).type).toBe('not-locked');
    expect(address.lock(alice).type).toBe('granted');
  });

  it('is forgotten in time, and sooner where there are very many', () => {
    const address = new OneAddress();
    const runs = (count: number): void => {
      for (let run = 0; run < count; run += 1) {
        const client = apply(`run-${address.world.record.fence}`);
        address.lock(client);
        address.unlock(client);
      }
    };
    runs(RELEASES_MAX + 2 * RELEASES_PER_SWEEP);
    expect(address.world.releases.length).toBeLessThanOrEqual(RELEASES_MAX + RELEASES_PER_SWEEP);
    address.pass(3_601);
    runs(RELEASES_PER_SWEEP);
    expect(address.world.releases.length).toBeLessThanOrEqual(RELEASES_PER_SWEEP);
  });

  it('of nothing is refused', () => {
    expect(new OneAddress().unlock(alice).type).toBe('not-locked');
    expect(heldBy(bob).unlock(alice)).toMatchObject({
      type: 'not-holder',
      holders: [{ lockId: 'bob-lock' }],
    });
  });

  it('of another subject under the same ID is no release but a break-in', () => {
    const address = heldBy(alice);
    const mallory = apply('alice', 'token:mallory');
    expect(address.unlock(mallory).type).toBe('may-not-break');
    expect(address.holders()).toEqual(['alice-lock']);
  });

  it('of one alias leaves the lock with the other, and of the last one frees it', () => {
    const address = new OneAddress();
    address.lock(alice, { alias: 's3-lock-file' });
    address.lock(alice, { alias: 'dynamodb-item' });
    address.unlock(alice, { alias: 's3-lock-file' });
    expect(address.world.holders).toMatchObject([{ lockId: 'alice-lock', aliases: ['dynamodb-item'] }]);
    expect(address.lock(bob).type).toBe('held');
    address.unlock(alice, { alias: 's3-lock-file', resent: true });
    expect(address.holders()).toEqual(['alice-lock']);
    address.unlock(alice, { alias: 'dynamodb-item' });
    expect(address.holders()).toEqual([]);
  });

  it('of an alias that was never held frees the lock, because it was seen there', () => {
    const address = new OneAddress();
    address.lock(alice, { alias: 'dynamodb-item' });
    expect(address.unlock(alice, { alias: 's3-lock-file' }).type).toBe('released');
    expect(address.holders()).toEqual([]);
  });

  it('is allowed to a credential that expired while it held the lock', () => {
    const address = heldBy(alice);
    expect(address.unlock(alice, { actor: address.late(alice) }).type).toBe('released');
  });
});

describe('a break-in', () => {
  it('that names no lock breaks none that is younger than its guard', () => {
    const address = heldBy(alice);
    const byNoName = (): unknown =>
      address.unlock(bob, { lockId: null, alias: null, mayBreak: true, guard: 120_000 });
    expect(byNoName()).toMatchObject({
      type: 'too-young',
      guard: 120_000,
      holders: [{ lockId: 'alice-lock' }],
    });
    address.at += 119_999;
    expect(byNoName()).toMatchObject({ type: 'too-young' });
    address.at += 1;
    expect(byNoName()).toEqual({ type: 'released', broken: true, lockIds: ['alice-lock'] });
  });

  it('needs an operator, and is in the audit log', () => {
    const address = heldBy(alice);
    expect(address.unlock(bob, { lockId: 'alice-lock' })).toMatchObject({
      type: 'may-not-break',
      holders: [{ lockId: 'alice-lock' }],
    });
    expect(address.forceUnlock('alice-lock')).toEqual({
      type: 'released',
      broken: true,
      lockIds: ['alice-lock'],
    });
    expect(address.deeds()).toEqual(['force-unlock']);
    expect(address.holders()).toEqual([]);
  });

  it('that names another lock than the one held breaks nothing', () => {
    const address = heldBy(alice);
    expect(address.forceUnlock('elsewhere').type).toBe('not-holder');
    expect(address.holders()).toEqual(['alice-lock']);
  });

  it('that names no lock breaks whatever is held, one or many', () => {
    const address = heldBy(plan('a'), plan('b'));
    expect(address.forceUnlock(null)).toMatchObject({ type: 'released', lockIds: ['a-lock', 'b-lock'] });
    expect(address.holders()).toEqual([]);
  });

  it('of one plan leaves the others their hold', () => {
    const address = heldBy(plan('a'), plan('b'));
    address.forceUnlock('a-lock');
    expect(address.holders()).toEqual(['b-lock']);
  });

  it('leaves the old holder nothing to release', () => {
    const address = heldBy(alice);
    address.forceUnlock('alice-lock');
    expect(address.unlock(alice).type).toBe('not-locked');
    address.lock(bob);
    expect(address.unlock(alice).type).toBe('not-holder');
    expect(address.holders()).toEqual(['bob-lock']);
  });

  it('hands the lock on at once', () => {
    const address = heldBy(alice);
    address.park(bob);
    address.forceUnlock(null);
    expect(address.last.handovers).toMatchObject([{ waiter: 'bob-lock', holder: { fence: 2 } }]);
    expect(address.holders()).toEqual(['bob-lock']);
  });

  // Terraform's http backend sends force-unlock without the ID, and sends it again when the answer is lost.
  it('whose answer was lost does not break the lock that it handed on when it comes again', () => {
    const address = heldBy(alice);
    address.park(bob);
    address.forceUnlock(null);
    address.pass(2);
    expect(address.forceUnlock(null)).toEqual({ type: 'released', broken: true, lockIds: ['alice-lock'] });
    expect(address.holders()).toEqual(['bob-lock']);
    expect(address.forceUnlock('alice-lock').type).toBe('released');
    expect(address.holders()).toEqual(['bob-lock']);
  });

  it('of several plans is answered as a whole when it comes again', () => {
    const address = heldBy(plan('a'), plan('b'));
    address.forceUnlock(null);
    expect(address.forceUnlock(null)).toMatchObject({ broken: true, lockIds: ['a-lock', 'b-lock'] });
  });

  it('breaks the lock that the last one handed on, if it comes too late to be the same', () => {
    const address = heldBy(alice);
    address.park(bob);
    address.forceUnlock(null);
    address.pass(11);
    expect(address.forceUnlock(null)).toMatchObject({ lockIds: ['bob-lock'] });
    expect(address.holders()).toEqual([]);
  });

  it('breaks the next lock as well when it is meant', () => {
    const address = heldBy(alice);
    address.park(bob);
    address.forceUnlock(null);
    address.forceUnlock('bob-lock');
    expect(address.holders()).toEqual([]);
    address.pass(1).lock(anew(alice));
    address.forceUnlock(null);
    expect(address.holders()).toEqual([]);
  });

  it('by another operator is no repetition', () => {
    const address = heldBy(alice);
    address.park(bob);
    address.forceUnlock(null, apply('first'));
    address.forceUnlock(null, apply('second'));
    expect(address.holders()).toEqual([]);
  });

  it('is refused to an expired credential', () => {
    const address = heldBy(alice);
    const expired = { lockId: null, mayBreak: true, actor: address.late(bob) };
    expect(address.unlock(bob, expired).type).toBe('expired');
    expect(address.holders()).toEqual(['alice-lock']);
  });
});
