import { setImmediate } from 'node:timers/promises';
import type { Address } from '../../../core/address.ts';
import { liveHead } from '../../../core/world.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { shownLock } from '../../lock-object/shown-lock.ts';
import type { Item } from '../attribute.ts';
import { HASH_KEY, SCAN_BYTES_MAX, SCAN_ITEMS_MAX } from '../layout.ts';
import { itemBytes } from '../size.ts';
import { consumed, type Answer, type DoorCall } from './call.ts';
import { invalid, refused } from './errors.ts';
import type { Shut } from '../../../house/caller.ts';
import { readExpressions, type Expressions } from './expressions.ts';
import type { Query, Scan } from './requests.ts';
import { digestItem, lockItem, readKey, readStored } from './stored.ts';
import { isTable, noTable } from './table-records.ts';

/** States that are looked at in one step of a scan. */
const STATES_AT_A_TIME = 100;
/** `LockID = :id`, in brackets or not. Each space has one place only, so that no text is tried in more than one way. */
const KEY_CONDITION = /^\s*(?:\(\s*)?(#?\w+)\s*=\s*(:\w+)\s*(?:\)\s*)?$/;

/** Scan: the held locks and the digests of all states that the caller may list, whichever table was named. */
export async function scan(call: DoorCall, asked: Scan): Promise<Answer> {
  const expressions = readExpressions(asked);
  if ('error' in expressions) return expressions;
  const { TableName, Segment, TotalSegments = 1, ExclusiveStartKey } = asked;
  if ((Segment === undefined) !== (asked.TotalSegments === undefined) || (Segment ?? 0) >= TotalSegments) {
    return invalid('Segment and TotalSegments go together, and Segment is the lower');
  }
  if (!(await isTable(call, TableName))) return noTable(TableName);
  const start = ExclusiveStartKey === undefined ? null : readKey(ExclusiveStartKey);
  if (start !== null && 'error' in start) return start;
  if (start?.of.kind === 'none') return invalid('The provided starting key is invalid');
  const limit = Math.min(asked.Limit ?? SCAN_ITEMS_MAX, SCAN_ITEMS_MAX);
  // There are never so many items that parting the work is worth it: the first segment has them all.
  const all = (Segment ?? 0) > 0 ? [] : await collect(call, start?.of ?? null, limit + 1);
  if ('type' in all) return refused(all);
  const page = all.slice(0, Math.min(limit, countWithin(all, SCAN_BYTES_MAX)));
  return { content: await pageOf(asked, page, all.length > page.length, expressions) };
}

/** Query: a lock table has one key, so this is the one item of that key, or none. */
export async function query(call: DoorCall, asked: Query): Promise<Answer> {
  const expressions = readExpressions(asked);
  if ('error' in expressions) return expressions;
  const wanted = keyOf(asked);
  if (wanted === null) return invalid('Query condition missed key schema element: LockID');
  if (!(await isTable(call, asked.TableName))) return noTable(asked.TableName);
  const key = readKey({ [HASH_KEY]: { S: wanted } });
  if ('error' in key) return key;
  const stored = await readStored(call, key.of);
  if ('error' in stored) return stored;
  const found = stored.item !== null && expressions.keyCondition(stored.item) ? [stored.item] : [];
  const items = asked.ExclusiveStartKey === undefined ? found : [];
  return { content: await pageOf(asked, items, false, expressions) };
}

type ReadOptions = Pick<Scan, 'TableName' | 'Select' | 'ReturnConsumedCapacity' | 'ConsistentRead'>;

async function pageOf(
  asked: ReadOptions,
  items: readonly Item[],
  more: boolean,
  { filter, project, work }: Expressions,
): Promise<Readonly<Record<string, unknown>>> {
  const kept: Item[] = [];
  for (const item of items) {
    await work.rest();
    if (filter(item)) kept.push(project(item));
  }
  const last = items.at(-1)?.get(HASH_KEY);
  return {
    ...(asked.Select === 'COUNT' ? {} : { Items: kept.map((item) => Object.fromEntries(item)) }),
    Count: kept.length,
    ScannedCount: items.length,
    ...(more && last !== undefined ? { LastEvaluatedKey: { [HASH_KEY]: last } } : {}),
    ...consumed(asked.TableName, asked.ReturnConsumedCapacity, asked.ConsistentRead === true ? 1 : 0.5),
  };
}

/** How many items have so many bytes together, at most; one in any case. */
function countWithin(items: readonly Item[], bytesMax: number): number {
  let bytes = 0;
  const over = items.findIndex((item, index) => (bytes += itemBytes(item)) > bytesMax && index > 0);
  return over === -1 ? items.length : over;
}

/** The items after a key, as many as a page may have and one more, in the order of addresses, a state's lock before its digest. */
async function collect(
  call: DoorCall,
  start: { readonly kind: 'lock' | 'digest'; readonly address: Address } | null,
  limit: number,
): Promise<readonly Item[] | Shut> {
  const { house, caller } = call;
  const items: Item[] = [];
  if (start?.kind === 'lock') {
    const stored = await readStored(call, { kind: 'digest', address: start.address });
    if (!('error' in stored) && stored.item !== null) items.push(stored.item);
  }
  let after = start?.address ?? null;
  let bytes = 0;
  do {
    const page: Awaited<ReturnType<typeof house.states.list>> = await house.states.list(caller, {
      limit: Math.min(limit, STATES_AT_A_TIME),
      ...(after === null ? {} : { after }),
    });
    if (page.type !== 'page') return page;
    for (const summary of page.states) {
      for (const item of itemsOf(call, summary)) {
        items.push(item);
        bytes += itemBytes(item);
      }
    }
    await setImmediate();
    after = page.next;
  } while (after !== null && items.length < limit && bytes <= SCAN_BYTES_MAX);
  return items;
}

function itemsOf({ house }: DoorCall, { address, world }: StateSummary): readonly Item[] {
  const lock = shownLock(house.lockInfos.ofHolders(address, world.holders.slice(0, 1)));
  const head = liveHead(world.record);
  return [
    ...(lock === null ? [] : [lockItem(address, lock)]),
    ...(head === null ? [] : [digestItem(address, head)]),
  ];
}

/** The LockID that a key condition is about: `LockID = :id`, with the name or the value under a placeholder. */
function keyOf(asked: Query): string | null {
  const match = KEY_CONDITION.exec(asked.KeyConditionExpression);
  if (match === null) return null;
  const [, name = '', placeholder = ''] = match;
  const attribute = name.startsWith('#') ? asked.ExpressionAttributeNames?.[name] : name;
  const value = asked.ExpressionAttributeValues?.[placeholder];
  return attribute === HASH_KEY && value !== undefined && 'S' in value ? value.S : null;
}
