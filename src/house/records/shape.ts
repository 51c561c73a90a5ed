import type { z } from 'zod';
import { EngineFault, type Entry } from '../../ports/engine.ts';
import type { RecordKind } from './kinds.ts';

/** Records of one kind, and what each of them is. */
export interface RecordShape<T> {
  readonly kind: RecordKind;
  /** @throws {EngineFault} when what is stored is not what the schema says; its content is not told */
  readonly read: (entry: Entry) => T;
  /** The attributes that are stored for a record: JSON alone. @throws {TypeError} when the schema refuses the record */
  readonly write: (record: T) => Entry['attributes'];
}

/** @param schema accepts whatever an earlier program stored under that kind */
export function recordShape<T extends object>(kind: RecordKind, schema: z.ZodType<T>): RecordShape<T> {
  return {
    kind,
    read: ({ name, attributes }) => {
      const parsed = schema.safeParse(attributes);
      if (parsed.success) return parsed.data;
      const fields = parsed.error.issues.map(({ path }) => path.map(String).join('.') || 'the whole');
      const which = [...new Set(fields)].slice(0, FIELDS_MAX).join(', ');
      throw new EngineFault(
        `the record "${name}" of kind "${kind}" is damaged: a field is missing or has the wrong type (${which})`,
      );
    },
    write: (record) => {
      if (!schema.safeParse(record).success) throw new TypeError(`a record of kind "${kind}" is not valid`);
      return JSON.parse(JSON.stringify(record)) as Entry['attributes'];
    },
  };
}

/** Fields that a fault names. */
const FIELDS_MAX = 5;
