import { setImmediate } from 'node:timers/promises';
import type { Configuration } from './configuration.ts';
import { buildHouse, type BuiltHouse } from './build.ts';
import { beforeStart } from './unfinished-start.ts';
import type { OpenHouse, openPort } from './open-port.ts';

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
  const loading = loadPort();
  const built = await building;
  try {
    const open = await loading;
    await built.house.join();
    built.bodies?.keeper.start();
    return await open(configuration, built);
  } catch (fault) {
    // What went wrong first is what the operator must read.
    await built.close().catch(() => undefined);
    throw fault;
  }
}

/** Loads what speaks at the port while the engine's thread starts, which takes as long; so the thread is let start first. */
async function loadPort(): Promise<typeof openPort> {
  await setImmediate();
  const [{ openPort: open }, { loadDoors }] = await Promise.all([
    import('./open-port.ts'),
    import('./doors.ts'),
  ]);
  await loadDoors();
  return open;
}
