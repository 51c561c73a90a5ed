import { stringify } from 'lossless-json';
import { contentsOf } from '../../../core/snapshot/contents.ts';
import { diffSnapshots } from '../../../core/snapshot/diff.ts';
import { readSnapshot } from '../../../core/snapshot/read.ts';
import { summarizeSnapshot } from '../../../core/snapshot/summary.ts';
import type { Snapshot } from '../../../core/snapshot/snapshot.ts';
import type { OutputsShape } from '../../../api/shapes/content.ts';
import type { VersionChangesShape } from '../../../api/shapes/look.ts';
import { readsOf } from './remote-states.ts';
import { toDiffShape, toOutputShape, toSnapshotShape } from '../shapes/content-shapes.ts';

/** A larger state can be downloaded and is not shown: taking one apart needs some twenty times its size. */
export const CONTENT_BYTES_MAX: number = 32 * 1024 * 1024;

/** One version of a state, to be taken apart. */
export interface VersionBytes {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** What is to be said of a version, or of two. */
export type SnapshotTask =
  | { readonly kind: 'snapshot'; readonly version: VersionBytes; readonly instance: string | null }
  | { readonly kind: 'outputs'; readonly version: VersionBytes; readonly reveal: boolean }
  /** What there is to look for in it, for the index. */
  | { readonly kind: 'contents'; readonly version: VersionBytes }
  /** How much lies between them; `from` is null for all that is in `to`. */
  | { readonly kind: 'counts'; readonly from: VersionBytes | null; readonly to: VersionBytes }
  | { readonly kind: 'diff'; readonly from: VersionBytes; readonly to: VersionBytes };

export type SnapshotAnswer =
  /** JSON, in the shape that the route promises. */
  | { readonly type: 'answer'; readonly text: string }
  | { readonly type: 'unreadable'; readonly problem: string };

/** Takes versions apart and says what was asked of them. */
export function runTask(task: SnapshotTask): SnapshotAnswer {
  try {
    return { type: 'answer', text: stringify(shapeOf(task)) ?? 'null' };
  } catch (fault) {
    if (fault instanceof Unreadable) return { type: 'unreadable', problem: fault.message };
    throw fault;
  }
}

/** Never leaves this module. */
class Unreadable extends Error {}

function shapeOf(task: SnapshotTask): unknown {
  switch (task.kind) {
    case 'snapshot':
      return toSnapshotShape(task.version.number, read(task.version), task.instance);
    case 'outputs': {
      const { serial, outputs } = read(task.version);
      return {
        version: task.version.number,
        serial: serial.toString(),
        outputs: outputs.map((output) => toOutputShape(output, task.reveal)),
      } satisfies OutputsShape;
    }
    case 'contents': {
      const contents = contentsOf(read(task.version));
      return { contents, reads: readsOf(contents.sources) };
    }
    case 'counts':
      return countChanges(task.from === null ? EMPTY : read(task.from), read(task.to));
    case 'diff': {
      const { from, to } = task;
      return toDiffShape(from.number, to.number, diffSnapshots(read(from), read(to)));
    }
  }
}

/** What a state is compared with that has none before it. */
const EMPTY: Snapshot = {
  type: 'snapshot',
  serial: 0n,
  lineage: '',
  terraformVersion: '',
  outputs: [],
  instances: [],
  checks: [],
};

function countChanges(before: Snapshot, after: Snapshot): VersionChangesShape['counts'] {
  const { instances, outputs } = diffSnapshots(before, after);
  const ofKind = (wanted: string): number => instances.filter(({ kind }) => kind === wanted).length;
  const names = new Set(outputs.map(({ path }) => /^[^.[]*/.exec(path)?.[0]));
  return {
    added: ofKind('added'),
    changed: ofKind('changed'),
    removed: ofKind('removed'),
    outputs: names.size,
    instances: summarizeSnapshot(after).instances,
  };
}

function read({ bytes }: VersionBytes): Snapshot {
  const snapshot = readSnapshot(bytes);
  if ('problem' in snapshot) throw new Unreadable(snapshot.problem);
  if (snapshot.type === 'encrypted')
    throw new Unreadable('the state is encrypted by the client that wrote it');
  return snapshot;
}
