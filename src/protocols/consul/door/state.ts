import type { Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import type { Version } from '../../../core/world.ts';
import { liveHead } from '../../../core/world.ts';
import type { Shut } from '../../../house/caller.ts';
import type { WriteTerms } from '../../../house/states/states.ts';
import { CONSUL_ALIAS } from '../layout.ts';
import { absentReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import { invalid, refused, type ConsulError } from './errors.ts';
import { readWait } from './lock.ts';
import { pairReply } from './pair-reply.ts';
import { absentIndex, stateIndex } from './pairs.ts';
import { unpacked } from './value.ts';

/** A change at this door names no lock: whoever took it here is its holder. */
export const UNNAMED_CLAIM: Claim = { kind: 'unnamed', aliases: [CONSUL_ALIAS] };

/** The bytes of a state. */
export async function getState(call: DoorCall, address: Address): Promise<Answer> {
  const { house, changes, caller, request, asked } = call;
  const wait = readWait(asked.query);
  if ('message' in wait) return wait;
  const seen = await changes.until(caller, address, {
    wait: wait.index === null ? 0 : wait.milliseconds,
    gone: request.gone,
    look: () => look(call, address),
    isNews: (found) => found.type !== 'seen' || found.index !== wait.index,
  });
  if (seen.type !== 'seen') return refused(seen);
  if (seen.head === null) return absentReply(call, seen.index);
  const found = await house.states.read(caller, address);
  if (found.type === 'absent') return absentReply(call, seen.index + 1);
  if (found.type !== 'found') return refused(found);
  const { version, bytes } = found;
  const index = stateIndex(version);
  return pairReply(call, { key: asked.name, flags: '0', index, session: '', value: bytes.plain() }, index);
}

/** `PUT` writes a state, with `?cas=` only if its index is that one: `false` if it is not. */
export async function putState(call: DoorCall, address: Address): Promise<Answer> {
  const { asked, request } = call;
  const flags = asked.query.get('flags') ?? '0';
  if (flags !== '0') return invalid(`invalid flags "${flags}" of a state: expected none`);
  const cas = asked.query.get('cas') ?? null;
  if (cas !== null && !/^\d{1,16}$/.test(cas))
    return invalid(`invalid cas "${cas}": expected a whole number`);
  const written = await writeState(call, address, request.body, () => (cas === null ? null : Number(cas)));
  if (written === 'changed') return jsonReply(call, false);
  return 'message' in written ? written : jsonReply(call, true);
}

/** `DELETE` hides a state, whose versions stay; of no state it says `true` all the same. */
export async function deleteState(call: DoorCall, address: Address): Promise<Answer> {
  const cas = call.asked.query.get('cas') ?? null;
  if (cas !== null && !/^\d{1,16}$/.test(cas))
    return invalid(`invalid cas "${cas}": expected a whole number`);
  const deleted = await removeState(call, address, cas === null ? null : Number(cas));
  if (deleted === 'changed') return jsonReply(call, false);
  return deleted === 'deleted' ? jsonReply(call, true) : deleted;
}

/**
 * Writes a state from its value, which may be gzip.
 * @param expected the index that the state must have, asked when the value has come whole; 0 for no state, null for any
 * @returns what was stored; `changed` where the state has another index
 */
export async function writeState(
  call: DoorCall,
  address: Address,
  value: AsyncIterable<Uint8Array>,
  expected: () => number | null,
  claim: Claim = UNNAMED_CLAIM,
): Promise<Version | 'changed' | ConsulError> {
  const { house, caller } = call;
  // What is expected is known once the value has been read, which the house does before it looks at these.
  const terms: WriteTerms & { expects?: WriteTerms['expects'] } = { claim, contentLength: null };
  let shut: Shut | null = null;
  async function* compared(): AsyncGenerator<Uint8Array> {
    yield* unpacked(value);
    const index = expected();
    if (index === null) return;
    const found = await look(call, address);
    if (found.type !== 'seen') shut = found;
    else if (index === (found.head === null ? 0 : stateIndex(found.head))) {
      terms.expects = { sha256: found.head?.sha256 ?? null };
      return;
    }
    throw new Changed();
  }
  try {
    const answer = await house.states.write(caller, address, compared(), terms);
    if (answer.type === 'stored') return answer.version;
    return answer.type === 'stale' && answer.reason === 'changed-meanwhile' ? 'changed' : refused(answer);
  } catch (problem) {
    if (problem instanceof Changed) return shut === null ? 'changed' : refused(shut);
    throw problem;
  }
}

/** Hides a state. @param index that it must have; 0 for no state, null for any */
export async function removeState(
  call: DoorCall,
  address: Address,
  index: number | null,
  claim: Claim = UNNAMED_CLAIM,
): Promise<'deleted' | 'changed' | ConsulError> {
  const { house, caller } = call;
  let expects: { readonly sha256: string } | undefined;
  if (index !== null) {
    const refusal = await house.locks.refuse(caller, 'delete', address);
    if (refusal !== null) return refused(refusal);
    const found = await look(call, address);
    if (found.type !== 'seen') return refused(found);
    if (index !== (found.head === null ? 0 : stateIndex(found.head))) return 'changed';
    if (found.head === null) return 'deleted';
    expects = { sha256: found.head.sha256 };
  }
  const answer = await house.states.delete(caller, address, claim, expects);
  if (answer.type === 'deleted' || answer.type === 'absent') return 'deleted';
  return answer.type === 'stale' && answer.reason === 'changed-meanwhile' ? 'changed' : refused(answer);
}

/** The newest version, and the index of its key. */
export async function look(
  { house, caller }: DoorCall,
  address: Address,
): Promise<{ readonly type: 'seen'; readonly head: Version | null; readonly index: number } | Shut> {
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return described;
  const { record } = described.world;
  const head = liveHead(record);
  return { type: 'seen', head, index: head === null ? absentIndex(record.lastVersion) : stateIndex(head) };
}

/** Ends a write whose state has another index than it expects, or may not be looked at. */
class Changed extends Error {}
