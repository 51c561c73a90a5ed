import type { Address } from '../../../core/address.ts';
import { liveHead } from '../../../core/world.ts';
import type { StateQuery, StateSummary } from '../../../ports/engine.ts';
import { visitStates } from '../../visit-states.ts';
import { shownLockInfo } from '../../lock-object/shown-lock.ts';
import { lockKeys, readKey, stateKey } from '../layout.ts';
import { absentReply, jsonReply, readHeaders, type Answer, type DoorCall } from './call.ts';
import { invalid, refused, type ConsulError } from './errors.ts';
import { readWait } from './lock.ts';
import { infoPair, lockPair, pairsJson, stateIndex, type Pair } from './pairs.ts';
import { removeState } from './state.ts';

/** Keys of one answer: Consul has no pages. */
const KEYS_MAX = 10_000;
/** The index of keys that nothing has changed: Consul has none below this. */
const NO_CHANGE = 1;

/** The keys that begin so: states, and the locks that are held; up to the separator, each once. */
export async function listKeys(call: DoorCall): Promise<Answer> {
  const { name, query } = call.asked;
  const separator = query.get('separator') ?? '';
  const seen = await whenChanged(call, async () => {
    const keys = new Set<string>();
    const visited = await visitBelow(call, name, (summary) => {
      for (const key of keysOf(summary)) {
        if (!key.startsWith(name)) continue;
        const end = separator === '' ? -1 : key.indexOf(separator, name.length);
        keys.add(end === -1 ? key : key.slice(0, end + separator.length));
      }
      return keys.size;
    });
    return 'message' in visited ? visited : { ...visited, keys };
  });
  if ('message' in seen) return seen;
  const { keys, index } = seen;
  return keys.size === 0 ? absentReply(call, index) : jsonReply(call, [...keys].sort(), index);
}

/** The same with their values. */
export async function listPairs(call: DoorCall): Promise<Answer> {
  const { name, operation } = call.asked;
  const seen = await whenChanged(call, () => statesBelow(call, name));
  if ('message' in seen) return seen;
  const { summaries, index } = seen;
  if (summaries.length === 0) return absentReply(call, index);
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'application/json', ...readHeaders(index) },
    body: pairsJson(pairsOf(call, name, summaries)),
  };
}

/** The pairs whose keys begin so, as they are read; null for none. */
export async function pairsBelow(
  call: DoorCall,
  prefix: string,
): Promise<AsyncIterable<Pair> | ConsulError | null> {
  const seen = await statesBelow(call, prefix);
  if ('message' in seen) return seen;
  return seen.summaries.length === 0 ? null : pairsOf(call, prefix, seen.summaries);
}

/** What was seen of many keys, and the index to go on from. */
interface Indexed {
  readonly index: number;
}

/** Looks at once, or where an index is named when another is seen. */
async function whenChanged<T extends Indexed>(
  call: DoorCall,
  look: () => Promise<T | ConsulError>,
): Promise<T | ConsulError> {
  const { changes, caller, request, asked } = call;
  const wait = readWait(asked.query);
  if ('message' in wait) return wait;
  const watched = { covers: (address: Address) => mayHaveKeys(address, asked.name) };
  return changes.until(caller, watched, {
    wait: wait.index === null ? 0 : wait.milliseconds,
    gone: request.gone,
    look,
    isNews: (seen) => 'message' in seen || seen.index !== wait.index,
  });
}

async function statesBelow(
  call: DoorCall,
  prefix: string,
): Promise<(Indexed & { readonly summaries: readonly StateSummary[] }) | ConsulError> {
  const summaries: StateSummary[] = [];
  const visited = await visitBelow(call, prefix, (summary) => {
    if (keysOf(summary).some((key) => key.startsWith(prefix))) summaries.push(summary);
    return summaries.length;
  });
  return 'message' in visited ? visited : { ...visited, summaries };
}

/**
 * Visits all that was ever under keys that begin so, as far as the caller may see it. The index is the sum of all changes: it grows
 * with each, and tells of nothing that may not be seen.
 * @param take how many keys there are so far
 */
async function visitBelow(
  call: DoorCall,
  prefix: string,
  take: (summary: StateSummary) => number,
): Promise<Indexed | ConsulError> {
  let index = NO_CHANGE;
  let keys = 0;
  const shut = await visitStates(call, { ...queryOf(prefix), used: true }, (summary) => {
    if (mayHaveKeys(summary.address, prefix)) {
      index += summary.world.record.changeIndex;
      keys = take(summary);
    }
    return keys <= KEYS_MAX;
  });
  if (shut !== null) return refused(shut);
  return keys > KEYS_MAX ? tooMany() : { index };
}

function mayHaveKeys(address: Address, prefix: string): boolean {
  const path = stateKey(address);
  if (path === null) return false;
  const { lock, info } = lockKeys(path);
  return [path, lock, info].some((key) => key.startsWith(prefix));
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
  if (found.length === 0) return mayDeleteBelow(call, name);
  for (const address of found) {
    const deleted = await removeState(call, address, null);
    if (typeof deleted === 'object') return deleted;
  }
  return null;
}

/** Nothing to delete is no fault of whoever may delete there; others are not told that there is nothing. */
async function mayDeleteBelow({ house, caller }: DoorCall, prefix: string): Promise<ConsulError | null> {
  const below = readKey(`${prefix}x`);
  if (below.kind === 'none') return invalid(below.problem);
  if (below.kind === 'chunk') return null;
  const refusal = await house.locks.refuse(caller, 'delete', below.address);
  return refusal === null ? null : refused(refusal);
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
