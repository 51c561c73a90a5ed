import { hasDatabase } from '../engines/sqlite/files/data-directory.ts';
import type { Caller } from '../house/caller.ts';
import type { Reencrypted } from '../house/reencryption.ts';
import { EngineFault } from '../ports/engine.ts';
import { buildHouse } from './build.ts';
import type { Configuration } from './configuration.ts';
import { KeyRotation, type ReencryptionAnswer, type RotationAnswer } from './rotate-key.ts';

/** Whoever may read the data directory and its master key needs no credential. */
const OWNER: Caller = {
  identity: { subject: 'house:owner', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'command-line',
};

/** How a key is changed while no server runs. */
interface OfflineTerms {
  readonly reencrypt?: boolean;
  readonly progress?: (step: Reencrypted) => void;
}

/**
 * Changes the master key of a house that is not running.
 * @throws {EngineFault} when it is running after all, or is no house
 */
export async function rotateOffline(
  configuration: Configuration,
  { reencrypt = false, progress = () => undefined }: OfflineTerms = {},
): Promise<Extract<RotationAnswer, { type: 'rotated' }>> {
  const { store } = configuration;
  if (store.kind === 'directory' && !hasDatabase(store.path))
    throw new EngineFault(`there is no database in ${store.path}`);
  const built = await buildHouse(configuration);
  try {
    const { house, keyring, keys } = built;
    const rotation = new KeyRotation({ house, keyring, source: keys });
    const answer = await rotation.rotate(OWNER, { reencrypt });
    if (answer.type !== 'rotated') throw new Error(`the key was not changed: ${answer.type}`);
    if (reencrypt) await reencryptAll(rotation, progress);
    return answer;
  } finally {
    await built.close();
  }
}

async function reencryptAll(rotation: KeyRotation, progress: (step: Reencrypted) => void): Promise<void> {
  let after: string | null = null;
  do {
    const step: ReencryptionAnswer = await rotation.reencrypt(OWNER, after);
    if (step.type !== 'reencrypted') throw new Error(`the states were not encrypted again: ${step.type}`);
    progress(step);
    after = step.next;
  } while (after !== null);
}
