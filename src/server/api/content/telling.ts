import { stringify } from 'lossless-json';
import { diffSnapshots } from '../../../core/snapshot/diff.ts';
import { readSnapshot } from '../../../core/snapshot/read.ts';
import type { Snapshot } from '../../../core/snapshot/snapshot.ts';
import type { OutputsShape } from '../../../api/shapes/content.ts';
import { toDiffShape, toOutputShape, toSnapshotShape } from '../shapes/content-shapes.ts';

/** A larger state can be downloaded and is not shown: taking one apart needs some twenty times its size. */
export const CONTENT_BYTES_MAX: number = 32 * 1024 * 1024;

/** One version of a state, to be taken apart. */
export interface VersionBytes {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** What is to be told of a version, or of two. */
export type Telling =
  | { readonly kind: 'snapshot'; readonly version: VersionBytes; readonly instance: string | null }
  | { readonly kind: 'outputs'; readonly version: VersionBytes; readonly reveal: boolean }
  | { readonly kind: 'diff'; readonly from: VersionBytes; readonly to: VersionBytes };

export type Told =
  /** JSON, in the shape that the route promises. */
  | { readonly type: 'told'; readonly text: string }
  | { readonly type: 'unreadable'; readonly problem: string };

/** Takes versions apart and says what was asked of them. */
export function tell(telling: Telling): Told {
  try {
    return { type: 'told', text: stringify(shapeOf(telling)) ?? 'null' };
  } catch (fault) {
    if (fault instanceof Unreadable) return { type: 'unreadable', problem: fault.message };
    throw fault;
  }
}

/** Never leaves this module. */
class Unreadable extends Error {}

function shapeOf(telling: Telling): unknown {
  switch (telling.kind) {
    case 'snapshot':
      return toSnapshotShape(telling.version.number, read(telling.version), telling.instance);
    case 'outputs': {
      const { serial, outputs } = read(telling.version);
      return {
        version: telling.version.number,
        serial: serial.toString(),
        outputs: outputs.map((output) => toOutputShape(output, telling.reveal)),
      } satisfies OutputsShape;
    }
    case 'diff': {
      const { from, to } = telling;
      return toDiffShape(from.number, to.number, diffSnapshots(read(from), read(to)));
    }
  }
}

function read({ bytes }: VersionBytes): Snapshot {
  const snapshot = readSnapshot(bytes);
  if ('problem' in snapshot) throw new Unreadable(snapshot.problem);
  if (snapshot.type === 'encrypted') throw new Unreadable('the state is encrypted by whoever wrote it');
  return snapshot;
}
