import { describe, expect, it } from 'vitest';
import type { Holder } from '../../src/core/world.ts';
import { HEARD_WITHIN, UnheardGrants } from '../../src/house/locks/unheard.ts';
import { toLockShape } from '../../src/server/api/shapes/lock.ts';
import { ADDRESS, BuiltHouse, callerOf } from './fixtures/built-house.ts';

const ANN = callerOf('ann');

function heldBy(...seats: readonly string[]): Holder {
  return { answers: seats.map((seat) => ({ seat, alias: 'http' })) } as unknown as Holder;
}

describe('a grant whose answer is not acknowledged', () => {
  it('is told with its lock until that is settled, by the node that answered', async () => {
    await using built = await BuiltHouse.build('memory');
    const { locks } = built.house;
    const ask = { operation: '', info: null, tellsHoldersApart: true, alias: 'http', wait: null } as const;
    const gone = new AbortController().signal;
    const granted = await locks.lock(ANN, ADDRESS, { lockId: 'one', ...ask, gone });
    if (granted.type !== 'granted') throw new Error(granted.type);
    const seen = async (): Promise<unknown> => {
      const shown = await locks.show(ANN, ADDRESS);
      return shown.type === 'shown' && toLockShape(shown.lock, built.clock.now()).holders[0]?.unheard;
    };
    expect(await seen()).toBe(false);
    granted.undelivered.unheard?.(true);
    expect(await seen()).toBe(true);
    granted.undelivered.unheard?.(false);
    expect(await seen()).toBe(false);
  });

  it('is heard as soon as one of several answers was acknowledged', () => {
    const grants = new UnheardGrants('a');
    grants.watched('a:1', () => undefined).unheard?.(true);
    expect(grants.has(heldBy('a:1'))).toBe(true);
    expect(grants.has(heldBy('a:1', 'a:2'))).toBe(false);
    grants.watched('a:2', () => undefined).unheard?.(true);
    expect(grants.has(heldBy('a:1', 'a:2'))).toBe(true);
  });

  it('is not known to other nodes, which say so for as long as it may be', () => {
    const elsewhere = heldBy('a:1');
    const other = new UnheardGrants('b');
    expect(other.has(elsewhere)).toBeNull();
    expect(other.has(heldBy())).toBe(false);
    const holder = { ...elsewhere, lockId: 'one', since: 0, info: null } as Holder;
    const view = { address: ADDRESS, holders: [holder], unheard: new Map([['one', null]]) };
    const lock = { ...view, line: [], waiting: 0, frozen: null, usualHold: null };
    const seenAt = (now: number): unknown => toLockShape(lock, now).holders[0]?.unheard;
    expect([seenAt(HEARD_WITHIN - 1), seenAt(HEARD_WITHIN + 1)]).toEqual([null, false]);
  });
});
