import type { Configuration } from './configuration.ts';
import { buildHouse, type BuiltHouse } from './build.ts';
import { beforeStart } from './unfinished-start.ts';
import type { OpenHouse } from './open-port.ts';

export type { OpenHouse } from './open-port.ts';

/**
 * Builds the house from its parts and opens its port. A start that fails leaves nothing in a new data directory.
 * @throws with words for the operator when it cannot
 */
export async function openHouse(configuration: Configuration): Promise<OpenHouse> {
  const takeAway = beforeStart(configuration.store);
  try {
    return await openBuilt(configuration, buildHouse(configuration));
  } catch (fault) {
    takeAway();
    throw fault;
  }
}

/** Opens the port of a house that is being built; a house whose port cannot be opened is closed. */
export async function openBuilt(
  configuration: Configuration,
  building: Promise<BuiltHouse>,
): Promise<OpenHouse> {
  // The engine takes a moment to start: what speaks at the port is loaded meanwhile.
  const loading = import('./open-port.ts');
  const built = await building;
  try {
    const { openPort } = await loading;
    await built.house.join();
    built.bodies?.keeper.start();
    return await openPort(configuration, built);
  } catch (fault) {
    // What went wrong first is what the operator must read.
    await built.close().catch(() => undefined);
    throw fault;
  }
}
