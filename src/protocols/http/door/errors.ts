import { formatAddress, type Address } from '../../../core/address.ts';
import { formatLockInfo, parseLockInfo } from '../../../core/lock-info.ts';
import type { Held } from '../../../core/outcome.ts';
import type { Holder } from '../../../core/world.ts';
import type { LockAnswer, UnlockAnswer } from '../../../house/locks.ts';
import type { DeleteAnswer, ReadAnswer, WriteAnswer } from '../../../house/states.ts';
import type { DoorReply } from '../../door.ts';
import type { Operation, Undetected } from './detect.ts';

/** All that the house may refuse with at this door. */
export type Refusal = Exclude<
  LockAnswer | UnlockAnswer | ReadAnswer | WriteAnswer | DeleteAnswer,
  { type: 'granted' | 'released' | 'found' | 'stored' | 'deleted' }
>;

type Words = {
  readonly status: number;
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
};

/** The answer to a request that has no row in the table, or an address that is none. */
export function undetected({ status, problem, allow }: Undetected): DoorReply {
  const reply = say('unknown', status === 405 ? 'method' : 'address', { status, message: problem });
  return allow === undefined ? reply : { ...reply, headers: { ...reply.headers, allow } };
}

export function unauthenticated(operation: Operation | 'unknown'): DoorReply {
  const reply = say(operation, 'unauthenticated', {
    status: 401,
    message: 'no valid credential: give its id as the user name and its secret as the password',
  });
  return {
    ...reply,
    headers: { ...reply.headers, 'www-authenticate': 'Basic realm="Statehouse", charset="UTF-8"' },
  };
}

/** A body that is not what its operation needs. */
export function badRequest(operation: Operation, message: string): DoorReply {
  return say(operation, 'bad-request', { status: 400, message });
}

/** This door's one table from outcome to wire. */
export function refused(operation: Operation, address: Address, refusal: Refusal): DoorReply {
  if (refusal.type === 'held') return locked(operation, refusal);
  if (refusal.type === 'fenced' && refusal.holders.length > 0) {
    return locked(operation, { ...refusal, type: 'held', position: null, waiting: 0, parkFor: null });
  }
  return say(operation, refusal.type, words(address, refusal));
}

/** Cannot say now: never taken for "no state". */
export function fault(operation: Operation | 'unknown', message: string): DoorReply {
  const reply = say(operation, 'fault', { status: 503, message });
  return { ...reply, headers: { ...reply.headers, 'retry-after': '1' } };
}

function words(address: Address, refusal: Exclude<Refusal, { type: 'held' }>): Words {
  const name = formatAddress(address);
  switch (refusal.type) {
    case 'absent':
      return { status: 404, message: `there is no state at ${name}` };
    case 'gone':
      return { status: 503, message: 'the request was given up: ask again' };
    case 'expired':
      return { status: 401, message: 'the credential has expired, and holds no lock here' };
    case 'forbidden':
      return { status: 403, message: `${refusal.subject} may not ${refusal.action} ${name}` };
    case 'not-locked':
      return { status: 409, message: `${name} is not locked` };
    case 'not-holder':
      return {
        status: 409,
        message: `${name} is locked by another: ${refusal.holders.map(inWords).join(', and ')}`,
        facts: { locks: refusal.holders.map(({ lockId }) => lockId) },
      };
    case 'may-not-break':
      return {
        status: 403,
        message: `${name} is locked: ${refusal.holders.map(inWords).join(', and ')}. Breaking another's lock needs the operator role: ask an operator to force-unlock it`,
        facts: { locks: refusal.holders.map(({ lockId }) => lockId) },
      };
    case 'fenced':
      return {
        status: 409,
        message: `lock ${refusal.lockId} is no longer held: it was released or broken, and what was written since must not be lost`,
      };
    case 'shared-hold':
      return {
        status: 409,
        message: 'the lock is held for a plan, together with other plans, and a plan does not write',
      };
    case 'stale': {
      const { head, reason } = refusal;
      return {
        status: reason === 'changed-meanwhile' ? 412 : 409,
        message: `${STALE[reason]} Pull the newest state and try again; to replace it on purpose, push under a lock with "state push -force".`,
        facts: { reason, serial: head?.serial.toString(), lineage: head?.lineage, version: head?.number },
      };
    }
    case 'too-large':
      return {
        status: 413,
        message: `a state has at most ${refusal.limit} bytes here`,
        facts: { limit: refusal.limit },
      };
    case 'not-a-state':
      return { status: 422, message: refusal.problem };
    case 'damaged':
      return { status: 400, message: refusal.problem };
    case 'busy':
      return { status: 503, message: 'too many states are being written at once: try again' };
  }
}

const STALE = {
  'serial-lower': 'The serial is lower than that of the newest state: this write would lose a change.',
  'serial-equal': 'There is another state with this serial: this write would lose a change.',
  lineage: 'The lineage is another: these are two unrelated states.',
  'changed-meanwhile': 'The state is not the one that this write was made for.',
} as const;

/**
 * The holder's lock info, as every version of the client decodes it, with what a person wants to know in `Info`.
 * Terraform up to 1.14 reads the ID alone, later ones and OpenTofu print the whole.
 */
function locked(operation: Operation, held: Held): DoorReply {
  const [holder] = held.holders;
  if (holder === undefined) return say(operation, 'held', { status: 409, message: 'the lock is not held' });
  return json(operation, 423, lockText(holder, held));
}

function inWords({ lockId, subject, door, operation, since }: Holder): string {
  return `lock ${lockId} is held by ${subject} through ${door} for ${operation} since ${new Date(since).toISOString()}`;
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

function say(operation: Operation | 'unknown', error: string, { status, message, facts }: Words): DoorReply {
  return json(operation, status, `${JSON.stringify({ error, message, ...facts })}\n`);
}

function json(operation: Operation | 'unknown', status: number, text: string): DoorReply {
  return { operation, status, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) };
}
