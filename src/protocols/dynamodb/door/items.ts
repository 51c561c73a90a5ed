import type { Address } from '../../../core/address.ts';
import { parseLockInfo, parseLockRequest } from '../../../core/lock-info.ts';
import type { AttributeValue, Item } from '../attribute.ts';
import { DIGEST, digestIdOf, HASH_KEY, INFO, LOCK_ITEM_ALIAS } from '../layout.ts';
import { consumed, type Answer, type DoorCall } from './call.ts';
import { conditionFailed, invalid, refused, type DynamoError } from './errors.ts';
import { problemOf, readExpressions, type Expressions } from './expressions.ts';
import type { DeleteItem, GetItem, PutItem, UpdateItem } from './requests.ts';
import { asTold, COMPUTED, readKey, readStored, refuseToWrite, type Stored } from './stored.ts';
import { ensureTable, isTable, noTable } from './table-records.ts';

const NOTHING: Item = new Map();
/** What a lock item may have: what Terraform writes, and what is computed, so that one that was read can be put back. */
const LOCK_ATTRIBUTES: ReadonlySet<string> = new Set([HASH_KEY, INFO, ...COMPUTED.lock]);
const DIGEST_ATTRIBUTES: ReadonlySet<string> = new Set([HASH_KEY, DIGEST, ...COMPUTED.digest]);
/** How far back a digest may be of a version that has just been superseded. */
const DIGESTS_KNOWN = 20;
/** Values of a failed condition that are tried as the lock that it is about: clients give one. */
const RELEASES_TRIED = 3;

/**
 * GetItem: always consistent, whether that was asked or not. A held lock is shown in a table that nobody has used as well,
 * which is thereby used: whoever may lock can break it there.
 */
export async function getItem(call: DoorCall, asked: GetItem): Promise<Answer> {
  const expressions = readExpressions(asked);
  if ('error' in expressions) return expressions;
  const key = readKey(asked.Key);
  if ('error' in key) return key;
  const known = await isTable(call, asked.TableName);
  if (!known && key.of.kind !== 'lock') return noTable(asked.TableName);
  const stored = await readStored(call, key.of, LOCK_ITEM_ALIAS);
  if (!known && ('error' in stored || stored.lock === null)) return noTable(asked.TableName);
  if ('error' in stored) return stored;
  if (!known && key.of.kind === 'lock') {
    const refusal = await ensureTable(call, asked.TableName, key.of.address);
    if (refusal !== null) return refusal;
  }
  const isCopy =
    key.of.kind === 'digest' &&
    stored.item !== null &&
    call.locks.copies.looks(call.caller.identity.subject, digestIdOf(key.of.address));
  const item = isCopy ? null : stored.item;
  return {
    content: {
      ...(item === null ? {} : { Item: Object.fromEntries(expressions.project(item)) }),
      ...consumed(asked.TableName, asked.ReturnConsumedCapacity, asked.ConsistentRead === true ? 1 : 0.5),
    },
  };
}

/** PutItem of a lock item asks for the lock; of a digest item it says what the house knows already. */
export async function putItem(call: DoorCall, asked: PutItem): Promise<Answer> {
  const expressions = readExpressions(asked);
  if ('error' in expressions) return expressions;
  const { [HASH_KEY]: hash, ...others } = asked.Item;
  const key = readKey(hash === undefined ? {} : { [HASH_KEY]: hash });
  if ('error' in key) {
    return hash === undefined
      ? invalid('One or more parameter values were invalid: Missing the key LockID in the item')
      : key;
  }
  if (key.of.kind === 'none') return noPlaceFor(key.of.problem);
  const refusal = await refuseToWrite(call, key.of, 'lock');
  if (refusal !== null) return refusal;
  const item = new Map(Object.entries(others));
  const put = { ...asked, expressions, item };
  return key.of.kind === 'lock' ? putLock(call, key.of.address, put) : putDigest(call, key.of.address, put);
}

