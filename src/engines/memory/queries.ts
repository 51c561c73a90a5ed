import { formatAddress, objectName, type Address } from '../../core/address.ts';
import type { StateQuery, StateSummary } from '../../ports/engine.ts';
import type { Resealed } from '../../ports/sealed-anew.ts';
import type { StoredAddress } from './engine.ts';
import type { Sealed } from './records.ts';

/** The states that a query asks for, in the order of their addresses. */
export function selectStates(all: readonly StoredAddress[], query: StateQuery): StateSummary[] {
  return all
    .filter((kept) => isSelected(kept, query))
    .sort((a, b) =>
      query.named === undefined
        ? compareAddresses(a.address, b.address)
        : compareBytes(a.address.project, b.address.project) || compareNames(a.address, b.address),
    )
    .slice(0, query.limit)
    .map(({ address, world }) => ({
      address,
      world: query.lines === true ? world : { ...world, line: [] },
    }));
}

/** By project, key and workspace, each compared as UTF-8 bytes, which is how SQL engines are told to compare. */
function compareAddresses(a: Address, b: Address): number {
  return (
    compareBytes(a.project, b.project) || compareBytes(a.key, b.key) || compareBytes(a.workspace, b.workspace)
  );
}

function compareNames(a: Address, b: Address): number {
  return compareBytes(objectName(a), objectName(b));
}

function isNamed(name: string, { prefix, after }: NonNullable<StateQuery['named']>): boolean {
  return name.startsWith(prefix) && compareBytes(name, after) > 0;
}

function isSelected({ address, world }: StoredAddress, query: StateQuery): boolean {
  const { record, holders } = world;
  const exists = record.head !== null && (query.deleted === true || record.deletedAt === null);
  const isShown = exists || holders.length > 0 || query.used === true;
  if (query.locked === true ? holders.length === 0 : !isShown) return false;
  if (query.project !== undefined && address.project !== query.project) return false;
  if (query.keyPrefix !== undefined && !address.key.startsWith(query.keyPrefix)) return false;
  if (query.named !== undefined && !isNamed(objectName(address), query.named)) return false;
  if (query.search !== undefined && !formatAddress(address).includes(query.search)) return false;
  return query.after === undefined || compareAddresses(address, query.after) > 0;
}

/** As UTF-8 bytes, whatever the characters. */
export function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** What is still sealed under another key than this one. */
export function otherSealed(
  { bodies, credentials, kept }: Sealed,
  keyId: string,
  keyIdOf: (sealed: Uint8Array) => string,
): Resealed[] {
  const addresses = [...kept.values()];
  return [
    ...[...bodies.values()]
      .filter((body) => body.keyId !== keyId)
      .map(({ id, keyId: other, wrappedKey }) => ({ kind: 'body' as const, id, keyId: other, wrappedKey })),
    ...[...credentials.values()]
      .filter(({ sealedSecret }) => keyIdOf(sealedSecret) !== keyId)
      .map(({ id, sealedSecret }) => ({ kind: 'credential' as const, id, sealed: sealedSecret })),
    ...addresses.flatMap(({ address, world }) =>
      world.holders.flatMap(({ lockId, info }) =>
        info === null || keyIdOf(info) === keyId
          ? []
          : [{ kind: 'holder' as const, address, lockId, sealed: info }],
      ),
    ),
    ...addresses.flatMap(({ address, world }) =>
      world.line.flatMap(({ waiter, info }) =>
        info === null || keyIdOf(info) === keyId
          ? []
          : [{ kind: 'place' as const, address, waiter, sealed: info }],
      ),
    ),
  ];
}
