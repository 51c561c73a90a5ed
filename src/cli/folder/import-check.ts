import { diffSnapshots } from '../../core/snapshot/diff.ts';
import { readSnapshot } from '../../core/snapshot/read.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { StateHeader } from '../../core/state-header.ts';
import { type NotSuperseding, whyNotSupersede } from '../../core/supersede.ts';

/** A state with the header that was read from it. */
export interface ReadState {
  readonly bytes: Uint8Array;
  readonly header: StateHeader;
}

/** Whether a state may replace another: an empty one may always be replaced, and the same content is left alone. */
export type ImportCheck =
  | { readonly type: 'may' }
  /** The same content is there already. */
  | { readonly type: 'same' }
  | { readonly type: 'may-not'; readonly why: string };

export function checkImport(next: ReadState, existing: ReadState | null): ImportCheck {
  if (existing === null) return { type: 'may' };
  if (Buffer.from(next.bytes).equals(existing.bytes)) return { type: 'same' };
  if (isEmptyState(existing)) return { type: 'may' };
  const reason = whyNotSupersede(next.header, existing.header);
  if (reason === null) return { type: 'may' };
  if (reason === 'serial-equal' && sameContent(next, existing)) return { type: 'same' };
  return { type: 'may-not', why: REASONS[reason](next.header, existing.header) };
}

const REASONS: Readonly<Record<NotSuperseding, (next: StateHeader, existing: StateHeader) => string>> = {
  lineage: (next, existing) =>
    `it has lineage ${next.lineage}, and the existing state has lineage ${existing.lineage}: they are unrelated`,
  'serial-lower': (next, existing) =>
    `it has serial ${next.serial}, and the existing state is newer, with serial ${existing.serial}`,
  'serial-equal': ({ serial }) => `there is another state with the same serial ${serial}`,
};

function sameContent(next: ReadState, existing: ReadState): boolean {
  const [mine, theirs] = [snapshotOf(next), snapshotOf(existing)];
  return mine !== null && theirs !== null && diffSnapshots(theirs, mine).same;
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
