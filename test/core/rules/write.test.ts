import { describe, expect, it } from 'vitest';
import type { Claim, WriteCommand } from '../../../src/core/command.ts';
import { OPERATION_EXEC, OPERATION_EXEC_CLAIMED } from '../../../src/core/lock-info.ts';
import { anew, apply, OneAddress, plan, writeOf, type Client } from './one-address.ts';

const alice = apply('alice');
const bob = apply('bob');
const OPERATOR = apply('operator');
const NONE: Claim = { kind: 'none' };

/** A state of serial 5 that an earlier run of Alice wrote under a lock that it has released. */
function written(): OneAddress {
  const address = new OneAddress();
  const earlier = anew(alice, 0);
  address.lock(earlier);
  address.write(earlier, 5);
  address.unlock(earlier);
  return address;
}

/** The same, locked by Alice again for this operation. */
function locked(operation = 'OperationTypeApply'): OneAddress {
  const address = written();
  address.lock({ ...alice, operation });
  return address;
}

function head(address: OneAddress): { number: number | undefined; serial: bigint | undefined } {
  const { head: version } = address.world.record;
  return { number: version?.number, serial: version?.serial };
}

describe('a write under its lock', () => {
  it('is kept as the next version, with who wrote it and under which grant', () => {
    const address = locked();
    const outcome = address.write(alice, 6);
    expect(outcome).toMatchObject({
      type: 'stored',
      repeat: false,
      version: {
        number: 2,
        serial: 6n,
        subject: 'token:alice',
        door: 'http',
        at: address.at,
        lockId: 'alice-lock',
        fence: 2,
        operation: 'OperationTypeApply',
        forced: false,
        restoredFrom: null,
      },
    });
    expect(address.last.effects.map(({ type }) => type)).toEqual(['put-record', 'put-version', 'audit']);
    expect(address.deeds()).toEqual(['write']);
  });

  it.each([
    ['a lower serial', 4, {}, 'serial-lower'],
    ['the same serial and other bytes', 5, {}, 'serial-equal'],
    ['another lineage', 6, { lineage: 'elsewhere' }, 'lineage'],
  ] as const)('is refused with %s', (_, serial, more, reason) => {
    const address = locked();
    expect(address.write(alice, serial, more)).toMatchObject({ type: 'stale', reason, head: { number: 1 } });
    expect(head(address)).toEqual({ number: 1, serial: 5n });
    expect(address.last.effects).toEqual([]);
  });

  it.each(['state-push', 'migration source state', 'migration destination state', 'workspace-new'])(
    'of the operation %s may put another state in its place, and the version says so',
    (operation) => {
      const address = locked(operation);
      expect(address.write(alice, 1, { lineage: 'elsewhere' })).toMatchObject({
        type: 'stored',
        version: { number: 2, serial: 1n, lineage: 'elsewhere', forced: true, operation },
      });
    },
  );

  it('of such an operation that loses nothing is not called forced', () => {
    expect(locked('state-push').write(alice, 6)).toMatchObject({ version: { forced: false } });
  });

  it('may follow a state that has no lineage, or have none', () => {
    const address = locked();
    expect(address.write(alice, 6, { lineage: '' }).type).toBe('stored');
    expect(address.write(alice, 7, { lineage: 'any' }).type).toBe('stored');
  });

  it('is refused to a plan, which never writes', () => {
    const address = new OneAddress();
    const carol = plan('carol');
    address.lock(carol);
    expect(address.write(carol, 1)).toMatchObject({
      type: 'shared-hold',
      holders: [{ lockId: 'carol-lock' }],
    });
    expect(head(address).number).toBeUndefined();
  });

  it('is allowed to a credential that expired meanwhile, but to nobody else whose has', () => {
    const address = locked();
    expect(address.write(alice, 6, { actor: address.late(alice) }).type).toBe('stored');
    expect(address.write(bob, 7, { actor: address.late(bob) }).type).toBe('expired');
    address.unlock(alice);
    expect(address.write(alice, 7, { actor: address.late(alice), claim: NONE }).type).toBe('expired');
  });
});

