import { RESERVED_SUFFIXES, type Address } from '../../../core/address.ts';
import { readKey } from '../layout.ts';
import { absentReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import { invalid, notDone } from './errors.ts';
import { acquire, changeLock, deleteLock, getLock, putLock, release } from './lock.ts';
import { deleteLockInfo, getLockInfo, putLockInfo } from './lock-info.ts';
import { deleteState, getState, putState } from './state.ts';

type OnAddress = (call: DoorCall, address: Address) => Promise<Answer>;

/** What is done of each kind of key. */
interface Deeds {
  readonly state: OnAddress;
  readonly lock: OnAddress;
  readonly 'lock-info': OnAddress;
  readonly chunk: (call: DoorCall) => Answer;
}

const NO_CHUNKS = notDone(
  'a state in chunks',
  'write it in one transaction, which this server takes up to its own limit for states',
);
const NOT_A_LOCK: OnAddress = async () =>
  notDone(
    'a lock on this key',
    `locks are keys that end with ${RESERVED_SUFFIXES.consulLock}, one for each state`,
  );

/** A key's value: a state, a lock, or who holds that. */
export const getKey: (call: DoorCall) => Promise<Answer> = byKind({
  state: getState,
  lock: getLock,
  'lock-info': getLockInfo,
  chunk: (call) => absentReply(call, 1),
});

export const putKey: (call: DoorCall) => Promise<Answer> = byKind({
  state: putState,
  lock: putLock,
  'lock-info': putLockInfo,
  chunk: () => NO_CHUNKS,
});

export const acquireKey: (call: DoorCall) => Promise<Answer> = byKind({
  state: NOT_A_LOCK,
  lock: (call, address) => changeLock(call, address, acquire),
  'lock-info': NOT_A_LOCK,
  chunk: () => NO_CHUNKS,
});

export const releaseKey: (call: DoorCall) => Promise<Answer> = byKind({
  state: NOT_A_LOCK,
  lock: (call, address) => changeLock(call, address, release),
  'lock-info': NOT_A_LOCK,
  chunk: () => NO_CHUNKS,
});

export const deleteKey: (call: DoorCall) => Promise<Answer> = byKind({
  state: deleteState,
  lock: deleteLock,
  'lock-info': deleteLockInfo,
  chunk: (call) => jsonReply(call, true),
});

function byKind(deeds: Deeds): (call: DoorCall) => Promise<Answer> {
  return async (call) => {
    const key = readKey(call.asked.name);
    if (key.kind === 'none') return invalid(key.problem);
    return key.kind === 'chunk' ? deeds.chunk(call) : deeds[key.kind](call, key.address);
  };
}
