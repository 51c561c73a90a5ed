import type { AddressCommand } from './command.ts';
import type { Effect } from './effect.ts';
import type { Instant } from './instant.ts';
import { Draft, type Decision } from './rules/draft.ts';
import { accept, endParking, leave } from './rules/line.ts';
import { lock, unlock } from './rules/lock.ts';
import { prune, purge, remove, undelete } from './rules/removal.ts';
import { write } from './rules/write.ts';
import type { World } from './world.ts';

export type { Decision } from './rules/draft.ts';

/**
 * The one place of rules: what comes of a command in a world, and which rows must change for it.
 * Pure; an engine calls it inside the transaction that loaded the world and stores the effects in the same one.
 */
export function decide(command: AddressCommand, world: World, at: Instant): Decision {
  const draft = new Draft(world, at);
  switch (command.type) {
    case 'lock':
      return lock(draft, command);
    case 'park-over':
      return endParking(draft, command);
    case 'leave':
      return leave(draft, command);
    case 'accept':
      return accept(draft, command);
    case 'unlock':
      return unlock(draft, command);
    case 'write':
      return write(draft, command);
    case 'delete':
      return remove(draft, command);
    case 'undelete':
      return undelete(draft, command);
    case 'prune':
      return prune(draft, command);
    case 'purge':
      return purge(draft, command);
  }
}

/** The world that the effects make of this one: what an engine's rows say after it has stored them. */
export function evolve(world: World, effects: readonly Effect[]): World {
  let { record, holders, line } = world;
  for (const effect of effects) {
    switch (effect.type) {
      case 'put-record':
        record = effect.record;
        break;
      case 'put-holder':
        holders = [...holders.filter(({ lockId }) => lockId !== effect.holder.lockId), effect.holder];
        break;
      case 'drop-holder':
        holders = holders.filter(({ lockId }) => lockId !== effect.lockId);
        break;
      case 'put-place': {
        const index = line.findIndex(({ waiter }) => waiter === effect.place.waiter);
        line = index === -1 ? [...line, effect.place] : line.with(index, effect.place);
        break;
      }
      case 'drop-place':
        line = line.filter(({ waiter }) => waiter !== effect.waiter);
        break;
      case 'put-version':
      case 'drop-versions':
      case 'drop-all':
      case 'audit':
        break;
    }
  }
  return { record, holders: [...holders].sort((a, b) => a.fence - b.fence), line };
}