describe('a write that is sent again', () => {
  it('succeeds, and makes no second version', () => {
    const address = locked();
    const command = writeOf(alice, 6, 'the same bytes');
    address.send(command);
    expect(address.send(command)).toMatchObject({ type: 'stored', repeat: true, version: { number: 2 } });
    expect(address.last.effects).toEqual([]);
  });

  it('succeeds even when its lock is gone meanwhile: it has been kept', () => {
    const address = locked();
    const command = writeOf(alice, 6, 'the same bytes');
    address.send(command);
    address.forceUnlock(null);
    expect(address.send(command)).toMatchObject({ type: 'stored', repeat: true });
    address.lock(bob);
    expect(address.send(command)).toMatchObject({ type: 'stored', repeat: true });
    address.write(bob, 7);
    expect(address.send(command).type).toBe('fenced');
  });

  it('succeeds although the precondition that it carried is met no more', () => {
    const address = new OneAddress();
    const command = writeOf(alice, 1, 'bytes', { claim: NONE, expects: { sha256: null } });
    address.send(command);
    expect(address.send(command)).toMatchObject({ type: 'stored', repeat: true });
  });

  it('of a restore makes no second version', () => {
    const address = locked();
    address.write(alice, 6);
    const command = writeOf(alice, 7, 'old', { restore: { from: 1, newest: 2 } });
    address.send(command);
    expect(address.send(command)).toMatchObject({ type: 'stored', repeat: true, version: { number: 3 } });
  });
});

describe('a write after its lock was broken', () => {
  it('is refused, whoever holds the lock now', () => {
    const address = locked();
    address.forceUnlock('alice-lock');
    expect(address.write(alice, 6)).toMatchObject({
      type: 'fenced',
      lockId: 'alice-lock',
      holders: [],
    });
    address.lock(bob);
    expect(address.write(alice, 6)).toMatchObject({ type: 'fenced', holders: [{ lockId: 'bob-lock' }] });
    expect(head(address)).toEqual({ number: 1, serial: 5n });
  });

  it('is refused where its lock ID is another subject’s', () => {
    const address = locked();
    expect(address.write(apply('alice', 'token:mallory'), 6).type).toBe('fenced');
  });
});

describe('a write without a lock', () => {
  it.each([
    ['the next serial', 'stored', 6, {}],
    ['a serial far ahead', 'stored', 60, {}],
    ['the same serial', 'stale', 5, {}],
    ['a lower serial', 'stale', 4, {}],
    ['another lineage', 'stale', 6, { lineage: 'elsewhere' }],
  ] as const)('with %s, while nobody holds the lock, is %s', (_, outcome, serial, more) => {
    expect(written().write(bob, serial, { claim: NONE, ...more }).type).toBe(outcome);
  });

  it('cannot lose a change: of two that read the same state, the second is refused', () => {
    const address = written();
    expect(address.write(alice, 6, { claim: NONE }).type).toBe('stored');
    expect(address.write(bob, 6, { claim: NONE })).toMatchObject({ type: 'stale', reason: 'serial-equal' });
  });

  it('is refused while somebody holds the lock, the writer itself included', () => {
    const address = locked();
    for (const client of [alice, bob]) {
      expect(address.write(client, 6, { claim: NONE })).toMatchObject({
        type: 'held',
        holders: [{ lockId: 'alice-lock' }],
        parkFor: null,
      });
    }
  });

  it('is refused while plans hold the lock', () => {
    const address = written();
    address.lock(plan('carol'));
    expect(address.write(bob, 6, { claim: NONE }).type).toBe('held');
  });

  it('is its holder’s inside `statehouse exec`', () => {
    const address = locked(OPERATION_EXEC);
    expect(address.write(alice, 6, { claim: NONE })).toMatchObject({
      type: 'stored',
      version: { lockId: 'alice-lock', fence: 2 },
    });
    expect(address.write(bob, 7, { claim: NONE }).type).toBe('held');
  });

  describe('while `statehouse exec` tells its commands apart', () => {
    const under = (client: Client, lent: string): Partial<WriteCommand> => ({
      actor: { subject: client.subject, door: 'http', lent },
      claim: NONE,
    });
    const unnamed: Claim = { kind: 'unnamed', aliases: ['http'] };

    it('is its command’s alone, of all that the same subject does', () => {
      const address = locked(OPERATION_EXEC_CLAIMED);
      expect(address.write(alice, 6, { claim: NONE }).type).toBe('held');
      expect(address.write(alice, 6, { claim: unnamed }).type).toBe('held');
      expect(address.write(alice, 6, under(alice, 'other-lock')).type).toBe('held');
      expect(address.write(bob, 6, under(bob, 'alice-lock')).type).toBe('held');
      expect(address.write(alice, 6, under(alice, 'alice-lock'))).toMatchObject({
        type: 'stored',
        version: { lockId: 'alice-lock', operation: OPERATION_EXEC_CLAIMED },
      });
    });

    it('is refused once the lock is over, and free where that lock never was', () => {
      const address = locked(OPERATION_EXEC_CLAIMED);
      address.unlock(OPERATOR, { lockId: 'alice-lock', mayBreak: true });
      expect(address.write(alice, 6, under(alice, 'alice-lock'))).toMatchObject({
        type: 'fenced',
        lockId: 'alice-lock',
      });
      expect(written().write(alice, 6, under(alice, 'alice-lock-of-another-state')).type).toBe('stored');
      expect(locked().write(alice, 6, under(alice, 'alice-lock')).type).toBe('stored');
    });
  });
});

