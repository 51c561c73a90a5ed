import type { AddressCommand } from './command.ts';
import type { Instant } from './instant.ts';
import { Draft, type Decision } from './rules/draft.ts';
import { accept, endParking, leave } from './rules/line.ts';
import { lock, unlock } from './rules/lock.ts';
import { prune, purge, remove, undelete } from './rules/removal.ts';
import { write } from './rules/write.ts';
import type { World } from './world.ts';

export { evolve } from './evolve.ts';
export { releasesAsked, type ReleaseQuery } from './rules/releases.ts';
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
