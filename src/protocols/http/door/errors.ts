import type { Address } from '../../../core/address.ts';
import { formatLockInfo, parseLockInfo } from '../../../core/lock-info.ts';
import type { Held } from '../../../core/outcome.ts';
import type { Holder } from '../../../core/world.ts';
import type { DoorReply } from '../../door.ts';
import { problemReply } from '../../wire/problem.ts';
import { refusalWords, type Refusal } from '../../wire/refusal.ts';
import type { Operation, Undetected } from './detect.ts';

/** The answer to a request that has no row in the table, or an address that is none. */
export function undetected({ status, problem, allow }: Undetected): DoorReply {
  const error = status === 405 ? 'method' : 'address';
  const reply = problemReply('unknown', error, { status, message: problem });
  return allow === undefined ? reply : { ...reply, headers: { ...reply.headers, allow } };
}

/** A body that is not what its operation needs. */
export function badRequest(operation: Operation, message: string): DoorReply {
  return problemReply(operation, 'bad-request', { status: 400, message });
}

/** This door's one table from outcome to wire. */
export function refused(operation: Operation, address: Address, refusal: Refusal): DoorReply {
  if (refusal.type === 'held') return locked(operation, refusal);
  if (refusal.type === 'fenced' && refusal.holders.length > 0) {
    return locked(operation, { ...refusal, type: 'held', position: null, waiting: 0, parkFor: null });
  }
  return problemReply(operation, refusal.type, refusalWords(address, refusal));
}

/**
 * The holder's lock info, as every version of the client decodes it, with what a person wants to know in `Info`.
 * Terraform up to 1.14 reads the ID alone, later ones and OpenTofu print the whole.
 */
function locked(operation: Operation, held: Held): DoorReply {
  const [holder] = held.holders;
  if (holder === undefined)
    return problemReply(operation, 'held', { status: 409, message: 'the lock is not held' });
  const headers = { 'content-type': 'application/json' };
  return { operation, status: 423, headers, body: Buffer.from(lockText(holder, held)) };
}

/** A holder's lock info with place in line and age written into `Info`. */
export function lockText(holder: Holder, held: Pick<Held, 'holders' | 'position' | 'waiting'>): string {
  const parsed = parseLockInfo(holder.info);
  if ('problem' in parsed) throw new Error(`a kept lock info is none: ${parsed.problem}`);
  const facts = [
    parsed.info.info,
    `held by ${holder.subject} through ${holder.door} since ${new Date(holder.since).toISOString()}`,
    held.holders.length > 1 ? `together with ${held.holders.length - 1} more` : '',
    held.position === null ? '' : `you are number ${held.position} of ${held.waiting} in line`,
  ];
  const info = facts.filter((fact) => fact !== '').join('; ');
  return formatLockInfo({ ...parsed.info, id: holder.lockId, info });
}
