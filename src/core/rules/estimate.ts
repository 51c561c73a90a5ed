import type { LockCommand } from '../command.ts';
import type { Instant, Milliseconds } from '../instant.ts';
import type { QueueEntry } from '../world.ts';
import type { Draft } from './draft.ts';

/** The longest that `?wait=` may hold a request open. */
export const WAIT_MAX: Milliseconds = 60 * 60 * 1_000;
/** Terraform's back-off ends at 16 s (`internal/states/statemgr/locker.go`). */
const CLIENT_SLEEP_MAX: Milliseconds = 16_000;

/** How long Terraform sleeps after its n-th refused attempt: 1, 2, 4, 8, 16, 16 … s. */
export function clientSleep(asks: number): Milliseconds {
  return Math.min(1_000 * 2 ** (asks - 1), CLIENT_SLEEP_MAX);
}

/**
 * Until when a request is held open: as long as it asks to be, and one that came back, and so has shown that it waits,
 * about as long as it would have slept. Any other is not, so that a client without `-lock-timeout` fails fast.
 */
export function parkedUntil(command: LockCommand, asks: number, firstAsk: Instant, at: Instant): Instant {
  const courtesy = asks === 1 ? at : at + clientSleep(asks);
  const asked = command.wait === null ? at : firstAsk + Math.min(command.wait, WAIT_MAX);
  return Math.max(courtesy, asked);
}

/**
 * How much longer a request stays whose time is over: until its turn, where that is expected sooner than its client, sent
 * away now, would be back. At most one more sleep, so that a `-lock-timeout` is not overrun by much.
 */
export function staysFor(draft: Draft, place: QueueEntry): Milliseconds | null {
  const { typicalHold } = draft.record;
  const holder = draft.holders.at(-1);
  const sleep = clientSleep(place.asks);
  const parkedFor = draft.at - place.lastAsk;
  if (typicalHold === null || holder === undefined || parkedFor >= 2 * sleep) return null;
  const heldFor = draft.at - holder.since;
  if (heldFor > 2 * typicalHold) return null;
  const ahead = draft.line.filter(({ seat, ticket }) => seat !== null && ticket < place.ticket).length;
  const expected = Math.max(typicalHold - heldFor, 0) + ahead * typicalHold;
  return expected <= sleep ? 2 * sleep - parkedFor : null;
}
