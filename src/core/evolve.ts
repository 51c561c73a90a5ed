import type { Effect } from './effect.ts';
import type { World } from './world.ts';

/** The world that the effects make of this one: what an engine's rows say after it has stored them. */
export function evolve(world: World, effects: readonly Effect[]): World {
  let { record, holders, line, releases } = world;
  for (const effect of effects) {
    switch (effect.type) {
      case 'put-record':
        record = effect.record;
        break;
      case 'put-holder':
        holders = [...holders.filter(({ lockId }) => lockId !== effect.holder.lockId), effect.holder].sort(
          (a, b) => a.fence - b.fence,
        );
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
      case 'put-release':
        releases = [...releases.filter(({ lockId }) => lockId !== effect.release.lockId), effect.release];
        break;
      case 'drop-releases':
        releases = releases.filter(({ at, number }) => at >= effect.before && number > effect.upTo);
        break;
      case 'put-version':
      case 'drop-versions':
      case 'drop-all':
      case 'audit':
        break;
      default:
        effect satisfies never;
    }
  }
  return { record, holders, line, releases };
}
