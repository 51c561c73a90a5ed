import type { z } from 'zod';
import type { RecordKind } from './kinds.ts';
import { Records, type RecordOwner } from './records.ts';
import { recordShape } from './shape.ts';

/** Records of one kind, wherever they are kept. */
export interface RecordDefinition<T extends object> {
  /** The records of an owner: the same for every call, so that all share what was read. */
  readonly of: (owner: RecordOwner) => Records<T>;
}

/**
 * Says what records of a kind are.
 * @param schema accepts whatever an earlier program stored under that kind
 */
export function defineRecords<T extends object>(kind: RecordKind, schema: z.ZodType<T>): RecordDefinition<T> {
  const shape = recordShape(kind, schema);
  const open = new WeakMap<RecordOwner, Records<T>>();
  return {
    of: (owner) => {
      const known = open.get(owner) ?? new Records(owner, shape);
      open.set(owner, known);
      return known;
    },
  };
}
