import type { LockCommand, UnlockCommand } from '../command.ts';
import type { GrantAnswer, Holder } from '../world.ts';
import type { Decision, Draft } from './draft.ts';
import { grant } from './grant.ts';
import { admits, dropDead, held, release, serveLine, stand } from './line.ts';
import { releasedBefore, remember, spentBy } from './releases.ts';

/** Each new hold moves the average by a quarter, so that it follows a change within a few applies. */
const HOLD_WEIGHT = 0.25;
/** So many answers of one grant are told apart: a client that asks more often has heard one of them. */
const ANSWERS_MAX = 8;

/** Decides a request for the lock: granted, granted before, or a place in line. */
export function lock(draft: Draft, command: LockCommand): Decision {
  const mine = draft.holders.find(({ lockId }) => lockId === command.lockId);
  if (mine !== undefined) return again(draft, command, mine);
  const before = spentBy(draft, command.lockId);
  if (before !== undefined) {
    const { lockId, at, broken } = before;
    return draft.decision({ type: 'released-before', lockId, at, broken });
  }
  if (command.actor.expired) return draft.decision({ type: 'expired' });
  dropDead(draft);
  if (!isFree(draft, command)) return stand(draft, command);
  if (draft.line.some(({ waiter }) => waiter === command.waiter)) draft.dropPlace(command.waiter);
  const holder = grant(draft, {
    ...command,
    subject: command.actor.subject,
    door: command.actor.door,
    accepted: true,
  });
  serveLine(draft);
  return draft.decision({ type: 'granted', holder, again: false });
}

/** Decides a release: of one's own lock, or, for an operator, of somebody else's. */
export function unlock(draft: Draft, command: UnlockCommand): Decision {
  const { holders } = draft;
  const before = releasedBefore(draft, command);
  if (before.length > 0) {
    const broken = before.some((release) => release.broken);
    return draft.decision({ type: 'released', broken, lockIds: before.map(({ lockId }) => lockId) });
  }
  if (holders.length === 0) return draft.decision({ type: 'not-locked' });
  const chosen = holders.filter(({ lockId }) => command.lockId === null || lockId === command.lockId);
  if (chosen.length === 0) return draft.decision({ type: 'not-holder', holders });
  const broken = command.lockId === null || chosen.some(({ subject }) => subject !== command.actor.subject);
  if (broken)
    return command.actor.expired ? draft.decision({ type: 'expired' }) : breakIn(draft, command, chosen);
  for (const holder of chosen) letGo(draft, command, holder);
  return draft.decision({ type: 'released', broken: false, lockIds: chosen.map(({ lockId }) => lockId) });
}

function again(draft: Draft, command: LockCommand, mine: Holder): Decision {
  if (mine.subject !== command.actor.subject) return draft.decision(held(draft, null, null));
  const faces = mine.accepted ? [...new Set([...mine.faces, command.face])] : [command.face];
  const answers = answersWith(mine, command);
  const holder = { ...mine, faces, seat: command.seat, accepted: true, answers };
  draft.putHolder(holder);
  return draft.decision({ type: 'granted', holder, again: true });
}

/**
 * The answers that tell of a grant, once it is granted again. An earlier one counts on: its client may have heard it, and
 * this request be a late copy that nobody waits for. Only a hand-over that was not taken up has not been answered.
 */
function answersWith(mine: Holder, { seat, face }: LockCommand): readonly GrantAnswer[] {
  const earlier = mine.accepted ? mine.answers : [];
  const known = mine.accepted && mine.faces.includes(face) && !earlier.some((answer) => answer.face === face);
  if (known) return earlier;
  if (seat === null || earlier.length >= ANSWERS_MAX) return earlier.filter((answer) => answer.face !== face);
  return [...earlier, { seat, face }];
}

/** Free for this asker: nobody holds it, or plans do and no apply is parked before this plan. */
function isFree(draft: Draft, command: LockCommand): boolean {
  if (!admits(draft, command.shared)) return false;
  if (draft.holders.length === 0) return true;
  const ticket = draft.line.find(({ waiter }) => waiter === command.waiter)?.ticket ?? Infinity;
  return !draft.line.some((place) => place.seat !== null && !place.shared && place.ticket < ticket);
}

/**
 * Ends a hold, or one face of it. Whoever lets go a face that is not held was shown the lock there and ends it as a whole;
 * only a request that is sent again may find that its face has gone before.
 */
function letGo(draft: Draft, command: UnlockCommand, holder: Holder): void {
  const { face, resent } = command;
  const whole = face === null || (!holder.faces.includes(face) && resent !== true);
  const faces = whole ? [] : holder.faces.filter((other) => other !== face);
  if (faces.length > 0) {
    const answers = holder.answers.filter((answer) => answer.face !== face);
    draft.putHolder({ ...holder, faces, answers });
    return;
  }
  const { typicalHold } = draft.record;
  const hold = draft.at - holder.since;
  draft.change({
    typicalHold: typicalHold === null ? hold : Math.round(typicalHold + (hold - typicalHold) * HOLD_WEIGHT),
  });
  remember(draft, holder, command.actor.subject, false);
  draft.note(command.actor, 'unlock', { lock: holder.lockId, fence: holder.fence });
  release(draft, holder);
}

function breakIn(draft: Draft, command: UnlockCommand, chosen: readonly Holder[]): Decision {
  if (!command.mayBreak) return draft.decision({ type: 'may-not-break', holders: chosen });
  // All go before the line is served: breaking a shared hold must not hand the lock to a plan in between.
  for (const holder of chosen) {
    draft.dropHolder(holder.lockId);
    remember(draft, holder, command.actor.subject, true);
    draft.note(command.actor, 'force-unlock', {
      lock: holder.lockId,
      fence: holder.fence,
      holder: holder.subject,
      since: holder.since,
    });
  }
  serveLine(draft);
  return draft.decision({ type: 'released', broken: true, lockIds: chosen.map(({ lockId }) => lockId) });
}
