import { z } from 'zod';
import type { Page } from '../../../api/shapes/page.ts';

/** The schema of a shape of `src/api`: it has every member of the shape and no other, or does not compile. */
export function objectOf<Shape>(fields: {
  readonly [Member in keyof Shape]-?: z.ZodType<Shape[Member]>;
}): z.ZodType<Shape> {
  return z.strictObject(fields) as unknown as z.ZodType<Shape>;
}

export function text(says: string): z.ZodString {
  return z.string().describe(says);
}

/** A whole number that is never negative. */
export function count(says: string): z.ZodInt {
  return z.int().min(0).describe(says);
}

/** A moment, in RFC 3339 with milliseconds, UTC. */
export function instant(says: string): z.ZodISODateTime {
  return z.iso.datetime().describe(says);
}

export function pageOf<Name extends string, Item>(
  name: Name,
  item: z.ZodType<Item>,
): z.ZodType<Page<Name, Item>> {
  const next = z
    .string()
    .nullable()
    .describe('Give this as `cursor` for the next page; null when this was the last one.');
  return z.strictObject({ [name]: z.array(item), next }) as unknown as z.ZodType<Page<Name, Item>>;
}
