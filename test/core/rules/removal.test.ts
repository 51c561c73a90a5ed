import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/core/command.ts';
import { actorOf, ADDRESS, apply, OneAddress } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');
const NONE: Claim = { kind: 'none' };
const ALICES: Claim = { kind: 'named', lockId: 'alice-lock' };

function written(): OneAddress {
  const address = new OneAddress();
  address.write(alice, 5, { claim: NONE });
  return address;
}

describe('a removal', () => {
  it('hides the state and keeps its history', () => {
    const address = written();
    expect(address.delete(bob)).toMatchObject({ type: 'deleted', repeat: false, version: { number: 1 } });
    expect(address.world.record).toMatchObject({ deletedAt: address.at, head: { number: 1 } });
    expect(address.last.effects.map(({ type }) => type)).toEqual(['put-record', 'audit']);
  });

  it('that is sent again is answered again', () => {
    const address = written();
    address.delete(bob);
    expect(address.delete(bob)).toMatchObject({ type: 'deleted', repeat: true });
    expect(address.deeds()).toEqual([]);
  });

  it('is of the state that is expected, or none', () => {
    const address = written();
    const sha256 = address.world.record.head?.sha256 ?? '';
    const about = { type: 'delete', address: ADDRESS, actor: actorOf(bob), claim: NONE } as const;
    expect(address.send({ ...about, expects: { sha256: 'another' } })).toMatchObject({
      type: 'stale',
      reason: 'changed-meanwhile',
    });
    expect(address.deeds()).toEqual([]);
    expect(address.send({ ...about, expects: { sha256 } }).type).toBe('deleted');
  });

  it('is taken back, or made final, for the newest version that is expected', () => {
    const address = written();
    address.delete(bob);
    const about = { address: ADDRESS, actor: actorOf(bob) };
    expect(address.send({ type: 'undelete', ...about, newest: 2 })).toEqual({ type: 'absent' });
    expect(address.send({ type: 'purge', ...about, newest: 2 })).toEqual({ type: 'absent' });
    expect(address.send({ type: 'undelete', ...about, newest: 1 }).type).toBe('undeleted');
    address.delete(bob);
    expect(address.send({ type: 'purge', ...about, newest: 1 }).type).toBe('purged');
  });

  it('of nothing says so', () => {
    expect(new OneAddress().delete(bob)).toEqual({ type: 'absent' });
  });

  it('is its lock holder’s alone', () => {
    const address = written();
    address.lock(alice);
    expect(address.delete(bob)).toMatchObject({ type: 'held', holders: [{ lockId: 'alice-lock' }] });
    expect(address.delete(bob, ALICES).type).toBe('fenced');
    expect(address.delete(alice).type).toBe('held');
    expect(address.delete(alice, ALICES).type).toBe('deleted');
  });

  it('under a lock that was broken is refused', () => {
    const address = written();
    address.lock(alice);
    address.forceUnlock(null);
    expect(address.delete(alice, ALICES).type).toBe('fenced');
  });

  it('is refused to an expired credential, even under its lock', () => {
    const address = written();
    address.lock(alice);
    const actor = address.late(alice);
    expect(address.send({ type: 'delete', address: ADDRESS, actor, claim: ALICES }).type).toBe('expired');
  });

  it('does not tell an expired credential whether a state is there, or was deleted', () => {
    const actor = { subject: alice.subject, door: 'http', expiry: { at: 0, graceUntil: Infinity } };
    const expired = { type: 'delete', address: ADDRESS, actor, claim: { kind: 'none' } } as const;
    expect(new OneAddress().send(expired).type).toBe('expired');
    const address = written();
    address.delete(bob);
    expect(address.send(expired).type).toBe('expired');
  });

  it('makes way for another state, whose version is the next', () => {
    const address = written();
    address.delete(bob);
    expect(address.write(bob, 1, { claim: NONE, lineage: 'new' })).toMatchObject({
      type: 'stored',
      version: { number: 2, serial: 1n, forced: false },
    });
    expect(address.world.record.deletedAt).toBeNull();
  });
});

describe('an undeletion', () => {
  it('shows the state again as it was', () => {
    const address = written();
    address.delete(bob);
    expect(address.undelete(bob)).toMatchObject({ type: 'undeleted', version: { number: 1, serial: 5n } });
    expect(address.world.record.deletedAt).toBeNull();
    expect(address.deeds()).toEqual(['undelete']);
  });

  it('of what is there, or never was, says so', () => {
    expect(written().undelete(bob)).toMatchObject({ type: 'exists', head: { number: 1 } });
    expect(new OneAddress().undelete(bob)).toEqual({ type: 'absent' });
  });

  it('waits for the holder of the lock, who began without a state', () => {
    const address = written();
    address.delete(bob);
    address.lock(alice);
    expect(address.undelete(bob)).toMatchObject({ type: 'held', holders: [{ lockId: 'alice-lock' }] });
    address.unlock(alice);
    expect(address.undelete(bob).type).toBe('undeleted');
  });
});

describe('pruning', () => {
  function prune(address: OneAddress, numbers: readonly number[]): ReturnType<OneAddress['send']> {
    const versions = numbers.map((number) => ({ number, at: 0 }));
    return address.send({ type: 'prune', address: ADDRESS, actor: actorOf(bob), versions });
  }

  it('drops the versions that it names, but never the newest', () => {
    const address = written();
    address.write(bob, 6, { claim: NONE });
    expect(prune(address, [1, 2])).toEqual({ type: 'pruned', versions: [1] });
    expect(address.last.effects).toMatchObject([
      { type: 'drop-versions', numbers: [1] },
      { type: 'audit', note: { action: 'prune', detail: { versions: 1, upTo: 1 } } },
    ]);
  });

  it('keeps the newest of a deleted state as well', () => {
    const address = written();
    address.delete(bob);
    expect(prune(address, [1])).toEqual({ type: 'pruned', versions: [] });
    expect(address.last.effects).toEqual([]);
  });
});

describe('a purge', () => {
  it('drops a deleted state with all its history', () => {
    const address = written();
    address.delete(bob);
    expect(address.purge(bob)).toEqual({ type: 'purged' });
    expect(address.world.record.head).toBeNull();
    expect(address.last.effects.map(({ type }) => type)).toEqual(['put-record', 'drop-all', 'audit']);
    expect(address.undelete(bob)).toEqual({ type: 'absent' });
    expect(address.purge(bob)).toEqual({ type: 'absent' });
  });

  it('spares what is shown or locked', () => {
    const address = written();
    expect(address.purge(bob)).toMatchObject({ type: 'exists', head: { number: 1 } });
    address.delete(bob);
    address.lock(alice);
    expect(address.purge(bob)).toMatchObject({ type: 'held', holders: [{ lockId: 'alice-lock' }] });
  });

  it('lets fences, version numbers and releases go on, so that nothing old passes for new', () => {
    const address = new OneAddress();
    address.lock(alice);
    address.write(alice, 5);
    address.unlock(alice);
    address.delete(bob);
    address.purge(bob);
    expect(address.unlock(alice).type).toBe('released');
    expect(address.write(alice, 6).type).toBe('fenced');
    expect(address.lock(bob)).toMatchObject({ holder: { fence: 2 } });
    expect(address.write(bob, 1)).toMatchObject({ version: { number: 2 } });
  });
});
