import type { HeldLock, StateClient } from '../../ports/state-client.ts';
import { Failure } from '../failure.ts';

/** Writes a state, reads it back, and compares. @throws Failure when something else is there afterwards */
export async function writeAndVerify(
  client: StateClient,
  workspace: string,
  bytes: Uint8Array,
  lock: HeldLock | null,
): Promise<void> {
  if (lock !== null && lock.lost.aborted)
    throw new Failure('the lock was lost before the state was written, and nothing was changed');
  await client.write(workspace, bytes, lock);
  const back = await client.read(workspace);
  if (back !== null && Buffer.from(back).equals(bytes)) return;
  throw new Failure(`${client.locate(workspace)} returned other bytes than were written`, {
    next: 'Another client may write without the lock. Compare with "statehouse pull" before you continue.',
  });
}