describe('a write at a door that cannot name a lock', () => {
  const claim: Claim = { kind: 'unnamed', aliases: ['s3-lock-file', 'dynamodb-item'] };

  it('is its holder’s where the same subject took the lock there', () => {
    const address = written();
    address.lock(alice, { alias: 'dynamodb-item' });
    expect(address.write(alice, 6, { claim })).toMatchObject({
      type: 'stored',
      version: { lockId: 'alice-lock', fence: 2 },
    });
  });

  it('is refused to another subject, and where the lock was taken at another door', () => {
    const address = written();
    address.lock(alice, { alias: 'dynamodb-item' });
    expect(address.write(bob, 6, { claim }).type).toBe('held');
    address.unlock(alice);
    address.lock(anew(alice), { alias: 'http' });
    expect(address.write(alice, 6, { claim }).type).toBe('held');
  });

  it('follows the rules for writes without a lock where there is none', () => {
    const address = written();
    expect(address.write(bob, 5, { claim }).type).toBe('stale');
    expect(address.write(bob, 6, { claim })).toMatchObject({ type: 'stored', version: { lockId: null } });
  });
});

describe('a write with a precondition', () => {
  it.each([
    ['no state where there is none', false, null, 'stored'],
    ['no state where there is one', true, null, 'stale'],
    ['this very state', true, 'body-1-5', 'stored'],
    ['another state', true, 'other', 'stale'],
    ['some state where there is none', false, 'other', 'stale'],
  ] as const)('that expects %s', (_, exists, sha256, outcome) => {
    const address = exists ? written() : new OneAddress();
    expect(address.write(bob, 6, { claim: NONE, expects: { sha256 } })).toMatchObject(
      outcome === 'stored' ? { type: 'stored' } : { type: 'stale', reason: 'changed-meanwhile' },
    );
  });

  it('is held to it even by a forced push', () => {
    const address = locked('state-push');
    expect(address.write(alice, 9, { expects: { sha256: 'other' } }).type).toBe('stale');
  });
});

describe('a restore', () => {
  const restorer: Client = apply('restorer');

  it('rolls forward: a new version that says where it came from', () => {
    const address = written();
    address.write(bob, 6, { claim: NONE });
    expect(address.write(restorer, 7, { claim: NONE, restore: { from: 1, newest: 2 } })).toMatchObject({
      type: 'stored',
      version: { number: 3, serial: 7n, restoredFrom: 1, forced: false },
    });
    expect(address.deeds()).toEqual(['restore']);
  });

  it('may bring an encrypted state back under its own serial, and another lineage', () => {
    const address = written();
    const more = { claim: NONE, encrypted: true, lineage: 'elsewhere', restore: { from: 1, newest: 1 } };
    expect(address.write(restorer, 2, more)).toMatchObject({
      type: 'stored',
      version: { serial: 2n, forced: true },
    });
  });

  it('is refused when the state has changed since it was looked at', () => {
    const address = written();
    address.write(bob, 6, { claim: NONE });
    expect(address.write(restorer, 6, { claim: NONE, restore: { from: 1, newest: 1 } })).toMatchObject({
      type: 'stale',
      reason: 'changed-meanwhile',
      head: { number: 2 },
    });
  });

  it('is refused under the lock of another', () => {
    const address = locked();
    expect(address.write(restorer, 6, { claim: NONE, restore: { from: 1, newest: 1 } }).type).toBe('held');
  });
});
