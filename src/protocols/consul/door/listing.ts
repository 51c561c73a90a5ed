import type { Address } from '../../../core/address.ts';
import { liveHead } from '../../../core/world.ts';
import type { StateQuery, StateSummary } from '../../../ports/engine.ts';
import { visitStates } from '../../visit-states.ts';
import { shownLockInfo } from '../../lock-object/shown-lock.ts';
import { lockKeys, readKey, stateKey } from '../layout.ts';
import { absentReply, jsonReply, readHeaders, type Answer, type DoorCall } from './call.ts';
import { invalid, notDone, refused, type ConsulError } from './errors.ts';
import { infoPair, lockPair, pairsJson, stateIndex, type Pair } from './pairs.ts';
import { removeState } from './state.ts';

/** Keys of one answer: Consul has no pages. */
const KEYS_MAX = 10_000;
/** What Consul says of an index that nothing has changed. */
const INDEX = 1;

/** The keys that begin so: states, and the locks that are held; up to the separator, each once. */
export async function listKeys(call: DoorCall): Promise<Answer> {
  const { name, query } = call.asked;
  const separator = query.get('separator') ?? '';
  const refusal = refuseBlocking(call);
  if (refusal !== null) return refusal;
  const keys = new Set<string>();
  const shut = await visitStates(call, queryOf(call.asked.name), (summary) => {
    for (const key of keysOf(summary)) {
      if (!key.startsWith(name)) continue;
      const end = separator === '' ? -1 : key.indexOf(separator, name.length);
      keys.add(end === -1 ? key : key.slice(0, end + separator.length));
    }
    return keys.size <= KEYS_MAX;
  });
  if (shut !== null) return refused(shut);
  if (keys.size > KEYS_MAX) return tooMany();
  if (keys.size === 0) return absentReply(call, INDEX);
  return jsonReply(call, [...keys].sort(), INDEX);
}

/** The same with their values. */
export async function listPairs(call: DoorCall): Promise<Answer> {
  const refusal = refuseBlocking(call);
  if (refusal !== null) return refusal;
  const pairs = await pairsBelow(call, call.asked.name);
  if (pairs === null) return absentReply(call, INDEX);
  if ('message' in pairs) return pairs;
  return {
    operation: call.asked.operation,
    status: 200,
    headers: { 'content-type': 'application/json', ...readHeaders(INDEX) },
    body: pairsJson(pairs),
  };
}

/** The pairs whose keys begin so, as they are read; null for none. */
export async function pairsBelow(
  call: DoorCall,
  prefix: string,
): Promise<AsyncIterable<Pair> | ConsulError | null> {
  const summaries: StateSummary[] = [];
  const shut = await visitStates(call, queryOf(prefix), (summary) => {
    if (keysOf(summary).some((key) => key.startsWith(prefix))) summaries.push(summary);
    return summaries.length <= KEYS_MAX;
  });
  if (shut !== null) return refused(shut);
  if (summaries.length > KEYS_MAX) return tooMany();
  return summaries.length === 0 ? null : pairsOf(call, prefix, summaries);
}

/** `DELETE ?recurse` hides every state whose key begins so; the first that may not be is said, and what follows stays. */
export async function deleteTree(call: DoorCall): Promise<Answer> {
  const { name, query } = call.asked;
  if (query.has('cas')) return invalid('"cas" and "recurse" exclude each other');
  if (readKey(name).kind === 'chunk') return jsonReply(call, true);
  return (await deleteBelow(call, name)) ?? jsonReply(call, true);
}

/** Hides the states whose keys begin so. @returns what was refused; null for nothing */
export async function deleteBelow(call: DoorCall, name: string): Promise<ConsulError | null> {
  if (!name.includes('/')) return invalid('a deletion with "recurse" names a project: PROJECT/, at least');
  const found: Address[] = [];
  const shut = await visitStates(call, queryOf(name), ({ address, world }) => {
    const key = stateKey(address);
    if (key?.startsWith(name) === true && liveHead(world.record) !== null) found.push(address);
    return found.length <= KEYS_MAX;
  });
  if (shut !== null) return refused(shut);
  if (found.length > KEYS_MAX) return tooMany();
  if (found.length === 0) {
    return {
      status: 404,
      message: `no state whose key begins with "${name}" is here, or it may not be seen`,
    };
  }
  for (const address of found) {
    const deleted = await removeState(call, address, null);
    if (typeof deleted === 'object') return deleted;
  }
  return null;
}

function refuseBlocking({ asked: { query } }: DoorCall): Answer | null {
  return (query.get('index') ?? '0') === '0'
    ? null
    : notDone('a blocking query for many keys', 'ask for one key, or follow the events of the API');
}

function tooMany(): ConsulError {
  return invalid(`more than ${KEYS_MAX} keys begin so: ask for a longer prefix`);
}

async function* pairsOf(
  { house, caller }: DoorCall,
  prefix: string,
  summaries: readonly StateSummary[],
): AsyncGenerator<Pair> {
  for (const { address, world } of summaries) {
    const path = stateKey(address);
    if (path === null || !house.states.maySee(caller.identity, address)) continue;
    const found = liveHead(world.record) === null ? null : await house.states.read(caller, address);
    if (path.startsWith(prefix) && found?.type === 'found') {
      const { version, bytes } = found;
      yield { key: path, flags: '0', index: stateIndex(version), session: '', value: bytes.plain() };
    }
    const [holder] = house.lockInfos.ofHolders(address, world.holders.slice(0, 1));
    if (holder === undefined) continue;
    const { lock, info } = lockKeys(path);
    if (lock.startsWith(prefix)) yield lockPair(lock, holder);
    if (info.startsWith(prefix)) yield infoPair(info, holder, shownLockInfo(holder));
  }
}

function keysOf({ address, world }: StateSummary): readonly string[] {
  const path = stateKey(address);
  if (path === null) return [];
  const { lock, info } = lockKeys(path);
  return [
    ...(liveHead(world.record) === null ? [] : [path]),
    ...(world.holders.length === 0 ? [] : [lock, info]),
  ];
}

/** What to ask the house for: a key's end may be of the workspace's name, or of the lock's. */
function queryOf(prefix: string): Pick<StateQuery, 'project' | 'keyPrefix'> {
  const slash = prefix.indexOf('/');
  if (slash === -1) return {};
  const keyPrefix = prefix.slice(slash + 1).replace(/(?:-(?:e(?:n(?:v(?::.*)?)?)?)?|\/(?:\.[a-z]*)?)$/s, '');
  return { project: prefix.slice(0, slash), keyPrefix };
}
