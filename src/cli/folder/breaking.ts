import type { StateClient } from '../../ports/state-client.ts';
import { Failure, lockedByOther } from '../failure.ts';
import { heldByInWords } from './lock-view.ts';

/** Breaks a lock by its ID. @throws Failure when no lock is held, when it is another one, or when it cannot be broken */
export async function breakLock(client: StateClient, workspace: string, id: string): Promise<void> {
  const answer = await client.breakLock(workspace, id);
  switch (answer.type) {
    case 'broken':
      return;
    case 'not-locked':
      throw new Failure(`the state of workspace ${workspace} is not locked`);
    case 'impossible':
      throw new Failure(answer.message);
    case 'other-id': {
      const { holder } = answer;
      const whom = holder === null ? 'another lock' : `lock ${holder.id}, ${heldByInWords(holder)}`;
      throw lockedByOther(
        `the lock ID is ${id}, but the state is locked by ${whom}`,
        '"statehouse status" shows it.',
        {
          holder,
        },
      );
    }
  }
}
