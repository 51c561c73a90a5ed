import type { Address } from '../../../core/address.ts';
import type { Version } from '../../../core/world.ts';
import type { ReadAnswer } from '../../../house/states/states.ts';
import type { DoorCall } from './call.ts';

/** How many versions are told apart by what follows the milliseconds. */
const IN_ONE_MILLISECOND = 10_000;
/** Old versions whose times are compared with a wanted one, at most. */
const TRIES_MAX = 100;

/**
 * A version as Azure names snapshots and versions: by its time, with seven digits after the second. The last four are those of the
 * version's number, so that it is found again.
 */
export function versionId({ number, at }: Pick<Version, 'number' | 'at'>): string {
  const digits = String(number % IN_ONE_MILLISECOND).padStart(4, '0');
  return new Date(at).toISOString().replace('Z', `${digits}Z`);
}

/** The version of an address that such a name stands for. */
export async function readVersion(
  { house, caller }: Pick<DoorCall, 'house' | 'caller'>,
  address: Address,
  id: string,
): Promise<ReadAnswer> {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{4})Z$/.exec(id);
  const [, time = '', digits = ''] = match ?? [];
  const at = Date.parse(`${time}Z`);
  const first = Number(digits);
  if (match !== null && !Number.isNaN(at)) {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const number = first + tries * IN_ONE_MILLISECOND;
      if (number === 0) continue;
      const found = await house.states.read(caller, address, number);
      if (found.type !== 'found' || found.version.at === at) return found;
    }
  }
  return { type: 'absent' };
}
