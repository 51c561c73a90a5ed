import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { prunable, type Retention } from '../../src/core/retention.ts';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;

/** Versions 1, 2, 3 …, written so many days ago. */
function writtenDaysAgo(...days: readonly number[]): { number: number; at: number }[] {
  return days.map((ago, index) => ({ number: index + 1, at: NOW - ago * DAY }));
}

/** Where nothing is kept beyond what the limits say. */
const bare = (limits: Retention): Retention => ({ ...limits, minKeepDays: 0 });

describe('retention', () => {
  it('keeps everything by default', () => {
    expect(prunable(writtenDaysAgo(900, 800, 1), {}, NOW)).toEqual([]);
  });

  it('by count keeps the newest', () => {
    expect(prunable(writtenDaysAgo(5, 4, 3, 2, 1), bare({ keepVersions: 2 }), NOW)).toEqual([1, 2, 3]);
    expect(prunable(writtenDaysAgo(5, 4), bare({ keepVersions: 5 }), NOW)).toEqual([]);
  });

  it('by age counts from when a version was superseded, not from when it was written', () => {
    expect(prunable(writtenDaysAgo(400, 40, 2), bare({ keepDays: 30 }), NOW)).toEqual([1]);
    expect(prunable(writtenDaysAgo(400, 1), bare({ keepDays: 30 }), NOW)).toEqual([]);
    expect(prunable(writtenDaysAgo(60, 30), bare({ keepDays: 30 }), NOW)).toEqual([1]);
  });

  it('by count and age lets go what either says', () => {
    expect(prunable(writtenDaysAgo(100, 50, 3, 2, 1), bare({ keepVersions: 3, keepDays: 30 }), NOW)).toEqual([
      1, 2,
    ]);
    expect(prunable(writtenDaysAgo(9, 8, 7, 6, 5), bare({ keepVersions: 2, keepDays: 30 }), NOW)).toEqual([
      1, 2, 3,
    ]);
  });

  it('lets nothing go that was superseded in the last seven days, or as many as it is told', () => {
    const versions = writtenDaysAgo(100, 9, 7, 6, 0, 0, 0);
    expect(prunable(versions, { keepVersions: 1 }, NOW)).toEqual([1, 2]);
    expect(prunable(versions, { keepDays: 1 }, NOW)).toEqual([1, 2]);
    expect(prunable(versions, { keepVersions: 1, minKeepDays: 6 }, NOW)).toEqual([1, 2, 3]);
    expect(prunable(versions, { keepVersions: 1, minKeepDays: 1_000 }, NOW)).toEqual([]);
    expect(prunable(versions, bare({ keepVersions: 1 }), NOW)).toEqual([1, 2, 3, 4, 5, 6]);
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
        const gone = prunable(shuffled, bare(retention), NOW);
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
