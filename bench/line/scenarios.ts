import type { Milliseconds } from '../../src/core/instant.ts';
import { Chance } from './chance.ts';
import type { Run } from './runs.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Patience that nobody comes to the end of. */
const FOR_EVER: Milliseconds = 1e9;
/** How much the time that a run holds the lock is spread around its median. */
const SPREAD = 0.3;

/** Several that begin within half a second, as the jobs of one push do. */
export function burst(count: number, hold: Milliseconds, seed: number): readonly Run[] {
  const chance = new Chance(seed);
  return Array.from({ length: count }, (_, index) => ({
    ...patientApply(index, chance.logNormal(hold, SPREAD)),
    beginsAt: chance.next() * SECOND * 0.5,
  }));
}

/**
 * Comers who know nothing of each other.
 * @param load the part of the time that they need the lock for: near 1 a line builds up
 */
export function steady(count: number, hold: Milliseconds, load: number, seed: number): readonly Run[] {
  const chance = new Chance(seed);
  let at = 0;
  return Array.from({ length: count }, (_, index) => ({
    ...patientApply(index, chance.logNormal(hold, SPREAD)),
    beginsAt: (at += chance.exponential(hold / load)),
  }));
}

/** As `steady`, but a third of them dies, vanishes without a word or is interrupted while it waits. */
export function unsteady(count: number, hold: Milliseconds, seed: number): readonly Run[] {
  const chance = new Chance(seed);
  return steady(count, hold, 0.95, seed).map((run) => {
    if (chance.next() > 1 / 3) return run;
    const kind = (['dies', 'vanishes', 'interrupted'] as const)[Math.floor(chance.next() * 3)] ?? 'dies';
    return { ...run, fate: { kind, after: chance.exponential(2 * hold) } };
  });
}

/** Twenty at a time, with the `-lock-timeout`s that people set: ten seconds to ten minutes, too short for many. */
export function impatient(hold: Milliseconds, seed: number): readonly Run[] {
  const chance = new Chance(seed);
  return burst(20, hold, seed).map((run) => ({
    ...run,
    patience: ([10, 30, 60, 120, 300, 600][Math.floor(chance.next() * 6)] ?? 60) * SECOND,
  }));
}

/** A new plan of a minute and a half every 20 s, for an hour, and every ten minutes an apply that waits for five. */
export function plansAndApplies(seed: number): readonly Run[] {
  const chance = new Chance(seed);
  const plans = Array.from({ length: 180 }, (_, index) => ({
    name: `plan-${index}`,
    beginsAt: 20 * SECOND * (index + chance.next() * 0.5),
    plan: true,
    hold: chance.logNormal(90 * SECOND, 0.1),
    patience: 30 * MINUTE,
    fate: null,
  }));
  const applies = Array.from({ length: 6 }, (_, index) => ({
    name: `apply-${index}`,
    beginsAt: MINUTE + 10 * MINUTE * index + chance.next() * 20 * SECOND,
    plan: false,
    hold: chance.logNormal(30 * SECOND, 0.1),
    patience: 5 * MINUTE,
    fate: null,
  }));
  return [...plans, ...applies];
}

function patientApply(index: number, hold: Milliseconds): Omit<Run, 'beginsAt'> {
  return { name: `apply-${index}`, plan: false, hold, patience: FOR_EVER, fate: null };
}
