import { describe, expect, it } from 'vitest';
import { clientSleep, WAIT_MAX } from '../../../src/core/rules/estimate.ts';
import { LINE_LENGTH_MAX, LINE_SUBJECT_MAX } from '../../../src/core/rules/queue.ts';
import { anew, apply, type Client, OneAddress, plan } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');
const carol = apply('carol');

/** Alice holds the lock, and it is known how long it is usually held. */
function held(typicalSeconds: number | null = null): OneAddress {
  const address = new OneAddress();
  if (typicalSeconds !== null) {
    address.lock(apply('before'));
    address.pass(typicalSeconds).unlock(apply('before'));
  }
  address.lock(alice);
  return address;
}

function parkFor(address: OneAddress): number | null {
  const { outcome } = address.last;
  return outcome.type === 'held' ? outcome.parkFor : null;
}

describe('the first time that a lock ID asks for a held lock', () => {
  it('it is refused at once, so that a client that does not wait fails fast', () => {
    const address = held();
    address.lock(bob);
    expect(parkFor(address)).toBeNull();
    expect(address.world.line).toMatchObject([{ waiter: 'bob-lock', seat: null, asks: 1, ticket: 1 }]);
  });

  it('it is parked where it says how long it will wait', () => {
    const address = held();
    address.lock(bob, { wait: 300_000 });
    expect(parkFor(address)).toBe(300_000);
    address.pass(100).lock(bob, { wait: 300_000 });
    expect(parkFor(address)).toBe(200_000);
    // When that is over it is still one that waits.
    address.pass(200).lock(bob, { wait: 300_000 });
    expect(parkFor(address)).toBe(600_000);
  });

  it('it is parked no longer than an hour', () => {
    const address = held();
    address.lock(bob, { wait: 10 * WAIT_MAX });
    expect(parkFor(address)).toBe(WAIT_MAX);
  });
});

describe('a lock ID that comes back', () => {
  it('is parked for twice what it has waited, from two seconds up to ten minutes', () => {
    const address = held();
    const parked = [0, 1, 4, 14, 46, 154, 454, 616].map((seconds) => {
      address.pass(seconds).lock(bob);
      return parkFor(address);
    });
    expect(parked).toEqual([null, 2_000, 10_000, 38_000, 130_000, 438_000, 600_000, 600_000]);
  });

  it('is away as Terraform sleeps', () => {
    expect([1, 2, 3, 4, 5, 6].map(clientSleep)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 16_000]);
  });

  it('keeps its place while it sleeps, for as long as it may sleep', () => {
    const address = held();
    address.lock(bob);
    address.pass(1).lock(carol);
    address.pass(1).lock(bob);
    expect(address.last.outcome).toMatchObject({ position: 1, waiting: 1 });
    expect(address.waiters()).toEqual(['bob-lock', 'carol-lock']);
  });

  it('keeps its place the longer, the longer it sleeps', () => {
    const address = held();
    for (const seconds of [0, 1, 2, 4, 8, 16, 30]) {
      address.pass(seconds).lock(bob, { seat: null });
    }
    expect(address.world.line).toMatchObject([{ waiter: 'bob-lock', ticket: 1, asks: 7 }]);
  });

  it('too late has lost its place', () => {
    const address = held();
    address.lock(bob);
    address.pass(10).lock(carol);
    address.pass(7).lock(bob);
    expect(address.waiters()).toEqual(['carol-lock', 'bob-lock']);
    expect(address.last.outcome).toMatchObject({ position: null, parkFor: null });
  });

  it('is not parked where its request cannot be held open', () => {
    const address = held();
    address.lock(bob, { seat: null });
    address.lock(bob, { seat: null });
    expect(parkFor(address)).toBeNull();
    address.unlock(alice);
    expect(address.last.handovers).toEqual([]);
    expect(address.lock(bob, { seat: null }).type).toBe('granted');
  });

  it('on another connection has one place, and the old request has none', () => {
    const address = held();
    const old = address.park(bob);
    address.lock(bob);
    expect(address.waiters()).toEqual(['bob-lock']);
    expect(address.leave(bob, old)).toEqual({ type: 'gone' });
    address.unlock(alice);
    expect(address.last.handovers).toMatchObject([{ waiter: 'bob-lock', seat: 'node:4' }]);
  });
});

