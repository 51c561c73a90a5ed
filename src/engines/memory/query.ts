import { formatAddress, type Address } from '../../core/address.ts';
import type { StateQuery, StateSummary } from '../../ports/engine.ts';
import type { Kept } from './engine.ts';

/** The states that a query asks for, in the order of their addresses. */
export function selectStates(all: readonly Kept[], query: StateQuery): StateSummary[] {
  return all
    .filter((kept) => isSelected(kept, query))
    .sort((a, b) => compareAddresses(a.address, b.address))
    .slice(0, query.limit)
    .map(({ address, world }) => ({ address, world }));
}

/** By project, key and workspace, each compared as UTF-8 bytes, which is how SQL engines are told to compare. */
function compareAddresses(a: Address, b: Address): number {
  return (
    compareBytes(a.project, b.project) || compareBytes(a.key, b.key) || compareBytes(a.workspace, b.workspace)
  );
}

function isSelected({ address, world }: Kept, query: StateQuery): boolean {
  const { record, holders } = world;
  const exists = record.head !== null && (query.deleted === true || record.deletedAt === null);
  const isShown = exists || holders.length > 0 || query.used === true;
  if (query.locked === true ? holders.length === 0 : !isShown) return false;
  if (query.project !== undefined && address.project !== query.project) return false;
  if (query.keyPrefix !== undefined && !address.key.startsWith(query.keyPrefix)) return false;
  if (address.workspace === query.exceptWorkspace) return false;
  if (query.search !== undefined && !formatAddress(address).includes(query.search)) return false;
  return query.after === undefined || compareAddresses(address, query.after) > 0;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.project === b.project && a.key === b.key && a.workspace === b.workspace;
}

/** As UTF-8 bytes, whatever the characters. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
