import type { AddressCommand, CommandOf, CommandType } from '../command.ts';
import type { Instant } from '../instant.ts';
import type { Expired } from '../outcome.ts';
import type { Draft } from './draft.ts';
import { refuseHold } from './expiry.ts';
import { releasedBefore } from './releases.ts';
import { permitFor } from './write.ts';

/** What an expired actor may be let do: nothing but what it does under a lock, since when it holds that, or anything. */
type Grace = 'nothing' | 'anything' | { readonly since: Instant };

/**
 * What the grace of rule 10 is for: to write under a lock that was taken before the expiry, to ask for it again, and to
 * release it. A command that is not in this table does not compile.
 */
const GRACE: { readonly [T in CommandType]: (draft: Draft, command: CommandOf[T]) => Grace } = {
  lock: ownHold,
  unlock: (draft, command) => {
    if (command.lockId === null) return 'nothing';
    const [release] = releasedBefore(draft, command);
    // A release that is sent again changes nothing.
    return release === undefined
      ? ownHold(draft, { lockId: command.lockId, actor: command.actor })
      : { since: -Infinity };
  },
  renew: ownHold,
  describe: ownHold,
  write: (draft, { claim, actor, restore }) => {
    const permit = permitFor(draft, claim, actor);
    const holder = 'holder' in permit ? permit.holder : null;
    return holder === null || restore !== null ? 'nothing' : { since: holder.since };
  },
  delete: () => 'nothing',
  undelete: () => 'nothing',
  purge: () => 'nothing',
  retain: () => 'nothing',
  // Leaving costs nobody anything; a grant is looked at by its own rule, which gives it up.
  leave: () => 'anything',
  'park-over': () => 'anything',
  accept: () => 'anything',
  // The house's own.
  prune: () => 'anything',
  expire: () => 'anything',
};

/** Why the rules refuse a command whose actor's credential has expired; null if it has not, or may still do this. */
export function refuseExpired<T extends CommandType>(
  draft: Draft,
  command: AddressCommand<T> & { readonly type: T },
): Expired | null {
  if (command.actor.expiry === undefined) return null;
  const graceOf: (draft: Draft, command: CommandOf[T]) => Grace = GRACE[command.type];
  const grace = graceOf(draft, command);
  if (grace === 'anything') return null;
  return refuseHold(command.actor, grace === 'nothing' ? null : grace.since, draft.at);
}

function ownHold(draft: Draft, { lockId, actor }: Pick<CommandOf['renew'], 'lockId' | 'actor'>): Grace {
  const mine = draft.holders.find((holder) => holder.lockId === lockId && holder.subject === actor.subject);
  return mine === undefined ? 'nothing' : { since: mine.since };
}