describe('a release', () => {
  it('hands the lock to the first parked waiter in the same step', () => {
    const address = held();
    const seat = address.park(bob);
    address.park(carol);
    address.pass(1).unlock(alice);
    expect(address.last.handovers).toMatchObject([
      {
        waiter: 'bob-lock',
        seat,
        holder: { lockId: 'bob-lock', fence: 2, accepted: false, since: address.at },
      },
    ]);
    expect(address.waiters()).toEqual(['carol-lock']);
    expect(address.deeds()).toEqual(['unlock', 'lock']);
  });

  it('serves those who are parked in the order of their first asking', () => {
    const address = held();
    for (const client of [bob, carol]) address.lock(client);
    for (const client of [carol, bob]) address.lock(client);
    address.unlock(alice);
    expect(address.holders()).toEqual(['bob-lock']);
  });

  it('does not wait for a waiter that is asleep', () => {
    const address = held();
    address.lock(bob);
    address.park(carol);
    address.unlock(alice);
    expect(address.holders()).toEqual(['carol-lock']);
    expect(address.waiters()).toEqual(['bob-lock']);
  });

  it('lets plans that stand together in together, up to the next apply', () => {
    const address = held();
    const clients = [plan('p1'), plan('p2'), bob, plan('p3')];
    for (const client of clients) address.park(client);
    address.unlock(alice);
    expect(address.holders()).toEqual(['p1-lock', 'p2-lock']);
    address.unlock(plan('p1'));
    expect(address.holders()).toEqual(['p2-lock']);
    address.unlock(plan('p2'));
    expect(address.holders()).toEqual(['bob-lock']);
    address.unlock(bob);
    expect(address.holders()).toEqual(['p3-lock']);
  });

  it('passes over a request whose node died', () => {
    const address = held();
    address.park(bob);
    address.pass(33).park(carol);
    address.unlock(alice);
    expect(address.holders()).toEqual(['carol-lock']);
    expect(address.waiters()).toEqual([]);
  });
});

describe('a free lock', () => {
  /** Bob is the first in line and asleep; carol is parked. Locks are usually held for so long. */
  function asleep(typicalSeconds: number): OneAddress {
    const address = held(typicalSeconds);
    address.park(bob);
    address.park(carol);
    address.pass(2).parkOver(bob, true);
    return address;
  }

  it('is kept for the first in line, who sleeps and is due back within half a usual hold', () => {
    const address = asleep(8);
    address.unlock(alice);
    expect(address.holders()).toEqual([]);
    expect(address.pass(2).lock(bob)).toMatchObject({ type: 'granted' });
    expect(address.waiters()).toEqual(['carol-lock']);
  });

  it('is not kept for a waiter that is due back later', () => {
    const address = asleep(3);
    address.unlock(alice);
    expect(address.holders()).toEqual(['carol-lock']);
  });

  it('is not kept for the second in line', () => {
    const address = asleep(8);
    address.pass(0).parkOver(carol, true);
    const dan = apply('dan');
    address.park(dan);
    address.lock(bob);
    address.unlock(alice);
    expect(address.holders()).toEqual(['bob-lock']);
    address.unlock(bob);
    expect(address.holders()).toEqual([]);
    expect(address.world.record.keptFor).toBe('carol-lock');
  });

  it('goes to the next a second after its waiter did not come back', () => {
    const address = asleep(8);
    address.unlock(alice);
    address.pass(2.9).expire();
    expect(address.holders()).toEqual([]);
    address.pass(0.1).expire();
    expect(address.holders()).toEqual(['carol-lock']);
  });

  it('that is kept is told to be held by the one that it is kept for, so that others can wait for it', () => {
    const address = asleep(8);
    address.unlock(alice);
    expect(address.lock(apply('dan'))).toMatchObject({
      type: 'held',
      holders: [{ lockId: 'bob-lock', operation: 'OperationTypeApply' }],
    });
  });

  it('is not kept from one who asked before, and has only now shown that it waits', () => {
    const address = held(8);
    const early = apply('early');
    address.lock(early);
    address.park(bob);
    address.pass(1).parkOver(bob, true);
    address.unlock(alice);
    expect(address.world.record.keptFor).toBe('bob-lock');
    expect(address.lock(early)).toMatchObject({ type: 'granted' });
    expect(address.world.record).toMatchObject({ keptFor: null, freeAt: null });
  });
});

