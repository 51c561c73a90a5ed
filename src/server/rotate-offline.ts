import { hasDatabase } from '../engines/sqlite/files/data-directory.ts';
import type { Caller } from '../house/caller.ts';
import { EngineFault } from '../ports/engine.ts';
import { buildHouse } from './build.ts';
import type { Configuration } from './configuration.ts';
import { KeyRotation, type RotationAnswer } from './rotate-key.ts';

/** Whoever may read the data directory and its master key needs no credential. */
const OWNER: Caller = {
  identity: { subject: 'house:owner', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'command-line',
};

/**
 * Changes the master key of a house that is not running.
 * @throws {EngineFault} when it is running after all, or is no house
 */
export async function rotateOffline(
  configuration: Configuration,
): Promise<Extract<RotationAnswer, { type: 'rotated' }>> {
  const { store } = configuration;
  if (store.kind === 'directory' && !hasDatabase(store.path))
    throw new EngineFault(`there is no database in ${store.path}`);
  const built = await buildHouse(configuration);
  try {
    const { house, keyring, keys } = built;
    const answer = await new KeyRotation({ house, keyring, source: keys }).rotate(OWNER);
    if (answer.type !== 'rotated') throw new Error(`the key was not changed: ${answer.type}`);
    return answer;
  } finally {
    await built.close();
  }
}
