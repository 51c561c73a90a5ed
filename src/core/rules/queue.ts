import type { AcceptCommand, LeaveCommand, LockCommand, ParkOverCommand } from '../command.ts';
import type { Milliseconds } from '../instant.ts';
import type { Gone, Held, NotLocked, OutcomeOf } from '../outcome.ts';
import type { Holder, QueueEntry } from '../world.ts';
import type { Draft } from './draft.ts';
import { refuseHold } from './expiry.ts';
import { clientSleep, keptUntil, parkedUntil, staysFor } from './estimate.ts';
import { askerIn, grant, holderOf } from './grant.ts';

/** No address needs a longer line; whoever comes later is refused at once, as without a line. */
export const LINE_LENGTH_MAX = 20_000;
/** What one subject may have of a line, so that others always have a place in it. */
export const LINE_SUBJECT_MAX: number = LINE_LENGTH_MAX / 2;
/** So many plans may hold a lock together; more of them wait in line. */
export const SHARERS_MAX = 1_000;
/** How much later than its back-off says a sleeping waiter may come back and still have its place. */
const SLEEP_GRACE: Milliseconds = 15_000;
/** How long after its time a parked request that nobody has ended counts as dead. */
const PARK_GRACE: Milliseconds = 30_000;

/**
 * Puts the asker in line, or finds its place again, and says whether its request is to be held open. The caller has seen
 * that the lock is not free for it.
 */
export function stand(draft: Draft, command: LockCommand): Held {
  const { at } = draft;
  const before = draft.line.find(({ waiter }) => waiter === command.waiter);
  if (before === undefined && isFullFor(draft.line, command.actor.subject)) {
    serveLine(draft);
    return refusalHeld(draft);
  }
  const asks = (before?.asks ?? 0) + 1;
  const firstAsk = before?.firstAsk ?? at;
  const parkUntil = command.seat === null ? at : parkedUntil(draft, command, asks, firstAsk);
  const parked = parkUntil > at;
  const ticket = before?.ticket ?? draft.record.lastTicket + 1;
  if (before === undefined) draft.change({ lastTicket: ticket });
  draft.putPlace({
    waiter: command.waiter,
    lockId: command.lockId,
    ticket,
    subject: command.actor.subject,
    door: command.actor.door,
    operation: command.operation,
    shared: command.shared,
    alias: command.alias,
    lease: command.lease,
    delay: command.delay,
    info: command.info,
    firstAsk,
    lastAsk: at,
    asks,
    seat: parked ? command.seat : null,
    origin: command.actor.origin ?? null,
    until: parked ? parkUntil : at + clientSleep(asks) + SLEEP_GRACE,
  });
  // Plans that stood behind the dead need not wait for them.
  serveLine(draft);
  return refusalHeld(draft, command.waiter, parked ? parkUntil - at : null);
}

function isFullFor(line: readonly QueueEntry[], subject: string): boolean {
  if (line.length < LINE_SUBJECT_MAX) return false;
  return (
    line.length >= LINE_LENGTH_MAX ||
    line.filter((place) => place.subject === subject).length >= LINE_SUBJECT_MAX
  );
}

/** Ends, or prolongs a little, the parking of a request whose time is over. */
export function endParking(draft: Draft, command: ParkOverCommand): OutcomeOf['park-over'] {
  const mine = draft.holders.find(({ seat }) => seat === command.seat);
  if (mine !== undefined) return { type: 'granted', holder: mine, again: false };
  const place = seated(draft, command);
  if (place === undefined) return lost(draft, command.waiter);
  const stay = command.closing ? null : staysFor(draft, place);
  if (stay !== null) {
    draft.putPlace({ ...place, until: draft.at + stay });
    return refusalHeld(draft, place.waiter, stay);
  }
  // Whoever was held open has shown that it waits, even if it asked only once.
  const asks = Math.max(place.asks, 2);
  draft.putPlace({ ...place, seat: null, asks, until: draft.at + clientSleep(place.asks) + SLEEP_GRACE });
  // It keeps its place; but those who stood behind the dead need not wait for them.
  serveLine(draft);
  return refusalHeld(draft, place.waiter, null);
}

/**
 * Gives up the place of a request whose client is gone, and takes back what it was granted, unless the client may have heard
 * of that by another answer: a late copy of a request must not take the lock from a client at work.
 */
export function leave(draft: Draft, command: LeaveCommand): OutcomeOf['leave'] {
  const place = seated(draft, command);
  if (place !== undefined) {
    draft.dropPlace(place.waiter);
    serveLine(draft);
    return { type: 'left' };
  }
  const mine = draft.holders.find(
    ({ waiter, answers }) =>
      waiter === command.waiter && answers.some((answer) => answer.seat === command.seat),
  );
  if (mine === undefined || (command.unheard === true && mine.accepted) || hasWritten(draft, mine)) {
    return { type: 'gone' };
  }
  const answers = mine.answers.filter(({ seat }) => seat !== command.seat);
  const lost = mine.answers.find(({ seat }) => seat === command.seat)?.alias;
  const aliases = mine.aliases.filter(
    (alias) => alias !== lost || answers.some((answer) => answer.alias === alias),
  );
  if (aliases.length > 0) {
    draft.putHolder({ ...mine, aliases, answers, seat: answers.at(-1)?.seat ?? null });
    return { type: 'gone' };
  }
  takeBack(draft, command, mine);
  return { type: 'released', broken: false, lockIds: [mine.lockId] };
}