describe('who asked once and does not come back', () => {
  it('is not told to wait, keeps no plan out, and is not waited for', () => {
    const address = new OneAddress();
    address.lock(plan('p1'));
    expect(address.lock(bob)).toMatchObject({ position: null, waiting: 0 });
    expect(address.lock(plan('p2'))).toMatchObject({ type: 'granted' });
    address.pass(1).lock(bob);
    expect(address.last.outcome).toMatchObject({ position: 1, waiting: 1 });
    expect(address.lock(plan('p3'))).toMatchObject({ type: 'held' });
  });
});

describe('a client that hangs up', () => {
  it('leaves the line', () => {
    const address = held();
    address.park(bob);
    address.leave(bob);
    expect(address.waiters()).toEqual([]);
    address.unlock(alice);
    expect(address.holders()).toEqual([]);
  });

  it('before it heard of its grant has it taken back, and the next is served', () => {
    const address = held();
    address.park(bob);
    address.park(carol);
    address.unlock(alice);
    address.leave(bob);
    expect(address.holders()).toEqual(['carol-lock']);
    expect(address.deeds()).toEqual(['lock-taken-back', 'lock']);
  });

  it('lets the plans go on that stood behind it', () => {
    const address = new OneAddress();
    address.lock(plan('p1'));
    address.park(bob);
    address.park(plan('p2'));
    address.leave(bob);
    expect(address.holders()).toEqual(['p1-lock', 'p2-lock']);
  });
});

describe('a grant that was handed on', () => {
  it('stands once its node has taken it up', () => {
    const address = held();
    address.park(bob);
    address.unlock(alice);
    expect(address.accept(bob)).toMatchObject({
      type: 'granted',
      holder: { lockId: 'bob-lock', accepted: true },
    });
    expect(address.world.holders).toMatchObject([{ accepted: true }]);
  });

  it('is found by a request whose time ran out just then', () => {
    const address = held();
    address.park(bob);
    address.unlock(alice);
    expect(address.parkOver(bob)).toMatchObject({ type: 'granted', holder: { lockId: 'bob-lock' } });
  });
});

describe('a request whose time is over', () => {
  it('is sent away with the holder, and keeps its place asleep', () => {
    const address = held();
    address.park(bob);
    address.pass(2);
    expect(address.parkOver(bob)).toMatchObject({
      type: 'held',
      holders: [{ lockId: 'alice-lock' }],
      position: 1,
      parkFor: null,
    });
    expect(address.world.line).toMatchObject([{ waiter: 'bob-lock', seat: null }]);
  });

  it('stays a little where its turn is expected sooner than its client would be back', () => {
    const address = held(3);
    address.park(bob);
    address.pass(2);
    address.parkOver(bob);
    expect(parkFor(address)).toBe(2_000);
    address.pass(2);
    address.parkOver(bob);
    expect(parkFor(address)).toBeNull();
  });

  it('stays no longer than one more sleep, however late it was asked', () => {
    const address = held(4);
    address.park(bob);
    address.pass(3);
    address.parkOver(bob);
    expect(parkFor(address)).toBe(1_000);
  });

  it('does not stay for a holder that takes much longer than usual', () => {
    const address = held(3);
    address.pass(5).park(bob);
    address.pass(2);
    address.parkOver(bob);
    expect(parkFor(address)).toBeNull();
  });

  it('does not stay where many are before it', () => {
    const address = held(1);
    for (const client of [apply('p'), apply('q'), apply('r'), bob]) address.park(client);
    address.pass(2);
    address.parkOver(bob);
    expect(parkFor(address)).toBeNull();
  });

  it('does not stay where the house is closing', () => {
    const address = held(3);
    address.park(bob);
    address.pass(2);
    address.parkOver(bob, true);
    expect(parkFor(address)).toBeNull();
  });

  it('keeps out the plans that stand behind it, as long as its client may come back', () => {
    const address = new OneAddress();
    address.lock(plan('p1'));
    address.park(bob);
    address.park(plan('p2'));
    address.pass(2).parkOver(bob);
    expect(address.holders()).toEqual(['p1-lock']);
    address.pass(17).lock(plan('p3'));
    expect(address.holders()).toEqual(['p1-lock']);
    address.pass(1).lock(plan('p4'));
    expect(address.holders()).toEqual(['p1-lock', 'p4-lock', 'p2-lock']);
  });
});

