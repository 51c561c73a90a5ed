import { isPlace } from '../../../src/core/decide.ts';
import type { AddressCommand } from '../../../src/core/command.ts';
import type { Instant, Milliseconds } from '../../../src/core/instant.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { QueueEntry, World } from '../../../src/core/world.ts';
import type { CommandResult } from '../../../src/ports/engine.ts';

/** One command that became durable: what was there before it, and what is there now. */
export interface Commit {
  readonly command: AddressCommand;
  readonly outcome: Outcome;
  readonly handovers: CommandResult['handovers'];
  readonly before: World;
  readonly after: World;
  /** By the clock that decides. */
  readonly now: Instant;
}

interface Broken {
  readonly rule: string;
  readonly what: string;
}

/** How long a request that is held open may be overdue before it counts as dead (docs/ARCHITECTURE.md). */
const OVERDUE_MAX: Milliseconds = 30_000;
/** How late a waiter may be for whom a free lock is kept, beside half of a usual hold. */
const LATE: Milliseconds = 1_000;

/** What must hold of every commit, said without the rules that decide. */
export function brokenBy(commit: Commit): Broken | null {
  return writes(commit) ?? serves(commit) ?? keeps(commit) ?? clearsAway(commit);
}

/** A write is stored under the lock that it names, and once. */
function writes({ command, outcome, before }: Commit): Broken | null {
  if (command.type !== 'write' || outcome.type !== 'stored' || outcome.repeat) return null;
  if (before.record.head?.sha256 === command.sha256)
    return { rule: 'a repeated write makes no version', what: `serial ${command.serial} is there twice` };
  const { claim } = command;
  if (claim.kind === 'named' && !before.holders.some(({ lockId }) => lockId === claim.lockId))
    return { rule: 'a write needs the lock that it names', what: `${claim.lockId} does not hold it` };
  if (claim.kind === 'none' && before.holders.length > 0)
    return { rule: 'a write without a lock waits for the holder', what: `serial ${command.serial}` };
  return null;
}

/** Those who are held open are served in the order of first asking. */
function serves({ handovers, before, after, now }: Commit): Broken | null {
  const served = new Set(handovers.map(({ waiter }) => waiter));
  // Whoever comes back in this very step may be too late for what was kept for it.
  const stays = new Set(after.line.map(({ waiter }) => waiter));
  const parked = before.line.filter(
    ({ waiter, seat, until }) => seat !== null && now <= until && stays.has(waiter),
  );
  for (const place of before.line.filter(({ waiter }) => served.has(waiter))) {
    const passed = parked.find(({ ticket }) => ticket < place.ticket);
    if (passed !== undefined)
      return { rule: 'who is held open is served in order', what: `${place.waiter} before ${passed.waiter}` };
  }
  return null;
}

/** A lock that is kept for a sleeper is kept for it alone, and not for long. */
function keeps({ before, after, now }: Commit): Broken | null {
  const { freeAt, keptFor, typicalHold } = after.record;
  if (keptFor !== null && freeAt !== null && freeAt - now > (typicalHold ?? 0) / 2 + LATE + 1)
    return { rule: 'a free lock is kept for half a usual hold at most', what: `${freeAt - now} ms` };
  const kept = before.line.find(({ waiter }) => waiter === before.record.keptFor);
  const isKept = kept !== undefined && before.record.freeAt !== null && now < before.record.freeAt;
  if (!isKept || !after.line.some(({ waiter }) => waiter === kept.waiter)) return null;
  const had = new Set(before.holders.map(({ lockId }) => lockId));
  const taker = after.holders.find(({ lockId, waiter }) => !had.has(lockId) && waiter !== kept.waiter);
  const ticket = before.line.find(({ waiter }) => waiter === taker?.waiter)?.ticket ?? Infinity;
  return taker !== undefined && ticket > kept.ticket
    ? { rule: 'a lock that is kept goes to nobody else', what: `${taker.lockId} before ${kept.waiter}` }
    : null;
}

/** Whoever is gone has no place. */
function clearsAway({ command, outcome, after, now }: Commit): Broken | null {
  if (command.type === 'park-over' && outcome.type === 'held' && outcome.parkFor === null) {
    const place = after.line.find(({ waiter }) => waiter === command.waiter);
    if (place?.seat === command.seat)
      return { rule: 'who was sent away is held open no more', what: command.waiter };
  }
  if (command.type !== 'lock' || outcome.type !== 'held') return null;
  const dead = after.line.find((place) => isPlace(place) && isOverdue(place, now));
  return dead === undefined ? null : { rule: 'who is gone has no place', what: dead.waiter };
}

function isOverdue({ seat, until }: QueueEntry, now: Instant): boolean {
  return now > until + (seat === null ? 0 : OVERDUE_MAX);
}
