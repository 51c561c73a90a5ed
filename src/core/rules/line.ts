import type { LeaveCommand, LockCommand, ParkOverCommand, AcceptCommand } from '../command.ts';
import type { Instant, Milliseconds } from '../instant.ts';
import type { Held, Outcome } from '../outcome.ts';
import type { Holder, Place } from '../world.ts';
import type { Decision, Draft } from './draft.ts';
import { grant } from './grant.ts';

/** No address needs a longer line; whoever comes later is refused at once, as without a line. */
export const LINE_LENGTH_MAX = 20_000;
/** So many plans may hold a lock together; more of them wait in line. */
export const SHARERS_MAX = 1_000;
/** The longest that `?wait=` may hold a request open. */
export const WAIT_MAX: Milliseconds = 60 * 60 * 1_000;
/** Terraform's back-off ends at 16 s (`internal/states/statemgr/locker.go`). */
const CLIENT_SLEEP_MAX: Milliseconds = 16_000;
/** How much later than its back-off says a sleeping waiter may come back and still have its place. */
const SLEEP_GRACE: Milliseconds = 15_000;
/** How long after its time a parked request that nobody has ended counts as dead. */
const PARK_GRACE: Milliseconds = 30_000;

/** How long Terraform sleeps after its n-th refused attempt: 1, 2, 4, 8, 16, 16 … s. */
export function clientSleep(asks: number): Milliseconds {
  return Math.min(1_000 * 2 ** (asks - 1), CLIENT_SLEEP_MAX);
}

/**
 * Puts the asker in line, or finds its place again, and says whether its request is to be held open. The caller has seen
 * that the lock is not free for it.
 */
export function stand(draft: Draft, command: LockCommand): Decision {
  const { at } = draft;
  const before = draft.line.find(({ waiter }) => waiter === command.waiter);
  if (before === undefined && draft.line.length >= LINE_LENGTH_MAX) {
    serveLine(draft);
    return draft.decision(held(draft, null, null));
  }
  const asks = (before?.asks ?? 0) + 1;
  const firstAsk = before?.firstAsk ?? at;
  const parkUntil = command.seat === null ? at : parkedUntil(command, asks, firstAsk, at);
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
    face: command.face,
    info: command.info,
    firstAsk,
    lastAsk: at,
    asks,
    seat: parked ? command.seat : null,
    until: parked ? parkUntil : at + clientSleep(asks) + SLEEP_GRACE,
  });
  // Plans that stood behind the dead, or behind an apply that is no longer parked, need not wait for them.
  serveLine(draft);
  return draft.decision(held(draft, command.waiter, parked ? parkUntil - at : null));
}

/** Ends, or prolongs a little, the parking of a request whose time is over. */
export function endParking(draft: Draft, command: ParkOverCommand): Decision {
  const mine = draft.holders.find(({ seat }) => seat === command.seat);
  if (mine !== undefined) return draft.decision({ type: 'granted', holder: mine, again: false });
  const place = seated(draft, command);
  if (place === undefined) return draft.decision(lost(draft, command.waiter));
  const stay = command.closing ? null : staysFor(draft, place);
  if (stay !== null) {
    draft.putPlace({ ...place, until: draft.at + stay });
    return draft.decision(held(draft, place.waiter, stay));
  }
  draft.putPlace({ ...place, seat: null, until: draft.at + clientSleep(place.asks) + SLEEP_GRACE });
  // Whoever stood behind an apply that now sleeps need not wait for it.
  serveLine(draft);
  return draft.decision(held(draft, place.waiter, null));
}

/**
 * Gives up the place of a request whose client is gone, and takes back what it was granted, unless the client may have heard
 * of that by another answer: a late copy of a request must not take the lock from a client at work.
 */
export function leave(draft: Draft, command: LeaveCommand): Decision {
  const place = seated(draft, command);
  if (place !== undefined) {
    draft.dropPlace(place.waiter);
    serveLine(draft);
    return draft.decision({ type: 'noted' });
  }
  const mine = draft.holders.find(
    ({ waiter, answers }) =>
      waiter === command.waiter && answers.some((answer) => answer.seat === command.seat),
  );
  if (mine === undefined || (command.unheard === true && mine.accepted) || hasWritten(draft, mine)) {
    return draft.decision({ type: 'gone' });
  }
  const answers = mine.answers.filter(({ seat }) => seat !== command.seat);
  const lost = mine.answers.find(({ seat }) => seat === command.seat)?.face;
  const faces = mine.faces.filter((face) => face !== lost || answers.some((answer) => answer.face === face));
  if (faces.length > 0) {
    draft.putHolder({ ...mine, faces, answers, seat: answers.at(-1)?.seat ?? null });
    return draft.decision({ type: 'gone' });
  }
  draft.note(command.actor, 'lock-taken-back', { lock: mine.lockId, fence: mine.fence });
  release(draft, mine);
  return draft.decision({ type: 'released', broken: false, lockIds: [mine.lockId] });
}

