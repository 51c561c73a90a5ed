import type { Address } from '../../../core/address.ts';
import type { DoorCall } from './call.ts';
import { refused, type ConsulError } from './errors.ts';

/** Locks that are looked through for one ID. */
const PAGE = 1_000;
const PAGES_MAX = 100;

/** Ends the lock of an ID, of which it is not said where it is. @returns where it was */
export async function endLockOf({ house, caller }: DoorCall, lockId: string): Promise<Address | ConsulError> {
  let after: Address | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page: Awaited<ReturnType<typeof house.locks.list>> = await house.locks.list(caller, {
      limit: PAGE,
      ...(after === null ? {} : { after }),
    });
    if (page.type !== 'locks') return refused(page);
    const found = page.locks.find(({ holders }) => holders.some((holder) => holder.lockId === lockId));
    if (found !== undefined) {
      const answer = await house.locks.unlock(caller, found.address, { lockId, alias: null });
      return answer.type === 'released' || answer.type === 'not-locked' ? found.address : refused(answer);
    }
    if (page.next === null) break;
    after = page.next;
  }
  return {
    status: 404,
    message: `invalid session "${lockId}": no lock is held under this ID. Expected the ID that Terraform shows of the lock`,
  };
}
