import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import {
  keeping,
  OWN_RETENTIONS_MAX,
  retainingAll,
  retainingOf,
  weakens,
  withChange,
  withoutVersions,
  writtenUnder,
  type Retained,
  type RetentionFloor,
} from '../../src/core/retained.ts';

const DAY = 86_400_000;
const YEAR: RetentionFloor = { mode: 'governance', days: 365 };
const WEEK: RetentionFloor = { mode: 'compliance', days: 7 };
const NO_BYPASS = { bypass: false };
const BYPASS = { bypass: true };

/** Versions 1, 2, … that were written at these days, each under its floor. */
function written(
  ...writes: readonly (readonly [day: number, floor: RetentionFloor | null])[]
): Retained | null {
  return writes.reduce<Retained | null>(
    (retained, [day, floor], index) => writtenUnder(retained, { number: index + 1, at: day * DAY }, floor),
    null,
  );
}

function isKept(retained: Retained | null, number: number, written: number, day: number): boolean {
  const version = { number, at: written * DAY };
  return keeping(retainingOf(retained, version, null, day * DAY), day * DAY, NO_BYPASS) !== null;
}

describe('a floor of retention', () => {
  it('leaves nothing behind where there is none', () => {
    expect(written([0, null], [1, null])).toBeNull();
  });

  it('keeps what was written under it, and not what was written before or after', () => {
    const retained = written([0, null], [1, YEAR], [2, YEAR], [3, null]);
    expect([1, 2, 3, 4].map((number) => isKept(retained, number, number - 1, 10))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isKept(retained, 2, 1, 366)).toBe(false);
    expect(isKept(retained, 3, 2, 366)).toBe(true);
  });

  it('stays as it was for what was written, when the project comes to have another', () => {
    const retained = written([0, WEEK], [1, { mode: 'compliance', days: 1 }]);
    expect(isKept(retained, 1, 0, 6)).toBe(true);
    expect(isKept(retained, 2, 1, 3)).toBe(false);
  });

  it('keeps what was written before it for as long as it is set', () => {
    const version = { number: 1, at: 0 };
    expect(keeping(retainingOf(null, version, YEAR, DAY), DAY, NO_BYPASS)).not.toBeNull();
    expect(keeping(retainingOf(null, version, null, DAY), DAY, NO_BYPASS)).toBeNull();
  });

  it('is lifted by an admin where it is by governance, and by no one where it is by compliance', () => {
    const at = 2 * DAY;
    const lifted = (floor: RetentionFloor): boolean =>
      keeping(retainingOf(null, { number: 1, at: 0 }, floor, at), at, BYPASS) === null;
    expect([lifted(YEAR), lifted(WEEK)]).toEqual([true, false]);
  });

  it('keeps a whole state until the last of its versions may go', () => {
    const retained = written([0, WEEK], [5, WEEK], [6, YEAR]);
    const all = (day: number): unknown =>
      retainingAll(retained, { number: 3, at: 6 * DAY }, null, day * DAY).retention;
    expect(all(11)).toEqual({ mode: 'compliance', until: 12 * DAY });
    expect(all(13)).toEqual({ mode: 'governance', until: (6 + 365) * DAY });
    expect(all(400)).toMatchObject({ mode: 'governance' });
    const { retention } = retainingAll(retained, { number: 3, at: 6 * DAY }, null, 400 * DAY);
    expect(keeping({ retention, legalHold: false }, 400 * DAY, NO_BYPASS)).toBeNull();
  });

  it('is remembered in bounded room, and never for less long', () => {
    const floor = fc.record({
      mode: fc.constantFrom('governance', 'compliance'),
      days: fc.integer({ min: 0, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(floor, { minLength: 1, maxLength: 80 }), fc.nat(500), (floors, day) => {
        const retained = written(...floors.map((one, index) => [index, one as RetentionFloor] as const));
        expect(retained?.floors.length ?? 0).toBeLessThanOrEqual(33);
        const at = (floors.length + day) * DAY;
        floors.forEach(({ days }, index) => {
          if ((index + days) * DAY > at) expect(isKept(retained, index + 1, index, at / DAY)).toBe(true);
        });
      }),
    );
  });
});

describe('the retention of one version', () => {
  const until = 10 * DAY;
  const version = { number: 2, at: 0 };
  const own = withChange(null, 2, { kind: 'retention', retention: { mode: 'governance', until } });

  it('holds for that version alone, and takes the place of a floor that an admin may lift', () => {
    if (own === 'full') throw new Error('there is room for one');
    expect(isKept(own, 2, 0, 9)).toBe(true);
    expect(isKept(own, 2, 0, 11)).toBe(false);
    expect(isKept(own, 1, 0, 9)).toBe(false);
    expect(retainingOf(own, version, YEAR, DAY).retention).toEqual({ mode: 'governance', until });
    const never = { mode: 'compliance', days: 365 } as const;
    expect(retainingOf(own, version, never, DAY).retention).toMatchObject({ mode: 'compliance' });
  });

  it('is made longer by anybody who may set it, and shorter by nobody but who lifts governance', () => {
    const of = (mode: 'governance' | 'compliance') => ({ retention: { mode, until }, legalHold: false });
    const longer = { mode: 'governance', until: until + 1 } as const;
    const shorter = { mode: 'governance', until: until - 1 } as const;
    expect(weakens(of('governance'), longer, 0, NO_BYPASS)).toBe(false);
    expect(weakens(of('governance'), shorter, 0, NO_BYPASS)).toBe(true);
    expect(weakens(of('governance'), null, 0, NO_BYPASS)).toBe(true);
    expect(weakens(of('governance'), { mode: 'compliance', until }, 0, NO_BYPASS)).toBe(true);
    expect(weakens(of('governance'), null, 0, BYPASS)).toBe(false);
    for (const wanted of [null, shorter, longer]) {
      expect(weakens(of('compliance'), wanted, 0, BYPASS)).toBe(true);
      expect(weakens(of('compliance'), wanted, until, NO_BYPASS)).toBe(false);
    }
  });

  it('is forgotten with its version, and leaves the address as it was', () => {
    if (own === 'full') throw new Error('there is room for one');
    expect(withoutVersions(own, [2])).toBeNull();
    expect(withoutVersions(own, [1])).toEqual(own);
    const held = withChange(own, 2, { kind: 'legal-hold', on: true });
    if (held === 'full') throw new Error('there is room for one');
    expect(keeping(retainingOf(held, version, null, 99 * DAY), 99 * DAY, BYPASS)).toMatchObject({
      legalHold: true,
    });
    expect(withChange(held, 2, { kind: 'legal-hold', on: false })).toEqual(own);
    expect(withChange(own, 2, { kind: 'forget' })).toBeNull();
  });

  it('is remembered of so many versions and of no others', () => {
    let retained: Retained | null = null;
    for (let number = 1; number <= OWN_RETENTIONS_MAX; number += 1) {
      const next = withChange(retained, number, { kind: 'legal-hold', on: true });
      if (next === 'full') throw new Error(`full at ${number}`);
      retained = next;
    }
    expect(withChange(retained, 1_000, { kind: 'legal-hold', on: true })).toBe('full');
    expect(withChange(retained, 7, { kind: 'legal-hold', on: false })).not.toBe('full');
  });
});