/** DeleteItem of a lock item releases the lock that the client has just read, or breaks it for an operator. */
export async function deleteItem(call: DoorCall, asked: DeleteItem): Promise<Answer> {
  const expressions = readExpressions(asked);
  if ('error' in expressions) return expressions;
  const key = readKey(asked.Key);
  if ('error' in key) return key;
  const unconditional = asked.ConditionExpression === undefined;
  const refusal = await refuseToWrite(call, key.of, 'unlock');
  // Of an expired credential a release without a condition is the house's to decide: it knows one that was sent before.
  const isTheHouses =
    unconditional &&
    key.of.kind === 'lock' &&
    call.house.gate.known(call.caller.identity)?.type === 'expired';
  if (refusal !== null && !isTheHouses) return refusal;
  if (!(await isTable(call, asked.TableName))) return noTable(asked.TableName);
  // A client that deletes whatever is there has read it before; reading it once more would make that look its own.
  const found =
    unconditional && key.of.kind === 'lock' && asked.ReturnValues !== 'ALL_OLD'
      ? null
      : await readStored(call, key.of);
  if (found !== null && 'error' in found) return found;
  const stored = found === null ? null : asTold(found, expressions.values);
  if (stored !== null && !holds(expressions, stored)) {
    const repeated =
      key.of.kind === 'lock' && (await releasedBefore(call, key.of.address, expressions, stored));
    return repeated ? done(asked, null) : failed(asked, stored);
  }
  if (key.of.kind !== 'lock') return done(asked, stored?.item ?? null);
  const { locks, caller, request } = call;
  const ask = { alias: LOCK_ITEM_ALIAS, request };
  const held = unconditional ? null : (stored?.lock?.holder.lockId ?? null);
  const answer =
    held === null
      ? await locks.drop(caller, key.of.address, ask)
      : await locks.release(caller, key.of.address, held, ask);
  if (answer.type !== 'released' && answer.type !== 'not-locked') return refused(answer);
  return done(asked, stored?.item ?? null);
}

/** UpdateItem: what the update makes of the item is put, so the same is allowed and the same refused. */
export async function updateItem(call: DoorCall, asked: UpdateItem): Promise<Answer> {
  const expressions = readExpressions(asked);
  if ('error' in expressions) return expressions;
  const key = readKey(asked.Key);
  if ('error' in key) return key;
  if (key.of.kind === 'none') return noPlaceFor(key.of.problem);
  const refusal = await refuseToWrite(call, key.of, 'lock');
  if (refusal !== null) return refusal;
  if (!(await isTable(call, asked.TableName))) return noTable(asked.TableName);
  const stored = await readStored(call, key.of);
  if ('error' in stored) return stored;
  if (!holds(expressions, stored)) return failed(asked, stored);
  const before = stored.item ?? new Map([[HASH_KEY, { S: key.lockId }]]);
  let item: Item;
  try {
    item = expressions.update(before);
  } catch (problem) {
    return problemOf(problem);
  }
  const { ReturnValues = 'NONE', ...rest } = asked;
  const put = {
    ...rest,
    ReturnValues: 'NONE' as const,
    expressions: { ...expressions, condition: () => true },
    item,
  };
  const answer =
    key.of.kind === 'lock'
      ? await putLock(call, key.of.address, put)
      : await putDigest(call, key.of.address, put);
  if ('error' in answer || ReturnValues === 'NONE') return answer;
  const after = await readStored(call, key.of).catch((fault: unknown) => {
    answer.undelivered?.();
    throw fault;
  });
  const old = ReturnValues.endsWith('OLD');
  const shown = old ? stored.item : 'error' in after ? null : after.item;
  return shown === null
    ? answer
    : { ...answer, content: { ...answer.content, Attributes: Object.fromEntries(shown) } };
}

interface Put {
  readonly TableName: string;
  readonly ReturnValues?: string | undefined;
  readonly ReturnConsumedCapacity?: 'INDEXES' | 'TOTAL' | 'NONE' | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: string | undefined;
  readonly expressions: Expressions;
  readonly item: Item;
}

/**
 * A put whose condition an absent item would meet asks for the lock: whether it is absent is the house's to decide, at the
 * moment of granting it. Any other put could only overwrite, and a held lock is never overwritten.
 */
async function putLock(call: DoorCall, address: Address, put: Put): Promise<Answer> {
  const extra = extraIn(put.item, LOCK_ATTRIBUTES);
  if (extra !== null) return extra;
  const text = put.item.get(INFO);
  if (text === undefined || !('S' in text)) {
    return invalid(
      `A lock item has its lock info in ${INFO}, as a string: without one the lock could not be released.`,
    );
  }
  const info = Buffer.from(text.S);
  const parsed = parseLockRequest(info);
  if (!meets(put.expressions, NOTHING)) {
    const stored = await readStored(call, { kind: 'lock', address });
    if ('error' in stored) return stored;
    const own = 'info' in parsed && stored.lock?.holder.lockId === parsed.info.id;
    if (!own || !holds(put.expressions, stored)) return failed(put, stored);
  }
  // Before the lock is asked for: nothing may go wrong between a grant and its answer.
  const noRoom = 'info' in parsed ? await ensureTable(call, put.TableName, address) : null;
  if (noRoom !== null) return noRoom;
  const answer = await call.locks.take(call.caller, address, {
    info,
    alias: LOCK_ITEM_ALIAS,
    request: call.request,
  });
  switch (answer.type) {
    case 'granted':
      return { ...done(put, null), undelivered: answer.undelivered };
    case 'no-lock-info':
      return invalid(`${INFO} is not the lock info that Terraform writes: ${answer.problem}.`);
    case 'held': {
      const wantsItem = put.ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
      const stored = wantsItem ? await readStored(call, { kind: 'lock', address }, LOCK_ITEM_ALIAS) : null;
      return stored === null || 'error' in stored ? conditionFailed() : failed(put, stored);
    }
    default:
      return refused(answer);
  }
}

