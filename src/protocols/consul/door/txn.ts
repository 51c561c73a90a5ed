import type { Address } from '../../../core/address.ts';
import type { Undelivered } from '../../../house/locks/unheard.ts';
import type { DoorReply } from '../../door.ts';
import { readKey } from '../layout.ts';
import { readHeaders, type Answer, type DoorCall } from './call.ts';
import { conflict, invalid, notDone, refused, ROLLED_BACK, type ConsulError } from './errors.ts';
import { deleteBelow, pairsBelow } from './listing.ts';
import { acquire, release, seeLock, type LockChange } from './lock.ts';
import { infoPair, lockPair, pairJson, stateIndex, type Pair } from './pairs.ts';
import { look, removeState, writeState } from './state.ts';
import { readTxn, type TxnOperation } from './txn-body.ts';
import { claimOf, expectedOf, NO_PINS, pinned, planProblem, type Pins } from './txn-plan.ts';

/** What an operation has come to: the pair that is told of, or nothing of which to tell. */
interface Done {
  readonly pair: Pair | null;
  /** More of them, as they are read. */
  readonly pairs?: AsyncIterable<Pair>;
  readonly undelivered?: Undelivered;
}

type Outcome = Done | ConsulError;
type Verb = (call: DoorCall, operation: TxnOperation, address: Address, pins: Pins) => Promise<Outcome>;

const OF_STATES: Readonly<Record<string, Verb>> = {
  set: (call, operation, address, pins) => write(call, operation, address, pins),
  cas: (call, operation, address, pins) =>
    write(call, operation, address, pins, (): number => operation.index()),
  delete: (call, operation, address, pins) => remove(call, operation, address, pins),
  'delete-cas': (call, operation, address, pins) => remove(call, operation, address, pins, operation.index()),
  get: (call, operation, address) => get(call, operation, address),
  'get-or-empty': (call, operation, address) => getOrEmpty(call, operation, address),
  'check-index': (call, operation, address) =>
    check(call, operation, address, (index) => index === operation.index()),
  'check-not-exists': (call, operation, address) =>
    check(call, operation, address, (index) => index === null),
};

const OF_LOCKS: Readonly<Record<string, Verb>> = {
  lock: async (call, { key, session }, address) =>
    changed(key, await acquire(call, address, session()), 'lock is already held'),
  unlock: async (call, { key, session }, address) =>
    changed(key, await release(call, address, session()), "lock isn't held, or is held by another session"),
  'check-session': async (call, { key, session }, address) => {
    const seen = await seeLock(call, address);
    if (seen.type !== 'seen') return refused(seen);
    return seen.lock?.holder.lockId === session()
      ? { pair: lockPair(key, seen.lock.holder) }
      : conflict(`failed session check for key "${key}"`);
  },
  get: async (call, { key }, address) => {
    const seen = await seeLock(call, address);
    if (seen.type !== 'seen') return refused(seen);
    return seen.lock === null ? absent(key) : { pair: lockPair(key, seen.lock.holder) };
  },
};

const OF_INFOS: Readonly<Record<string, Verb>> = {
  get: async (call, { key }, address) => {
    const seen = await seeLock(call, address);
    if (seen.type !== 'seen') return refused(seen);
    return seen.lock === null ? absent(key) : { pair: infoPair(key, seen.lock.holder, seen.lock.info) };
  },
};

/** What is done of all keys that begin so. */
const OF_TREES: Readonly<Record<string, (call: DoorCall, prefix: string) => Promise<Outcome>>> = {
  'get-tree': async (call, prefix) => {
    const pairs = await pairsBelow(call, prefix);
    if (pairs === null) return { pair: null };
    return 'message' in pairs ? pairs : { pair: null, pairs };
  },
  'delete-tree': async (call, prefix) => (await deleteBelow(call, prefix)) ?? { pair: null },
};

const VERBS = { state: OF_STATES, lock: OF_LOCKS, 'lock-info': OF_INFOS } as const;

/**
 * A transaction: one that reads any keys, or one that changes a single one, as terraform's writes do. What it reads before of that state
 * and its lock holds when the change is made, or it is not made. What is refused for what is there is told as one that was rolled back.
 */
export async function runTxn(call: DoorCall): Promise<Answer> {
  const operations = await readTxn(call.request.body);
  const problem = planProblem(operations);
  if (problem !== null) return notDone(problem.what, problem.instead);
  const done: Done[] = [];
  let pins: Pins = NO_PINS;
  for (const [index, operation] of operations.entries()) {
    const outcome = await run(call, operation, pins);
    if (!('pair' in outcome))
      return outcome.status === ROLLED_BACK ? rolledBack(call, index, outcome.message) : outcome;
    pins = pinned(pins, operation, outcome.pair?.index ?? 0);
    done.push(outcome);
  }
  const [undelivered] = done.flatMap((one) => one.undelivered ?? []);
  return {
    ...reply(call, 200, results(done)),
    ...(undelivered === undefined ? {} : { undelivered }),
  };
}

