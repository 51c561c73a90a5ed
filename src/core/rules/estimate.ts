import type { LockCommand } from '../command.ts';
import type { Instant, Milliseconds } from '../instant.ts';
import type { QueueEntry } from '../world.ts';
import type { Draft } from './draft.ts';

/** The longest that `?wait=` may hold a request open. */
export const WAIT_MAX: Milliseconds = 60 * 60 * 1_000;
/** Terraform's back-off ends at 16 s (`internal/states/statemgr/locker.go`). */
const CLIENT_SLEEP_MAX: Milliseconds = 16_000;

const PARK_MIN: Milliseconds = 2_000;
const PARK_MAX: Milliseconds = 10 * 60 * 1_000;
/** What a client and its network add to the sleep that a waiter is due back after. */
const LATE: Milliseconds = 1_000;

/** How the line balances the waiters' patience, their order, and the time that the lock is free. */
export interface LineRule {
  /** How long a request is held open whose waiter came back. */
  readonly parkFor: (asks: number, waited: Milliseconds) => Milliseconds;
  /** How late the first in line may be due back for a free lock to be kept for it. */
  readonly keepFor: (typicalHold: Milliseconds) => Milliseconds;
}

/**
 * A waiter that comes back stays for twice what it has waited, so that it is away a small part of the time, and a
 * `-lock-timeout` is overrun by about twice itself at most. A free lock is kept for the first in line up to half a usual hold.
 * Both were chosen by simulation: see `line` in bench/README.md.
 */
export const LINE_RULE: LineRule = {
  parkFor: (_asks, waited) => Math.min(Math.max(2 * waited, PARK_MIN), PARK_MAX),
  keepFor: (typicalHold) => typicalHold / 2,
};

/** How long Terraform sleeps after its n-th refused attempt: 1, 2, 4, 8, 16, 16 … s. */
export function clientSleep(asks: number): Milliseconds {
  return Math.min(1_000 * 2 ** (asks - 1), CLIENT_SLEEP_MAX);
}

/**
 * Until when a request is held open: as long as it asks to be, and one that came back, and so has shown that it waits, as long
 * as the rule says. Any other is not, so that a client without `-lock-timeout` fails fast.
 */
export function parkedUntil(draft: Draft, command: LockCommand, asks: number, firstAsk: Instant): Instant {
  const { at, rule } = draft;
  const courtesy = asks === 1 ? at : at + rule.parkFor(asks, at - firstAsk);
  const asked = command.wait === null ? at : firstAsk + Math.min(command.wait, WAIT_MAX);
  return Math.max(courtesy, asked);
}

/**
 * How much longer a request stays whose time is over: until its turn, where that is expected sooner than its client, sent
 * away now, would be back. At most one more sleep, so that a `-lock-timeout` is not overrun by much.
 */
export function staysFor(draft: Draft, place: QueueEntry): Milliseconds | null {
  const { at, rule, record } = draft;
  const holder = draft.holders.at(-1);
  const sleep = clientSleep(place.asks);
  const end = place.lastAsk + rule.parkFor(place.asks, place.lastAsk - place.firstAsk) + sleep;
  if (record.typicalHold === null || holder === undefined || at >= end) return null;
  const heldFor = at - holder.since;
  if (heldFor > 2 * record.typicalHold) return null;
  const ahead = draft.line.filter(({ seat, ticket }) => seat !== null && ticket < place.ticket).length;
  const expected = Math.max(record.typicalHold - heldFor, 0) + ahead * record.typicalHold;
  return expected <= sleep ? end - at : null;
}

/** Until when a lock that is free is kept for a waiter that sleeps; null where it is due back too late, or overdue. */
export function keptUntil(draft: Draft, dueBack: Instant): Instant | null {
  const { typicalHold } = draft.record;
  if (typicalHold === null || dueBack - draft.at > draft.rule.keepFor(typicalHold)) return null;
  return dueBack + LATE > draft.at ? dueBack + LATE : null;
}