describe('the line', () => {
  it('has an end: whoever comes later is refused as without a line, and gets the lock when it is free', () => {
    const address = held();
    address.lock(bob);
    const [place] = address.world.line;
    if (place === undefined) throw new Error('bob does not wait');
    const crowd = Array.from({ length: LINE_LENGTH_MAX - 1 }, (_, index) => ({
      ...place,
      asks: 2,
      waiter: `w${index}`,
      ticket: index + 2,
    }));
    address.world = { ...address.world, line: [place, ...crowd] };
    expect(address.lock(carol)).toMatchObject({
      position: null,
      waiting: LINE_LENGTH_MAX - 1,
      parkFor: null,
    });
    expect(address.world.line).toHaveLength(LINE_LENGTH_MAX);
    expect(address.lock(bob, { seat: null })).toMatchObject({ position: 1 });
    address.unlock(alice);
    expect(address.lock(carol).type).toBe('granted');
  });

  it('is never all of one subject: whoever comes later has a place in it all the same', () => {
    const address = held();
    address.lock(bob);
    const [place] = address.world.line;
    if (place === undefined) throw new Error('bob does not wait');
    const crowd = Array.from({ length: LINE_SUBJECT_MAX - 1 }, (_, index) => ({
      ...place,
      asks: 2,
      waiter: `w${index}`,
      ticket: index + 2,
    }));
    address.world = { ...address.world, line: [place, ...crowd] };
    expect(address.lock(anew(bob, 1))).toMatchObject({ position: null, waiting: LINE_SUBJECT_MAX - 1 });
    address.park(carol);
    expect(address.last.outcome).toMatchObject({ position: LINE_SUBJECT_MAX, waiting: LINE_SUBJECT_MAX });
  });

  it('moves on where the dead are cleared away, even for one whom it does not take', () => {
    const address = new OneAddress();
    address.lock(plan('p1'));
    address.park(bob);
    address.pass(25);
    address.park(plan('p2'));
    const last = address.world.line.at(-1);
    if (last === undefined) throw new Error('nobody waits');
    const crowd = Array.from({ length: LINE_LENGTH_MAX }, (_, index) => ({
      ...last,
      waiter: `w${index}`,
      ticket: index + 3,
      shared: false,
    }));
    address.world = { ...address.world, line: [...address.world.line, ...crowd] };
    address.pass(10);
    expect(address.lock(carol)).toMatchObject({ type: 'held', position: null });
    expect(address.holders()).toEqual(['p1-lock', 'p2-lock']);
  });

  it('learns how long locks are held here, by a quarter each time', () => {
    const address = new OneAddress();
    const holds = [8, 4, 4].map((seconds, run) => {
      address.lock(anew(alice, run));
      address.pass(seconds).unlock(anew(alice, run));
      return address.world.record.typicalHold;
    });
    expect(holds).toEqual([8_000, 7_000, 6_250]);
  });

  it('gives eight applies that start together the lock one after the other, in order', () => {
    const address = new OneAddress();
    const clients: Client[] = Array.from({ length: 8 }, (_, index) => apply(`c${index}`));
    for (const client of clients) address.lock(client);
    address.pass(1);
    for (const client of clients.slice(1)) address.lock(client);
    const order: string[] = [];
    for (const client of clients) {
      order.push(...address.holders());
      address.pass(0.5).unlock(client);
    }
    expect(order).toEqual(clients.map(({ lockId }) => lockId));
  });
});