/**
 * The digest is computed from the state. One that is so already is taken whatever its condition: tools that put it where they moved
 * a state to, such as `terragrunt backend migrate`, want to find none. One that was so a moment ago is taken, too, before somebody
 * wrote the next version. Anything else is refused, because it would be forgotten.
 */
async function putDigest(call: DoorCall, address: Address, put: Put): Promise<Answer> {
  const extra = extraIn(put.item, DIGEST_ATTRIBUTES);
  if (extra !== null) return extra;
  const stored = await readStored(call, { kind: 'digest', address });
  if ('error' in stored) return stored;
  const digest = put.item.get(DIGEST);
  // An item without a digest says nothing, so that nothing of it would be forgotten: the one of a moved state comes so.
  if ([...put.item.keys()].every((name) => name === HASH_KEY) && holds(put.expressions, stored)) {
    return (await ensureTable(call, put.TableName, address)) ?? done(put, stored.item);
  }
  const isSo = digest !== undefined && 'S' in digest && sameText(stored.item?.get(DIGEST), digest.S);
  if (!isSo && !holds(put.expressions, stored)) return failed(put, stored);
  const answer = await call.house.history.digests(call.caller, address, DIGESTS_KNOWN);
  if (answer.type !== 'digests') return refused(answer);
  const known = digest !== undefined && 'S' in digest && answer.digests.includes(digest.S);
  if (!known) {
    return invalid(
      'The digest of a state is computed here from the state itself, and no version of it has this digest.',
    );
  }
  return (await ensureTable(call, put.TableName, address)) ?? done(put, stored.item);
}

/**
 * Whether a conditional DeleteItem is one that has succeeded before, and whose answer was lost: the lock that its condition
 * names is gone, and this very client released it.
 */
async function releasedBefore(
  call: DoorCall,
  address: Address,
  { values }: Expressions,
  { lock }: Stored,
): Promise<boolean> {
  for (const value of values.slice(0, RELEASES_TRIED)) {
    const parsed = 'S' in value ? parseLockInfo(Buffer.from(value.S)) : { problem: 'no text' };
    if (!('info' in parsed) || parsed.info.id === lock?.holder.lockId) continue;
    const answer = await call.house.locks.unlock(call.caller, address, {
      lockId: parsed.info.id,
      alias: LOCK_ITEM_ALIAS,
    });
    if (answer.type === 'released') return true;
  }
  return false;
}

/** Refuses what would be forgotten. */
function extraIn(item: Item, known: ReadonlySet<string>): DynamoError | null {
  const extra = [...item.keys()].find((name) => !known.has(name));
  if (extra === undefined) return null;
  return invalid(
    `Only lock items of Terraform are kept here, and the attribute ${extra} would be forgotten: leave it out.`,
  );
}

function sameText(value: AttributeValue | undefined, text: string): boolean {
  return value !== undefined && 'S' in value && value.S === text;
}

function holds(expressions: Expressions, { item }: Stored): boolean {
  return meets(expressions, item ?? NOTHING);
}

function meets({ condition }: Expressions, item: Item): boolean {
  return condition(item);
}

function failed(
  asked: { readonly ReturnValuesOnConditionCheckFailure?: string | undefined },
  { item }: Stored,
): DynamoError {
  const wanted = asked.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && item !== null;
  return conditionFailed(wanted ? item : undefined);
}

function done(
  asked: Pick<Put, 'TableName' | 'ReturnValues' | 'ReturnConsumedCapacity'>,
  old: ReadonlyMap<string, AttributeValue> | null,
): Extract<Answer, { content: unknown }> {
  return {
    content: {
      ...(asked.ReturnValues === 'ALL_OLD' && old !== null ? { Attributes: Object.fromEntries(old) } : {}),
      ...consumed(asked.TableName, asked.ReturnConsumedCapacity, 1),
    },
  };
}

function noPlaceFor(problem: string): DynamoError {
  return invalid(
    `Only lock items of Terraform are kept here, and a state cannot have this LockID: ${problem}.`,
  );
}
