import type { UnlockCommand } from '../command.ts';
import type { MayNotBreak, OutcomeOf, Released, TooYoung } from '../outcome.ts';
import type { Holder } from '../world.ts';
import type { Draft } from './draft.ts';
import { release, serveLine } from './queue.ts';
import { releasedBefore, remember } from './releases.ts';

/** Each new hold moves the average by a quarter, so that it follows a change within a few applies. */
const HOLD_WEIGHT = 0.25;

/** Decides a release: of one's own lock, or, for an operator, of somebody else's. */
export function unlock(draft: Draft, command: UnlockCommand): OutcomeOf['unlock'] {
  const { holders } = draft;
  const before = releasedBefore(draft, command);
  if (before.length > 0) {
    const broken = before.some((release) => release.broken);
    return { type: 'released', broken, lockIds: before.map(({ lockId }) => lockId) };
  }
  if (holders.length === 0) return { type: 'not-locked' };
  const chosen = holders.filter(({ lockId }) => command.lockId === null || lockId === command.lockId);
  if (chosen.length === 0) return { type: 'not-holder', holders };
  const broken = command.lockId === null || chosen.some(({ subject }) => subject !== command.actor.subject);
  if (broken) return breakIn(draft, command, chosen);
  for (const holder of chosen) letGo(draft, command, holder);
  return { type: 'released', broken: false, lockIds: chosen.map(({ lockId }) => lockId) };
}

/**
 * Ends a hold, or one alias of it. Whoever lets go an alias that is not held was shown the lock there and ends it as a whole;
 * only a request that is sent again may find that its alias has gone before.
 */
function letGo(draft: Draft, command: UnlockCommand, holder: Holder): void {
  const { alias, resent } = command;
  const whole = alias === null || (!holder.aliases.includes(alias) && resent !== true);
  const aliases = whole ? [] : holder.aliases.filter((other) => other !== alias);
  if (aliases.length > 0) {
    const answers = holder.answers.filter((answer) => answer.alias !== alias);
    draft.putHolder({ ...holder, aliases, answers });
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

function breakIn(
  draft: Draft,
  command: UnlockCommand,
  chosen: readonly Holder[],
): Released | MayNotBreak | TooYoung {
  if (!command.mayBreak) return { type: 'may-not-break', holders: chosen };
  const guard = command.lockId === null ? (command.guard ?? 0) : 0;
  if (chosen.some(({ since }) => draft.at - since < guard)) {
    return { type: 'too-young', holders: chosen, guard };
  }
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
  return { type: 'released', broken: true, lockIds: chosen.map(({ lockId }) => lockId) };
}
