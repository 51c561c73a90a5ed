import type { Effect } from '../core/effect.ts';
import type { World } from '../core/world.ts';
import type { Resealed } from '../ports/sealed-anew.ts';

/** What puts the new sealing of a lock info in the place of the old one, if what it seals is still there. */
export function resealedIn(
  { holders, line }: World,
  item: Extract<Resealed, { kind: 'holder' | 'place' }>,
): readonly Effect[] {
  const info = item.sealed;
  if (item.kind === 'holder') {
    const holder = holders.find(({ lockId }) => lockId === item.lockId);
    return holder === undefined ? [] : [{ type: 'put-holder', holder: { ...holder, info } }];
  }
  const place = line.find(({ waiter }) => waiter === item.waiter);
  return place === undefined ? [] : [{ type: 'put-place', place: { ...place, info } }];
}
