import type { AddressCommand, CommandOf, CommandType } from './command.ts';
import type { Instant } from './instant.ts';
import type { OutcomeOf } from './outcome.ts';
import { lock } from './rules/acquire.ts';
import { Draft, type Decision } from './rules/draft.ts';
import { LINE_RULE, type LineRule } from './rules/estimate.ts';
import { refuseExpired } from './rules/grace.ts';
import { describe, endHolds, expire, renew } from './rules/lease.ts';
import { accept, endParking, leave } from './rules/queue.ts';
import { unlock } from './rules/release.ts';
import { prune, purge, remove, undelete } from './rules/removal.ts';
import { retain } from './rules/retain.ts';
import { write } from './rules/write.ts';
import type { World } from './world.ts';

export { evolve } from './evolve.ts';
export type { Decision } from './rules/draft.ts';
export { hasEnded, nextEnd } from './rules/lease.ts';
export { isPlace } from './rules/queue.ts';
export { releasesAsked, type ReleaseQuery } from './rules/releases.ts';

/** The rule of each command: changes the draft, and says what came of it. */
const RULES: { readonly [T in CommandType]: (draft: Draft, command: CommandOf[T]) => OutcomeOf[T] } = {
  lock,
  'park-over': endParking,
  leave,
  accept,
  unlock,
  renew,
  describe,
  expire,
  write,
  delete: remove,
  undelete,
  prune,
  retain,
  purge,
};

/**
 * The one place of rules: what comes of a command in a world, and which rows must change for it.
 * Pure; an engine calls it inside the transaction that loaded the world and stores the effects in the same one.
 */
export function decide<T extends CommandType>(
  command: AddressCommand<T> & { readonly type: T },
  world: World,
  at: Instant,
  rule: LineRule = LINE_RULE,
): Decision<OutcomeOf[T]> {
  const draft = new Draft(world, at, rule);
  endHolds(draft);
  const refusal = refuseExpired<T>(draft, command);
  // A command that may be given for ever is never refused so, and the others' outcomes have a place for it.
  if (refusal !== null) return draft.decision(refusal as OutcomeOf[T]);
  const ruleOf: (draft: Draft, command: CommandOf[T]) => OutcomeOf[T] = RULES[command.type];
  return draft.decision(ruleOf(draft, command));
}
