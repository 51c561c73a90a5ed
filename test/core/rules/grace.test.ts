import { describe, expect, it } from 'vitest';
import { ADDRESS, apply, OneAddress, type Client } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');

/** Alice has locked, and her credential expires a second later, with a minute of grace. */
function lateHolder(): { address: OneAddress; actor: ReturnType<OneAddress['late']> } {
  const address = new OneAddress();
  address.lock(alice);
  return { address, actor: address.late(alice) };
}

function write(address: OneAddress, client: Client, serial: number, actor: object): string {
  return address.write(client, serial, { actor } as never).type;
}

describe('the grace of an expired credential', () => {
  it('is for writing, asking for the held lock again, and releasing it', () => {
    const { address, actor } = lateHolder();
    address.pass(59);
    expect(address.lock(alice, { actor })).toMatchObject({ type: 'granted', again: true });
    expect(write(address, alice, 1, actor)).toBe('stored');
    expect(address.unlock(alice, { actor }).type).toBe('released');
    // Sent again, since its answer was lost.
    expect(address.unlock(alice, { actor }).type).toBe('released');
  });

  it('has an end, after which nothing is done', () => {
    const { address, actor } = lateHolder();
    address.pass(60);
    const over = { type: 'expired', graceOver: true };
    expect(address.lock(alice, { actor })).toEqual(over);
    expect(address.write(alice, 1, { actor })).toEqual(over);
    expect(address.unlock(alice, { actor })).toEqual(over);
    expect(address.holders()).toEqual(['alice-lock']);
  });

  it('is not for a lock that was taken when the credential had expired', () => {
    const address = new OneAddress();
    const actor = address.late(alice);
    // As on another node whose clock is behind.
    address.lock(alice);
    expect(address.write(alice, 1, { actor })).toEqual({ type: 'expired' });
    expect(address.unlock(alice, { actor })).toEqual({ type: 'expired' });
    expect(address.lock(alice, { actor })).toEqual({ type: 'expired' });
  });

  it('is not for deleting, bringing back, purging or restoring, even under the lock', () => {
    const { address, actor } = lateHolder();
    expect(write(address, alice, 1, actor)).toBe('stored');
    const claim = { kind: 'named', lockId: 'alice-lock' } as const;
    const about = { address: ADDRESS, actor };
    const restore = { from: 1, newest: 1 };
    expect(address.write(alice, 2, { actor, restore })).toEqual({ type: 'expired' });
    expect(address.send({ type: 'delete', ...about, claim })).toEqual({ type: 'expired' });
    expect(address.send({ type: 'undelete', ...about })).toEqual({ type: 'expired' });
    expect(address.send({ type: 'purge', ...about })).toEqual({ type: 'expired' });
  });

  it('is not for one who waits: a grant that comes after its expiry goes to the next', () => {
    const address = new OneAddress();
    const carol = apply('carol');
    address.lock(alice);
    address.park(bob);
    const seat = address.seatOf(bob);
    address.park(carol);
    const actor = address.late(bob);
    address.unlock(alice);
    expect(address.holders()).toEqual(['bob-lock']);
    const accept = { type: 'accept', address: ADDRESS, actor, waiter: 'bob-lock', seat } as const;
    expect(address.send(accept)).toEqual({ type: 'expired' });
    expect(address.holders()).toEqual(['carol-lock']);
  });
});
