import { diffSnapshots } from '../../core/snapshot/diff.ts';
import { readSnapshot } from '../../core/snapshot/read.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { StateHeader } from '../../core/state-header.ts';

/** A state with the header that was read from it. */
export interface ReadState {
  readonly bytes: Uint8Array;
  readonly header: StateHeader;
}

/**
 * Whether a state may take the place of another, by terraform's rules (internal/states/statemgr/migrate.go,
 * CheckValidImport): the same lineage, and a higher serial.
 */
export type ImportCheck =
  | { readonly type: 'may' }
  /** The same content is there already. */
  | { readonly type: 'same' }
  | { readonly type: 'may-not'; readonly why: string };

export function checkImport(next: ReadState, existing: ReadState | null): ImportCheck {
  if (existing === null) return { type: 'may' };
  if (Buffer.from(next.bytes).equals(existing.bytes)) return { type: 'same' };
  if (isEmptyState(existing)) return { type: 'may' };
  const [a, b] = [next.header, existing.header];
  if (a.lineage === '' || b.lineage === '') return { type: 'may' };
  if (a.lineage !== b.lineage) {
    return {
      type: 'may-not',
      why: `it has lineage ${a.lineage}, and what is there has ${b.lineage}: they are unrelated`,
    };
  }
  if (a.serial > b.serial) return { type: 'may' };
  if (a.serial < b.serial) {
    return {
      type: 'may-not',
      why: `it has serial ${a.serial}, and what is there is newer, with serial ${b.serial}`,
    };
  }
  const [mine, theirs] = [snapshotOf(next), snapshotOf(existing)];
  if (mine !== null && theirs !== null && diffSnapshots(theirs, mine).same) return { type: 'same' };
  return { type: 'may-not', why: `another state with the same serial ${a.serial} is there` };
}

/** No resources and no outputs: nothing is lost when it is replaced. An encrypted one is never known to be empty. */
export function isEmptyState(state: ReadState): boolean {
  const snapshot = snapshotOf(state);
  return snapshot !== null && snapshot.instances.length === 0 && snapshot.outputs.length === 0;
}

function snapshotOf({ bytes }: ReadState): Snapshot | null {
  const read = readSnapshot(bytes);
  return 'type' in read && read.type === 'snapshot' ? read : null;
}
