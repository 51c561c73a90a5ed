import type { LockCommand } from '../command.ts';
import type { Granted, Held, OutcomeOf } from '../outcome.ts';
import type { GrantAnswer, Holder } from '../world.ts';
import type { Draft } from './draft.ts';
import { grant } from './grant.ts';
import { admits, dropDead, isPlace, refusalHeld, serveLine, stand } from './queue.ts';
import { spentBy } from './releases.ts';

/** So many answers of one grant are told apart: a client that asks more often has heard one of them. */
const ANSWERS_MAX = 8;

/** Decides a request for the lock: granted, granted before, or a place in line. */
export function lock(draft: Draft, command: LockCommand): OutcomeOf['lock'] {
  const mine = draft.holders.find(({ lockId }) => lockId === command.lockId);
  if (mine !== undefined) return again(draft, command, mine);
  const before = spentBy(draft, command.lockId);
  if (before !== undefined) {
    const { lockId, at, broken } = before;
    return { type: 'released-before', lockId, at, broken };
  }
  dropDead(draft);
  if (!isFree(draft, command)) return stand(draft, command);
  if (draft.line.some(({ waiter }) => waiter === command.waiter)) draft.dropPlace(command.waiter);
  const holder = grant(draft, { ...command, ...command.actor, accepted: true });
  serveLine(draft);
  return { type: 'granted', holder, again: false };
}

function again(draft: Draft, command: LockCommand, mine: Holder): Granted | Held {
  if (mine.subject !== command.actor.subject) return refusalHeld(draft);
  const aliases = mine.accepted ? [...new Set([...mine.aliases, command.alias])] : [command.alias];
  const answers = answersWith(mine, command);
  const holder = { ...mine, aliases, seat: command.seat, accepted: true, answers };
  draft.putHolder(holder);
  return { type: 'granted', holder, again: true };
}

/**
 * The answers that tell of a grant, once it is granted again. An earlier one counts on: its client may have heard it, and
 * this request be a late copy that nobody waits for. Only a hand-over that was not taken up has not been answered.
 */
function answersWith(mine: Holder, { seat, alias }: LockCommand): readonly GrantAnswer[] {
  const earlier = mine.accepted ? mine.answers : [];
  const known =
    mine.accepted && mine.aliases.includes(alias) && !earlier.some((answer) => answer.alias === alias);
  if (known) return earlier;
  if (seat === null || earlier.length >= ANSWERS_MAX)
    return earlier.filter((answer) => answer.alias !== alias);
  return [...earlier, { seat, alias }];
}

/** Free for this asker: nobody holds it, or plans do and no apply has a place before this plan. */
function isFree(draft: Draft, { waiter, shared }: LockCommand): boolean {
  const ticket = draft.line.find((place) => place.waiter === waiter)?.ticket ?? Infinity;
  if (!admits(draft, { shared, ticket })) return false;
  if (draft.holders.length === 0) return true;
  return !draft.line.some((place) => isPlace(place) && !place.shared && place.ticket < ticket);
}
