import { visible } from '../../../core/visible.ts';
import type { Address } from '../../../core/address.ts';
import { formatLockInfo } from '../../../core/lock-info.ts';
import type { Holder } from '../../../core/world.ts';
import type { DoorReply } from '../../door.ts';
import { heldBy, lockInfoOf, whereKept, type Refusal } from '../../explain.ts';
import type { Frozen } from '../../../house/freezes.ts';
import { problemReply, type Problem } from '../../wire/problem.ts';
import { refusalProblem } from '../../wire/refusal.ts';
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

/** Where the asker stands in line for the lock; no position where it asked for none. */
interface LinePosition {
  readonly position: number | null;
  readonly waiting: number;
}

/** A refusal as this door answers it: where somebody holds the lock, with the holder's lock info. */
export function refused(operation: Operation, address: Address, refusal: Refusal): DoorReply {
  const problem = refusalProblem(address, refusal);
  if (refusal.type === 'frozen' && operation === 'lock') return frozenReply(problem, refusal);
  if (refusal.type !== 'held' && refusal.type !== 'fenced') {
    return problemReply(operation, refusal.type, problem);
  }
  const place = refusal.type === 'held' ? refusal : { position: null, waiting: 0 };
  const text = lockText(refusal.holders, place, whereKept(refusal).replace(/^\. /, ''));
  // Clients look for a lock info in a 423.
  if (text === null) return problemReply(operation, refusal.type, { ...problem, status: 409 });
  return lockReply(operation, 423, text);
}

/**
 * Clients of a lock request look for a lock info in a 423. Terraform up to 1.14 prints its ID alone, with the words after it;
 * later ones and OpenTofu print the whole.
 */
function frozenReply(problem: Problem, { by, since }: Frozen): DoorReply {
  const { message, facts } = problem;
  const body = {
    error: 'frozen',
    message,
    ...facts,
    ID: `frozen\n${message}`,
    Operation: 'freeze',
    Info: message,
    Who: visible(by),
    Version: '',
    Created: new Date(since).toISOString(),
    Path: '',
  };
  return lockReply('lock', problem.status, JSON.stringify(body));
}

/** An answer that is a lock info. */
export function lockReply(operation: Operation, status: number, text: string): DoorReply {
  return { operation, status, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) };
}

/**
 * The first holder's lock info, as every version of the client decodes it, with what a person wants to know in `Info`.
 * Terraform up to 1.14 reads the ID alone, later ones and OpenTofu print the whole.
 * @returns null where nobody holds the lock
 */
export function lockText(
  holders: readonly Holder[],
  { position, waiting }: LinePosition,
  more = '',
): string | null {
  const [holder] = holders;
  if (holder === undefined) return null;
  const lock = lockInfoOf(holder);
  const facts = [
    lock.info,
    heldBy(holder),
    holders.length > 1 ? `together with ${holders.length - 1} more` : '',
    position === null ? '' : `you are number ${position} of ${waiting} in line`,
    more,
  ];
  // It is printed on the terminal of another person; the ID is what that person must be able to name.
  return formatLockInfo({
    id: lock.id,
    operation: visible(lock.operation),
    info: visible(facts.filter((fact) => fact !== '').join('; ')),
    who: visible(lock.who),
    version: visible(lock.version),
    created: lock.created,
    path: visible(lock.path),
  });
}
