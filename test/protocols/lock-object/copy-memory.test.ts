import { expect, it } from 'vitest';
import { COPIES_MAX, COPY_LIFE, CopyMemory } from '../../../src/protocols/lock-object/copy-memory.ts';

it('a copy is remembered for one look of its client, for a while, and only so many are', () => {
  let now = 0;
  const memory = new CopyMemory(() => now);
  memory.copied('ann', 'a');
  expect([memory.looks('bob', 'a'), memory.looks('ann', 'b')]).toEqual([false, false]);
  expect([memory.looks('ann', 'a'), memory.looks('ann', 'a')]).toEqual([true, false]);
  memory.copied('ann', 'late');
  now = COPY_LIFE + 1;
  expect(memory.looks('ann', 'late')).toBe(false);
  for (let copy = 0; copy <= COPIES_MAX; copy += 1) memory.copied('ann', `a${copy}`);
  expect([memory.looks('ann', 'a0'), memory.looks('ann', 'a1')]).toEqual([false, true]);
});
