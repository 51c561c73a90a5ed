import { describe, expect, it } from 'vitest';
import type { AcceptCommand } from '../../../src/core/command.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { ADDRESS, actorOf, anew, apply, OneAddress } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');

type Seated = Omit<AcceptCommand, 'type'>;

/** Somebody clears up after the node of Bob's request. */
function clearUp(address: OneAddress, seat: string): Outcome {
  const waiter = bob.lockId;
  return address.send({ type: 'leave', address: ADDRESS, actor: actorOf(bob), waiter, seat, unheard: true });
}

function seatedBob(address: OneAddress, seat: string = address.seatOf(bob)): Seated {
  return { address: ADDRESS, actor: actorOf(bob), waiter: bob.lockId, seat };
}

describe('a grant whose node is thought to be dead', () => {
  function handedToBob(): OneAddress {
    const address = new OneAddress();
    address.lock(alice);
    address.park(bob);
    address.unlock(alice);
    return address;
  }

  it('is taken back while nobody was told of it', () => {
    const address = handedToBob();
    expect(clearUp(address, address.seatOf(bob)).type).toBe('released');
    expect(address.holders()).toEqual([]);
  });

  it('stands once its node has taken it up, for then it lives and has answered', () => {
    const address = handedToBob();
    const seat = address.seatOf(bob);
    address.accept(bob);
    expect(clearUp(address, seat)).toEqual({ type: 'gone' });
    expect(address.holders()).toEqual(['bob-lock']);
  });

  it('is, when it was broken, known to be so by the request that waited for it', () => {
    const address = handedToBob();
    const seat = address.seatOf(bob);
    address.forceUnlock(bob.lockId);
    const about = seatedBob(address, seat);
    expect(address.send({ type: 'park-over', closing: false, ...about }).type).toBe('not-locked');
    address.lock(bob);
    expect(address.send({ type: 'park-over', closing: false, ...about }).type).toBe('gone');
  });

  it('leaves a request that asked anew where it is, when it is woken late', () => {
    const address = handedToBob();
    address.forceUnlock(bob.lockId);
    address.lock(anew(alice));
    address.park(bob);
    expect(address.send({ ...seatedBob(address), type: 'accept' })).toMatchObject({
      type: 'held',
      holders: [{ lockId: 'alice-lock-2' }],
      parkFor: 2_000,
    });
  });
});
