import { formatAddress, type Address } from '../../../core/address.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import { readDurationOrSeconds } from '../../../core/duration.ts';
import type { Shut } from '../../../house/caller.ts';
import type { Undelivered } from '../../../house/locks/unheard.ts';
import { shownLock, type SeenLock } from '../../lock-object/shown-lock.ts';
import { CONSUL_ALIAS, WAIT_DEFAULT, WAIT_MAX } from '../layout.ts';
import { absentReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import { invalid, noSession, notDone, refused, type ConsulError } from './errors.ts';
import { pairReply } from './pair-reply.ts';
import { absentIndex, lockIndex, lockPair } from './pairs.ts';
import { leaseOf } from './sessions.ts';

/** Whether the lock was given or ended, and what to do if the client never hears of it. */
export interface LockChange {
  readonly done: boolean;
  readonly undelivered?: Undelivered;
}

/**
 * Asks for the lock in the name of a session, and is held open where the client has shown that it waits. The lock ID is the
 * session's, which ends the hold in its time; the lock info is told afterwards.
 */
export async function acquire(
  call: DoorCall,
  address: Address,
  sessionId: string,
): Promise<LockChange | ConsulError> {
  const { house, sessions, processes, refusals, caller, request } = call;
  const { subject } = caller.identity;
  const refusal = await house.locks.refuse(caller, 'lock', address);
  if (refusal !== null) return refused(refusal);
  const session = await sessions.find(sessionId);
  if (session === null || session.subject !== subject) return noSession(sessionId);
  processes.shows(sessionId, subject, request);
  if (await wasBroken(call, address, sessionId)) return { done: false };
  const lease = leaseOf(session);
  const answer = await processes.inLine(sessionId, (waiter) =>
    house.locks.lock(caller, address, {
      lockId: sessionId,
      waiter,
      operation: '',
      info: null,
      ...(lease === null ? {} : { lease }),
      tellsHoldersApart: false,
      alias: CONSUL_ALIAS,
      wait: null,
      gone: request.gone,
    }),
  );
  switch (answer.type) {
    case 'granted':
      // It may have ended while it waited.
      if ((await sessions.granted(sessionId, address)) === null) {
        answer.undelivered();
        return noSession(sessionId);
      }
      processes.granted(sessionId, formatAddress(address));
      return { done: true, undelivered: answer.undelivered };
    case 'held':
      refusals.refused(subject, request, address, { sessionId, answer });
      return { done: false };
    // Another request of the same session has its place.
    case 'gone':
      return { done: false };
    default:
      return refused(answer);
  }
}

/**
 * Whether the lock of this very run was broken by hand. Terraform makes a new session and takes the lock back at once, before
 * whoever has broken it can take it, so it is refused from then on; its write is refused by its index, or by the other's lock.
 */
async function wasBroken(
  { house, sessions, processes, caller }: DoorCall,
  address: Address,
  sessionId: string,
): Promise<boolean> {
  const before = processes.heldBefore(sessionId, formatAddress(address));
  if (before === null) return false;
  if (processes.isBroken(before)) return true;
  // A hold that has ended in its time ends with its session.
  if ((await sessions.find(before)) === null) return false;
  const answer = await house.locks.show(caller, address);
  return answer.type === 'shown' && answer.lock.holders.every(({ lockId }) => lockId !== before);
}

/** Ends the hold of a session; not done where the session does not hold the lock. */
export async function release(
  { house, processes, caller }: DoorCall,
  address: Address,
  lockId: string,
): Promise<LockChange | ConsulError> {
  const answer = await house.locks.unlock(caller, address, { lockId, alias: CONSUL_ALIAS });
  processes.released(lockId, formatAddress(address));
  if (answer.type === 'released') return { done: true };
  const isAnothers = answer.type === 'not-locked' || answer.type === 'not-holder';
  return isAnothers ? { done: false } : refused(answer);
}

/** `PUT ?acquire=` and `?release=`: `true`, or `false` for a lock that is another's. */
export async function changeLock(call: DoorCall, address: Address, change: typeof acquire): Promise<Answer> {
  const { query, operation } = call.asked;
  const sessionId = query.get(operation === 'kv.acquire' ? 'acquire' : 'release') ?? '';
  const changed = await change(call, address, sessionId);
  if ('message' in changed) return changed;
  const { done, ...more } = changed;
  return { ...jsonReply(call, done), ...more };
}

/**
 * The key of a lock: there while it is held, by whatever door, in the name of a session that is its lock ID. Go's client asks for
 * the lock only if it sees none, so whoever looks for the sake of taking it is shown none, and asks; then it is shown who holds it.
 */
export async function getLock(call: DoorCall, address: Address): Promise<Answer> {
  const { refusals, changes, caller, request, asked } = call;
  const wait = readWait(asked.query);
  if ('message' in wait) return wait;
  const owed = refusals.looks(caller.identity.subject, request, address, 'lock');
  const seen = await changes.until(caller, address, {
    wait: wait.index === null ? 0 : wait.milliseconds,
    gone: request.gone,
    look: async () => {
      const found = await seeLock(call, address);
      if (found.type === 'seen') showHolder(call, found.lock);
      return found;
    },
    isNews: (found) => found.type !== 'seen' || found.index !== wait.index,
  });
  if (seen.type !== 'seen') return refused(seen);
  const lock = seen.lock ?? owed;
  if (lock === null) return absentReply(call, seen.index);
  const isAttempt = asked.query.has('wait') && wait.index === null && !asked.query.has('consistent');
  if (isAttempt && owed === null) return absentReply(call, seen.index);
  const index = seen.lock === null ? lockIndex(lock.holder) : seen.index;
  return pairReply(call, lockPair(asked.name, lock.holder), index);
}

/** Go's client asks for consistency where it watches over the lock that it holds: this connection is the holder's, too. */
function showHolder({ processes, caller, request, asked }: DoorCall, lock: SeenLock | null): void {
  const { subject } = caller.identity;
  if (lock?.holder.subject !== subject || !asked.query.has('consistent')) return;
  processes.shows(lock.holder.lockId, subject, request);
}

/** The last step of a release or of `force-unlock`; of its own it breaks the lock for an operator. */
export async function deleteLock(call: DoorCall, address: Address): Promise<Answer> {
  const { house, sessions, caller, asked } = call;
  const refusal = await house.locks.refuse(caller, 'unlock', address);
  if (refusal !== null) return refused(refusal);
  const seen = await seeLock(call, address);
  if (seen.type !== 'seen') return refused(seen);
  const { lock } = seen;
  const cas = asked.query.get('cas');
  if (cas !== undefined && lock !== null && cas !== String(lockIndex(lock.holder)))
    return jsonReply(call, false);
  // What was meant has gone with its session; what is there now is another's.
  if (
    lock === null ||
    (cas === undefined && (await sessions.hasJustUnlocked(address, caller.identity.subject)))
  )
    return jsonReply(call, true);
  const lockId =
    cas === undefined && lock.holder.subject !== caller.identity.subject ? null : lock.holder.lockId;
  const answer = await house.locks.unlock(caller, address, { lockId, alias: null });
  return answer.type === 'released' || answer.type === 'not-locked' ? jsonReply(call, true) : refused(answer);
}

/** The key of a lock is written by those alone who acquire or release it. */
export async function putLock({ house, caller }: DoorCall, address: Address): Promise<Answer> {
  const refusal = await house.locks.refuse(caller, 'lock', address);
  if (refusal !== null) return refused(refusal);
  return notDone(
    `a write of the lock of ${formatAddress(address)} without a session`,
    'acquire it with a session, by "?acquire=ID"',
  );
}

/** What a blocking query waits for, and how long. `index` is null for a query that does not block. */
export function readWait(
  query: ReadonlyMap<string, string>,
): { readonly index: number | null; readonly milliseconds: Milliseconds } | ReturnType<typeof invalid> {
  const given = query.get('index') ?? '0';
  if (!/^\d{1,16}$/.test(given)) return invalid(`invalid index "${given}": expected a whole number`);
  const text = query.get('wait') ?? '';
  const wait = text === '' ? WAIT_DEFAULT : readDurationOrSeconds(text);
  if (typeof wait !== 'number') return invalid(`invalid wait: ${wait.problem}`);
  const milliseconds = Math.min(wait === 0 ? WAIT_DEFAULT : wait, WAIT_MAX);
  return { index: Number(given) === 0 ? null : Number(given), milliseconds };
}

/** The lock as it is now, and the index of its key. */
export async function seeLock(
  { house, caller }: DoorCall,
  address: Address,
): Promise<{ readonly type: 'seen'; readonly lock: SeenLock | null; readonly index: number } | Shut> {
  const answer = await house.locks.show(caller, address);
  if (answer.type !== 'shown') return answer;
  const lock = shownLock(answer.lock.holders);
  if (lock !== null) return { type: 'seen', lock, index: lockIndex(lock.holder) };
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return described;
  return { type: 'seen', lock, index: absentIndex(described.world.record.fence) };
}
