import type { Caller } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { Run } from './run-book.ts';
import { identityOf } from './tokens.ts';

/** A run, as the house knows it. */
export function callerOfRun(run: Pick<Run, 'id' | 'address'>): Caller {
  return { identity: identityOf(run, 'apply'), door: 'run' };
}

/** The version of a run's state that is the newest; 0 for none. */
export async function headOf(
  house: Pick<House, 'states'>,
  run: Pick<Run, 'id' | 'address'>,
): Promise<number> {
  const answer = await house.states.describe(callerOfRun(run), run.address);
  if (answer.type !== 'described') throw new Error(`the state of a run cannot be read: ${answer.type}`);
  return answer.head?.number ?? 0;
}

/** What a log of a run begins with. */
export function titleOf({ program, version }: Pick<Run, 'program' | 'version'>): string {
  return `${program === 'tofu' ? 'OpenTofu' : 'Terraform'} v${version}`;
}
