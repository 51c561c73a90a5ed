import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { TokenBuckets } from '../../src/server/token-buckets.ts';

describe('token buckets', () => {
  it('let a burst through, then the rate, each name on its own', () => {
    const clock = new ManualClock();
    const buckets = new TokenBuckets({ rate: 2, burst: 3, clock });
    const takes = (name: string, times: number): number =>
      Array.from({ length: times }, () => buckets.take(name)).filter((wait) => wait === null).length;
    expect(takes('ann', 5)).toBe(3);
    expect(buckets.take('ann')).toBe(0.5);
    expect(takes('bob', 5)).toBe(3);
    clock.advance(1_000);
    expect(takes('ann', 5)).toBe(2);
    clock.advance(3_600_000);
    expect(takes('ann', 5)).toBe(3);
  });

  it('never count a clock that goes back', () => {
    const clock = { time: 5_000, now: () => clock.time };
    const buckets = new TokenBuckets({ rate: 1, burst: 1, clock });
    expect(buckets.take('ann')).toBeNull();
    clock.time = 0;
    expect(buckets.take('ann')).toBe(1);
    clock.time = 1_000;
    expect(buckets.take('ann')).toBeNull();
  });

  it('remember so many names and no more, those that were heard of last', () => {
    const buckets = new TokenBuckets({ rate: 1, burst: 1, clock: new ManualClock(), namesMax: 100 });
    for (let n = 0; n < 10_000; n += 1) {
      buckets.take('often');
      buckets.take(`name-${n}`);
    }
    expect(buckets.size).toBe(100);
    expect(buckets.take('often')).toBe(1);
    expect(buckets.take('name-9999')).toBe(1);
    expect(buckets.take('name-0')).toBeNull();
  });

  it('without a rate let everything through and remember nobody', () => {
    const buckets = new TokenBuckets({ rate: 0, burst: 0, clock: new ManualClock() });
    for (let n = 0; n < 1_000; n += 1) expect(buckets.take('ann')).toBeNull();
    expect(buckets.size).toBe(0);
  });
});
