import { setImmediate } from 'node:timers/promises';
import { DEFAULT_WORKSPACE, type Address } from '../../../core/address.ts';
import { liveHead, type World } from '../../../core/world.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { shownLockInfo } from '../../lock-object/shown-lock.ts';
import { lockObject, meaningOfPrefix, stateObject } from '../layout.ts';
import type { Shut } from '../../../house/caller.ts';
import type { DoorCall } from './call.ts';
import { refused, type S3Error } from './errors.ts';
import { md5Hex, standingOf } from './state-object.ts';

/** An object as a listing shows it. */
export interface Listed {
  readonly name: string;
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
}

/** A state that is there or was, with what is known of it. */
export interface InventoryEntry {
  readonly name: string;
  readonly address: Address;
  readonly world: World;
}

/** States that are read from the house at a time. */
const PAGE = 1_000;

/** The objects of a bucket whose names begin so, in S3's order: states, and the lock files of those that are locked. */
export async function listObjects(call: DoorCall, prefix: string): Promise<readonly Listed[] | S3Error> {
  const objects: Listed[] = [];
  const shut = await visit(call, { prefix, deleted: false }, ({ address, world }) => {
    const head = liveHead(world.record);
    if (head !== null) objects.push({ name: stateObject(address), ...standingOf(head) });
    const [holder] = call.house.lockInfos.ofHolders(address, world.holders.slice(0, 1));
    if (holder !== undefined) {
      const info = shownLockInfo(holder);
      const name = lockObject(address);
      objects.push({ name, etag: md5Hex(info), size: info.length, modified: holder.since });
    }
  });
  if (shut !== null) return refused(shut);
  return inOrder(objects.filter(({ name }) => name.startsWith(prefix)));
}

/** The states of a bucket whose objects' names begin so, deleted ones too, in S3's order. */
export async function listInventory(
  call: DoorCall,
  prefix: string,
): Promise<readonly InventoryEntry[] | S3Error> {
  const kept: InventoryEntry[] = [];
  const shut = await visit(call, { prefix, deleted: true }, ({ address, world }) => {
    const name = stateObject(address);
    if (name.startsWith(prefix) && world.record.head !== null) kept.push({ name, address, world });
  });
  if (shut !== null) return refused(shut);
  return inOrder(kept);
}

/** By the bytes of their names. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function inOrder<T extends { readonly name: string }>(objects: readonly T[]): readonly T[] {
  return objects
    .map((object) => ({ object, bytes: Buffer.from(object.name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ object }) => object);
}

/** Narrows a query to a prefix. Terraform asks for the other workspaces, and nothing else, before every command. */
function narrowing(prefix: string): { keyPrefix?: string; exceptWorkspace?: string } {
  switch (meaningOfPrefix(prefix)) {
    case 'other-workspaces':
      return { exceptWorkspace: DEFAULT_WORKSPACE };
    case 'key':
      return { keyPrefix: prefix };
    case 'any':
      return {};
  }
}

/** Visits the states of a bucket. @returns why the caller may not see them; null when all were visited */
async function visit(
  { house, caller, asked: { bucket } }: DoorCall,
  { prefix, deleted }: { prefix: string; deleted: boolean },
  take: (summary: StateSummary) => void,
): Promise<Shut | null> {
  const query = { project: bucket, deleted, limit: PAGE, ...narrowing(prefix) };
  let after: Address | null = null;
  do {
    const page: Awaited<ReturnType<typeof house.states.list>> = await house.states.list(
      caller,
      after === null ? query : { ...query, after },
    );
    if (page.type !== 'page') return page;
    for (const summary of page.states) take(summary);
    // Others have their turn: there may be many pages.
    await setImmediate();
    after = page.next;
  } while (after !== null);
  return null;
}
