import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { orderedId } from '../../src/core/ordered-id.ts';

const AT = Date.UTC(2026, 10, 28);

describe('an ordered id', () => {
  it('is a UUID of version 7', () => {
    expect(orderedId(randomUUID(), AT)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('stands behind all that were made before its moment', () => {
    const moments = [1, 255, 256, AT - 1, AT, AT + 1];
    const ids = moments.map((at) => orderedId(randomUUID(), at));
    expect(ids.toSorted()).toEqual(ids);
  });

  it('is another one each time, at one moment too', () => {
    const ids = Array.from({ length: 1_000 }, () => orderedId(randomUUID(), AT));
    expect(new Set(ids).size).toBe(1_000);
  });
});