/** The waiter's node is about to answer: from here on the grant stands, unless it was broken or another request has it. */
export function accept(draft: Draft, command: AcceptCommand): OutcomeOf['accept'] {
  const mine = draft.holders.find(({ waiter, seat }) => waiter === command.waiter && seat === command.seat);
  if (mine === undefined) {
    // A wake-up that came late, for a grant that was broken since: the request that asked anew sits on.
    const place = seated(draft, command);
    if (place === undefined) return lost(draft, command.waiter);
    return refusalHeld(draft, place.waiter, Math.max(place.until - draft.at, 1));
  }
  const late = refuseHold(command.actor, mine.since, draft.at);
  if (late !== null) {
    takeBack(draft, command, mine);
    return late;
  }
  const holder = { ...mine, accepted: true };
  draft.putHolder(holder);
  return { type: 'granted', holder, again: false };
}

/**
 * Hands the lock, as far as it is free, to those who are parked, in the order of first asking. A free lock is kept a moment for
 * the first in line who is asleep and due back; other sleepers keep their place but are not waited for. Plans that stand
 * together are let in together, but for those behind an apply.
 */
export function serveLine(draft: Draft): void {
  dropDead(draft);
  const places = draft.line.filter(isPlace);
  for (const place of places) {
    if (!admits(draft, place)) return;
    if (place.seat === null) {
      if (place === places[0] && isKept(draft, place)) return;
      continue;
    }
    const { seat } = place;
    draft.dropPlace(place.waiter);
    const holder = grant(draft, askerIn(place));
    draft.handOver({ seat, waiter: place.waiter, holder });
  }
}

/** Whether the lock is, or now comes to be, kept for the first in line, who sleeps. */
function isKept(draft: Draft, { waiter, until }: QueueEntry): boolean {
  if (draft.holders.length > 0) return false;
  if (draft.record.keptFor === waiter) return true;
  const freeAt = keptUntil(draft, until - SLEEP_GRACE);
  if (freeAt !== null) draft.change({ freeAt, keptFor: waiter });
  return freeAt !== null;
}

/** Who asked once, and has not shown by coming back that it waits, has no place yet: only its turn by the order of asking. */
export function isPlace({ asks, seat }: QueueEntry): boolean {
  return asks > 1 || seat !== null;
}

/**
 * Whether the lock can be given to one more: nobody holds it, no delay is left, and it is kept for nobody who stands behind;
 * or plans hold it and this is one.
 */
export function admits(
  { holders, record, line }: Draft,
  { shared, ticket }: Pick<QueueEntry, 'shared' | 'ticket'>,
): boolean {
  if (record.freeAt !== null) {
    const kept = line.find(({ waiter }) => waiter === record.keptFor);
    if (kept === undefined || ticket > kept.ticket) return false;
  }
  if (holders.length === 0) return true;
  return shared && holders.length < SHARERS_MAX && holders.every((holder) => holder.shared);
}

/** Gives up the places of sleepers who did not come back, and of requests whose node has died. */
export function dropDead(draft: Draft): void {
  for (const { waiter, seat, until } of draft.line) {
    if (draft.at > until + (seat === null ? 0 : PARK_GRACE)) draft.dropPlace(waiter);
  }
}

/** Ends a hold of which its client has not heard, and hands the lock on. */
function takeBack(draft: Draft, { actor }: LeaveCommand | AcceptCommand, mine: Holder): void {
  draft.note(actor, 'lock-taken-back', { lock: mine.lockId, fence: mine.fence });
  release(draft, mine);
}

/** Ends a hold, and hands the lock on in the same step. */
export function release(draft: Draft, holder: Holder): void {
  draft.dropHolder(holder.lockId);
  serveLine(draft);
}

/**
 * The refusal that tells who holds the lock, and where in line the asker stands. A lock that is kept is told to be held by
 * the one that it is kept for: most programs cannot wait for a lock of which nobody is told.
 */
export function refusalHeld(
  draft: Draft,
  waiter: string | null = null,
  parkFor: Milliseconds | null = null,
): Held {
  const { holders, line, record } = draft;
  const places = line.filter(isPlace);
  const index = places.findIndex((place) => place.waiter === waiter);
  const kept = line.filter((place) => place.waiter === record.keptFor);
  return {
    type: 'held',
    holders: holders.length > 0 ? holders : kept.map((place) => holderOf(draft, askerIn(place))),
    position: index === -1 ? null : index + 1,
    waiting: places.length,
    parkFor,
  };
}

/** Who has written under its grant has heard of it. */
function hasWritten({ record }: Draft, { fence }: Holder): boolean {
  return record.head?.fence === fence;
}

/** What became of a seat that is there no more: its client sits elsewhere now, or the grant that it was given was broken. */
function lost(draft: Draft, name: string): Gone | NotLocked {
  const elsewhere = [...draft.holders, ...draft.line].some(({ waiter }) => waiter === name);
  return { type: elsewhere ? 'gone' : 'not-locked' };
}

function seated(draft: Draft, command: { waiter: string; seat: string }): QueueEntry | undefined {
  return draft.line.find(({ waiter, seat }) => waiter === command.waiter && seat === command.seat);
}
