import type { DescribeCommand, RenewCommand } from '../command.ts';
import type { Instant } from '../instant.ts';
import type { NotHolder, NotLocked, OutcomeOf } from '../outcome.ts';
import type { Holder, World } from '../world.ts';
import type { Draft } from './draft.ts';
import { serveLine } from './queue.ts';
import { remember } from './releases.ts';

/** Whether a hold has come to its end by itself. */
export function hasEnded({ until }: Pick<Holder, 'until'>, at: Instant): boolean {
  return until !== null && at >= until;
}

/** When holds of an address end by themselves next, or those who wait may be served again; null for never. */
export function nextEnd({ holders, record: { freeAt } }: World): Instant | null {
  const ends = [...holders.map(({ until }) => until), freeAt].filter((end) => end !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}

/**
 * Ends the holds whose time is over, before anything else is decided: from that moment on their holders are nobody. The lock
 * goes to those who wait, or stays with nobody for as long as the holder asked for.
 */
export function endHolds(draft: Draft): void {
  const ended = draft.holders.filter((holder) => hasEnded(holder, draft.at));
  const { freeAt } = draft.record;
  const isFree = freeAt !== null && draft.at >= freeAt;
  if (ended.length === 0 && !isFree) return;
  if (isFree) draft.change({ freeAt: null, keptFor: null });
  for (const holder of ended) {
    draft.dropHolder(holder.lockId);
    const { lockId, fence, subject, door, since } = holder;
    draft.note({ subject, door }, 'lock-ended', { lock: lockId, fence, since });
    remember(draft, holder, subject, false);
    delay(draft, holder);
  }
  serveLine(draft);
}

/** Gives the hold of the asker another end, and another ID if it likes: one that nobody has or had. */
export function renew(
  draft: Draft,
  { lockId, lease, newId = lockId, actor }: RenewCommand,
): OutcomeOf['renew'] {
  const mine = own(draft, lockId, actor.subject);
  if ('type' in mine) return mine;
  const holder = { ...mine, until: lease === null ? null : draft.at + lease };
  if (newId === lockId) {
    draft.putHolder(holder);
    return { type: 'renewed', holder };
  }
  const isSpent = [...draft.holders, ...draft.releases].some((known) => known.lockId === newId);
  if (isSpent) return { type: 'not-holder', holders: draft.holders };
  const renamed = { ...holder, lockId: newId, operation: '', info: null };
  draft.dropHolder(lockId);
  draft.putHolder(renamed);
  draft.note(actor, 'renew', { lock: newId, before: lockId, fence: renamed.fence });
  remember(draft, mine, actor.subject, false);
  return { type: 'renewed', holder: renamed };
}

/** Keeps the lock info of a lock that was granted before its info was known. */
export function describe(
  draft: Draft,
  { lockId, operation, info, actor }: DescribeCommand,
): OutcomeOf['describe'] {
  const mine = own(draft, lockId, actor.subject);
  if ('type' in mine) return mine;
  const holder = { ...mine, operation, info };
  draft.putHolder(holder);
  return { type: 'described', holder };
}

/** What every command begins with is all that is to be done here. */
export function expire(): OutcomeOf['expire'] {
  return { type: 'ended' };
}

function own({ holders }: Draft, id: string, asker: string): Holder | NotLocked | NotHolder {
  const mine = holders.find(({ lockId, subject }) => lockId === id && subject === asker);
  if (mine !== undefined) return mine;
  return holders.length === 0 ? { type: 'not-locked' } : { type: 'not-holder', holders };
}

function delay(draft: Draft, { until, delay }: Holder): void {
  if (until === null || until + delay <= draft.at) return;
  draft.change({ freeAt: Math.max(draft.record.freeAt ?? 0, until + delay) });
}
