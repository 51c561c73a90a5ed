import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ReleasedShape } from '../../src/api/shapes/lock.ts';
import { ADDRESS } from '../../src/server/api/parameters.ts';
import { defineRoute, NO_BODY, type Route } from '../../src/server/api/route.ts';
import { objectOf } from '../../src/server/api/shapes/plain.ts';
import { LOCK, RELEASED } from '../../src/server/api/shapes/lock.ts';

// Each expected error is one of the compiler's: where a schema and `src/api` could differ unnoticed, this file does not compile.

const RELEASED_FIELDS = { released: z.array(z.string()), broken: z.boolean() };
const REST = { summary: '', needs: '', refusals: [], run: () => Promise.reject(new Error('never asked')) };
const LOCK_ANSWER = { status: 200, says: '', schema: LOCK } as const;
const ONE = z.strictObject({ address: ADDRESS });

describe('a schema that differs from src/api does not compile', () => {
  it('in a member of an answer', () => {
    const right = objectOf<ReleasedShape>(RELEASED_FIELDS);
    // @ts-expect-error a member that the shape does not have
    const more = objectOf<ReleasedShape>({ ...RELEASED_FIELDS, extra: z.string() });
    // @ts-expect-error a member is missing
    const less = objectOf<ReleasedShape>({ broken: z.boolean() });
    // @ts-expect-error a member is of another type
    const other = objectOf<ReleasedShape>({ ...RELEASED_FIELDS, broken: z.string() });
    expect([right, more, less, other].every((schema) => schema instanceof z.ZodType)).toBe(true);
  });

  it('in the query, the body or the answer of an operation', () => {
    const operation = 'show-lock';
    const right = { ...REST, operation, query: ONE, body: NO_BODY, answer: LOCK_ANSWER } as const;
    const more = z.strictObject({ address: ADDRESS, extra: z.string().optional() });
    const rows: Route[] = [
      defineRoute(right),
      // @ts-expect-error a parameter that the contract does not have
      defineRoute({ ...right, query: more }),
      // @ts-expect-error a parameter is missing
      defineRoute({ ...right, query: z.strictObject({}) }),
      // @ts-expect-error a body that the contract does not have
      defineRoute({ ...right, body: z.strictObject({ a: z.string() }) }),
      // @ts-expect-error the answer of another operation
      defineRoute({ ...right, answer: { ...LOCK_ANSWER, schema: RELEASED } }),
    ];
    expect(new Set(rows.map(({ path }) => path))).toEqual(new Set(['/state/lock']));
  });
});
