import type { Configuration } from './configuration.ts';
import { buildHouse } from './build.ts';
import type { OpenHouse } from './open-port.ts';

export type { OpenHouse } from './open-port.ts';

/**
 * Builds the house from its parts and opens its port.
 * @throws with words for the operator when it cannot
 */
export async function openHouse(configuration: Configuration): Promise<OpenHouse> {
  const building = buildHouse(configuration);
  // The engine takes a moment to start: what speaks at the port is loaded meanwhile.
  const loading = import('./open-port.ts');
  const built = await building;
  try {
    const { openPort } = await loading;
    await built.house.join();
    return await openPort(configuration, built);
  } catch (fault) {
    // What went wrong first is what the operator must read.
    await built.close().catch(() => undefined);
    throw fault;
  }
}
