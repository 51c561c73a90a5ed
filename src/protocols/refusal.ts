import { formatAddress, type Address } from '../core/address.ts';
import type { ReleasedBefore } from '../core/outcome.ts';
import type { Holder } from '../core/world.ts';
import type { PurgeAnswer, RestoreAnswer, UndeleteAnswer } from '../house/history.ts';
import type { LockAnswer, UnlockAnswer } from '../house/locks.ts';
import type { DeleteAnswer, ReadAnswer, ReadWholeAnswer, WriteAnswer } from '../house/states.ts';

/** All that the house may refuse with. */
export type Refusal = Exclude<
  | LockAnswer
  | UnlockAnswer
  | ReadAnswer
  | ReadWholeAnswer
  | WriteAnswer
  | DeleteAnswer
  | RestoreAnswer
  | UndeleteAnswer
  | PurgeAnswer,
  {
    type: 'granted' | 'released' | 'found' | 'whole' | 'stored' | 'deleted' | 'undeleted' | 'purged';
  }
>;

/** A refusal as plain HTTP and JSON say it: what the doors without a protocol of their own answer. */
export interface RefusalWords {
  readonly status: number;
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  /** When to ask again, where the house knows. */
  readonly retryAfterSeconds?: number;
}

/** @param address null for what was asked of the house as a whole */
export function refusalWords(address: Address | null, refusal: Refusal): RefusalWords {
  const name = address === null ? 'this house' : formatAddress(address);
  switch (refusal.type) {
    case 'absent':
      return { status: 404, message: `there is no state at ${name}` };
    case 'exists':
      return { status: 409, message: `there is a state at ${name}: it is not deleted` };
    case 'gone':
      return { status: 503, message: 'the request was given up: ask again' };
    case 'expired':
      return { status: 401, message: 'the credential has expired, and holds no lock here' };
    case 'forbidden':
      return { status: 403, message: `${refusal.subject} may not ${refusal.action} ${name}` };
    case 'held':
      return {
        status: 423,
        message: `${name} is locked: ${holdersInWords(refusal.holders)}`,
        facts: locks(refusal),
      };
    case 'released-before':
      return { status: 410, message: releasedBeforeInWords(refusal) };
    case 'not-locked':
      return { status: 409, message: `${name} is not locked` };
    case 'not-holder':
      return {
        status: 409,
        message: `${name} is locked by another: ${holdersInWords(refusal.holders)}`,
        facts: locks(refusal),
      };
    case 'may-not-break':
      return {
        status: 403,
        message: `${name} is locked: ${holdersInWords(refusal.holders)}. Breaking another's lock needs the operator role: ask an operator to force-unlock it`,
        facts: locks(refusal),
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
      return {
        status: 503,
        message: 'too many states are being written at once: try again',
        retryAfterSeconds: refusal.retryAfterSeconds,
      };
  }
}

/** Why a lock ID is refused that has had the lock. */
export function releasedBeforeInWords({ lockId, at, broken }: ReleasedBefore): string {
  return `lock ${lockId} was ${broken ? 'broken' : 'released'} at ${new Date(at).toISOString()}, and a lock ID is granted only once: ask again with a new ID`;
}

const STALE = {
  'serial-lower': 'The serial is lower than that of the newest state: this write would lose a change.',
  'serial-equal': 'There is another state with this serial: this write would lose a change.',
  lineage: 'The lineage is another: these are two unrelated states.',
  'changed-meanwhile': 'The state is not the one that this write was made for.',
} as const;

function locks({ holders }: { holders: readonly Holder[] }): { locks: readonly string[] } {
  return { locks: holders.map(({ lockId }) => lockId) };
}

function holdersInWords(holders: readonly Holder[]): string {
  return holders
    .map(
      ({ lockId, subject, door, operation, since }) =>
        `lock ${lockId} is held by ${subject} through ${door} for ${operation} since ${new Date(since).toISOString()}`,
    )
    .join(', and ');
}
