import { bringsHome, isExpired } from '../grant.ts';
import type { Actor } from '../command.ts';
import type { Instant } from '../instant.ts';
import type { Expired } from '../outcome.ts';

/**
 * Why an actor may not go on at all, or only under a hold that it has had since some moment; null if it may.
 * @param since when the lock was granted under which it acts; null for none
 */
export function refuseHold(
  { expiry }: Pick<Actor, 'expiry'>,
  since: Instant | null,
  at: Instant,
): Expired | null {
  if (expiry === undefined || !isExpired(expiry.at, at)) return null;
  if (at >= expiry.graceUntil) return { type: 'expired', graceOver: true };
  return since !== null && bringsHome(expiry, since) ? null : { type: 'expired' };
}