/** The waiter's node is about to answer: from here on the grant stands, unless it was broken or another request has it. */
export function accept(draft: Draft, command: AcceptCommand): Decision {
  const mine = draft.holders.find(({ waiter, seat }) => waiter === command.waiter && seat === command.seat);
  if (mine === undefined) {
    // A wake-up that came late, for a grant that was broken since: the request that asked anew sits on.
    const place = seated(draft, command);
    if (place === undefined) return draft.decision(lost(draft, command.waiter));
    return draft.decision(held(draft, place.waiter, Math.max(place.until - draft.at, 1)));
  }
  const holder = { ...mine, accepted: true };
  draft.putHolder(holder);
  return draft.decision({ type: 'granted', holder, again: false });
}

/**
 * Hands the lock, as far as it is free, to those who are parked, in the order of first asking. A sleeping waiter keeps
 * its place but is not waited for. Plans that stand together are let in together.
 */
export function serveLine(draft: Draft): void {
  dropDead(draft);
  for (const place of draft.line) {
    if (place.seat === null) continue;
    if (!admits(draft, place.shared)) return;
    const { seat } = place;
    draft.dropPlace(place.waiter);
    const holder = grant(draft, { ...place, accepted: false });
    draft.handOver({ seat, waiter: place.waiter, holder });
  }
}

/** Whether the lock can be given to one more: nobody holds it, or plans do and this is one. */
export function admits({ holders }: Draft, shared: boolean): boolean {
  if (holders.length === 0) return true;
  return shared && holders.length < SHARERS_MAX && holders.every((holder) => holder.shared);
}

/** Gives up the places of sleepers who did not come back, and of requests whose node has died. */
export function dropDead(draft: Draft): void {
  for (const { waiter, seat, until } of draft.line) {
    if (draft.at > until + (seat === null ? 0 : PARK_GRACE)) draft.dropPlace(waiter);
  }
}

/** Ends a hold, and hands the lock on in the same step. */
export function release(draft: Draft, holder: Holder): void {
  draft.dropHolder(holder.lockId);
  serveLine(draft);
}

/** The refusal that tells who holds the lock, and where in line the asker stands. */
export function held(draft: Draft, waiter: string | null, parkFor: Milliseconds | null): Held {
  const index = draft.line.findIndex((place) => place.waiter === waiter);
  return {
    type: 'held',
    holders: draft.holders,
    position: index === -1 ? null : index + 1,
    waiting: draft.line.length,
    parkFor,
  };
}

/**
 * Until when a request is held open: as long as it asks to be, and one that came back, and so has shown that it waits,
 * about as long as it would have slept. Any other is not, so that a client without `-lock-timeout` fails fast.
 */
function parkedUntil(command: LockCommand, asks: number, firstAsk: Instant, at: Instant): Instant {
  const courtesy = asks === 1 ? at : at + clientSleep(asks);
  const asked = command.wait === null ? at : firstAsk + Math.min(command.wait, WAIT_MAX);
  return Math.max(courtesy, asked);
}

/**
 * How much longer a request stays whose time is over: until its turn, where that is expected sooner than its client, sent
 * away now, would be back. At most one more sleep, so that a `-lock-timeout` is not overrun by much.
 */
function staysFor(draft: Draft, place: Place): Milliseconds | null {
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

/** Who has written under its grant has heard of it. */
function hasWritten({ record }: Draft, { fence }: Holder): boolean {
  return record.head?.fence === fence;
}

/** What became of a seat that is there no more: its client sits elsewhere now, or the grant that it was given was broken. */
function lost(draft: Draft, name: string): Outcome {
  const elsewhere = [...draft.holders, ...draft.line].some(({ waiter }) => waiter === name);
  return { type: elsewhere ? 'gone' : 'not-locked' };
}

function seated(draft: Draft, command: { waiter: string; seat: string }): Place | undefined {
  return draft.line.find(({ waiter, seat }) => waiter === command.waiter && seat === command.seat);
}
