import { visible } from '../../core/visible.ts';
import { formatAddress, type Address } from '../../core/address.ts';
import type { HolderShape, LockShape } from '../../api/shapes/lock.ts';
import { heldInWords } from '../../core/lock-words.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import type { HouseClient } from './client.ts';

/** Breaks a lock in a running house, after it has shown who holds it. */
export async function forceUnlockInHouse(
  house: HouseClient,
  address: Address,
  lockId: string | undefined,
  { terminal, yes }: { terminal: Terminal; yes: boolean },
): Promise<ExitCode> {
  const name = formatAddress(address);
  const query = { address: name };
  const { holders, waiters, usualHoldMs } = await house.ask('show-lock', { query });
  const holder = choose(name, { holders, usualHoldMs }, lockId);
  terminal.note(`${name} is ${describe(holder, usualHoldMs)}.`);
  if (waiters.length > 0) terminal.note(`${waiters.length} waiting: the first one in line gets the lock.`);
  const question = 'Break this lock? Do so only when its holder has ended: its later writes will be refused.';
  if (!yes && !(await terminal.confirm(question, '--yes'))) {
    terminal.note('Nothing was changed.');
    return FAILED;
  }
  const body = { lockId: holder.lockId };
  const answer = await house.ask('force-unlock', { query, body });
  if (terminal.json) terminal.result({ address: name, ...answer });
  else terminal.say(`${name}: lock ${holder.lockId} is broken`);
  return DONE;
}

function choose(
  name: string,
  { holders, usualHoldMs }: Pick<LockShape, 'holders' | 'usualHoldMs'>,
  lockId: string | undefined,
): HolderShape {
  const [first, ...others] = holders;
  if (first === undefined) throw new Failure(`${name} is not locked`, { details: { reason: 'not-locked' } });
  const named = holders.find((holder) => holder.lockId === lockId);
  if (named !== undefined) return named;
  const all = holders.map((holder) => `  ${describe(holder, usualHoldMs)}`).join('\n');
  if (lockId !== undefined)
    throw new Failure(`${name} is not locked by ${lockId}`, { next: `Locks that are held:\n${all}` });
  if (others.length > 0)
    throw new Failure(`${name} is held by ${holders.length} holders: name the lock`, { next: all });
  return first;
}

function describe(
  { lockId, subject, door, operation, heldMs, reason, info }: HolderShape,
  usualHold: number | null,
): string {
  const who = info?.Who ?? '';
  const held = heldInWords({ subject, who, operation, reason, heldFor: heldMs, usualHold });
  return `${held}; lock ID ${visible(lockId)}, through ${door}`;
}