async function run(call: DoorCall, operation: TxnOperation, pins: Pins): Promise<Outcome> {
  const { verb } = operation;
  const ofTree = OF_TREES[verb];
  if (ofTree !== undefined) return ofTree(call, operation.key);
  const key = readKey(operation.key);
  if (key.kind === 'none') return invalid(key.problem);
  const does = key.kind === 'chunk' ? undefined : VERBS[key.kind][verb];
  if (key.kind === 'chunk' || does === undefined) {
    return notDone(
      `"${verb}" of "${operation.key}" in a transaction`,
      'states take set, cas, delete, delete-cas, get, get-or-empty, check-index and check-not-exists, all keys get-tree and delete-tree; locks take lock, unlock, check-session and get',
    );
  }
  return does(call, operation, key.address, pins);
}

async function write(
  call: DoorCall,
  { key, value }: TxnOperation,
  address: Address,
  pins: Pins,
  asked: () => number | null = () => null,
): Promise<Outcome> {
  const claim = await claimOf(call, pins);
  if ('message' in claim) return claim;
  const written = await writeState(call, address, value, () => expectedOf(pins, asked()), claim);
  if (written === 'changed') return conflict(`failed to set key "${key}", index is stale`);
  return 'message' in written ? written : { pair: statePair(key, stateIndex(written)) };
}

async function remove(
  call: DoorCall,
  { key }: TxnOperation,
  address: Address,
  pins: Pins,
  asked: number | null = null,
): Promise<Outcome> {
  const claim = await claimOf(call, pins);
  if ('message' in claim) return claim;
  const removed = await removeState(call, address, expectedOf(pins, asked), claim);
  if (removed === 'changed') return conflict(`failed to delete key "${key}", index is stale`);
  return removed === 'deleted' ? { pair: null } : removed;
}

async function get({ house, caller }: DoorCall, { key }: TxnOperation, address: Address): Promise<Outcome> {
  const found = await house.states.read(caller, address);
  if (found.type === 'absent') return absent(key);
  if (found.type !== 'found') return refused(found);
  const { version, bytes } = found;
  return { pair: { ...statePair(key, stateIndex(version)), value: bytes.plain() } };
}

async function getOrEmpty(call: DoorCall, operation: TxnOperation, address: Address): Promise<Outcome> {
  const found = await get(call, operation, address);
  const isAbsent = 'message' in found && found.status === ROLLED_BACK;
  return isAbsent ? { pair: statePair(operation.key, 0) } : found;
}

async function check(
  call: DoorCall,
  { key }: TxnOperation,
  address: Address,
  holds: (index: number | null) => boolean,
): Promise<Outcome> {
  const seen = await look(call, address);
  if (seen.type !== 'seen') return refused(seen);
  const index = seen.head === null ? null : stateIndex(seen.head);
  if (!holds(index)) return conflict(`failed index check for key "${key}"`);
  return { pair: index === null ? null : statePair(key, index) };
}

function changed(key: string, change: LockChange | ConsulError, problem: string): Outcome {
  if ('message' in change) return change;
  const { done, undelivered } = change;
  if (!done) return conflict(`failed to change the lock of key "${key}", ${problem}`);
  return { pair: statePair(key, 0), ...(undelivered === undefined ? {} : { undelivered }) };
}

function statePair(key: string, index: number): Pair {
  return { key, flags: '0', index, session: '', value: null };
}

function absent(key: string): ConsulError {
  return conflict(`key "${key}" doesn't exist`);
}

async function* results(done: readonly Done[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"Results":[');
  let separator = '{"KV":';
  for (const { pair, pairs } of done) {
    for await (const one of pairs ?? (pair === null ? [] : [pair])) {
      yield Buffer.from(separator);
      yield* pairJson(one);
      yield Buffer.from('}');
      separator = ',{"KV":';
    }
  }
  yield Buffer.from('],"Errors":null}');
}

function rolledBack(call: DoorCall, index: number, what: string): DoorReply {
  const errors = { Results: null, Errors: [{ OpIndex: index, What: what }] };
  return reply(call, ROLLED_BACK, Buffer.from(JSON.stringify(errors)));
}

function reply({ asked: { operation } }: DoorCall, status: number, body: DoorReply['body']): DoorReply {
  return { operation, status, headers: { 'content-type': 'application/json', ...readHeaders() }, body };
}
