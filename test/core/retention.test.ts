import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prunable } from '../../src/core/retention.ts';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;

/** Versions 1, 2, 3 …, written so many days ago. */
function writtenDaysAgo(...days: readonly number[]): { number: number; at: number }[] {
  return days.map((ago, index) => ({ number: index + 1, at: NOW - ago * DAY }));
}

describe('retention', () => {
  it('keeps everything by default', () => {
    expect(prunable(writtenDaysAgo(900, 800, 1), {}, NOW)).toEqual([]);
  });

  it('by count keeps the newest', () => {
    expect(prunable(writtenDaysAgo(5, 4, 3, 2, 1), { keepVersions: 2 }, NOW)).toEqual([1, 2, 3]);
    expect(prunable(writtenDaysAgo(5, 4), { keepVersions: 5 }, NOW)).toEqual([]);
  });

  it('by age counts from when a version was superseded, not from when it was written', () => {
    expect(prunable(writtenDaysAgo(400, 40, 2), { keepDays: 30 }, NOW)).toEqual([1]);
    expect(prunable(writtenDaysAgo(400, 1), { keepDays: 30 }, NOW)).toEqual([]);
    expect(prunable(writtenDaysAgo(60, 30), { keepDays: 30 }, NOW)).toEqual([1]);
  });

  it('by count and age lets go what either says', () => {
    expect(prunable(writtenDaysAgo(100, 50, 3, 2, 1), { keepVersions: 3, keepDays: 30 }, NOW)).toEqual([
      1, 2,
    ]);
    expect(prunable(writtenDaysAgo(9, 8, 7, 6, 5), { keepVersions: 2, keepDays: 30 }, NOW)).toEqual([
      1, 2, 3,
    ]);
  });

  it('never lets the newest version go, however it is asked', () => {
    const limit = fc.option(fc.integer({ min: -5, max: 50 }), { nil: undefined });
    const ages = fc.array(fc.nat(100), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(ages, limit, limit, fc.nat(), (days, keepVersions, keepDays, seed) => {
        const versions = writtenDaysAgo(...days.sort((a, b) => b - a));
        const shuffled = [...versions].sort((a, b) => ((a.number * seed) % 7) - ((b.number * seed) % 7));
        const retention = {
          ...(keepVersions === undefined ? {} : { keepVersions }),
          ...(keepDays === undefined ? {} : { keepDays }),
        };
        const gone = prunable(shuffled, retention, NOW);
        expect(gone).not.toContain(versions.length);
        // Oldest first, and no kept version is older than one that goes.
        expect(gone).toEqual(gone.map((_, index) => index + 1));
        if (keepVersions !== undefined) {
          expect(versions.length - gone.length).toBeLessThanOrEqual(Math.max(1, keepVersions));
        }
      }),
    );
  });
});
