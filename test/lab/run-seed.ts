import { drawScenario } from './scenario.ts';
import { Simulation } from './simulation.ts';
import { Dice } from './time/dice.ts';
import type { Violation } from './watch/observer.ts';

/** What came of one seed. */
export interface Verdict {
  readonly seed: number;
  readonly digest: string;
  readonly violation: Violation | null;
  /** How many things happened. */
  readonly steps: number;
  /** Virtual milliseconds. */
  readonly time: number;
  readonly worstPassed: number;
  readonly lines: readonly string[];
}

/** Simulates what a seed decides. The same seed gives the same trace. */
export async function runSeed(seed: number, isTraced = false): Promise<Verdict> {
  // Neighbouring seeds must have nothing in common.
  const dice = new Dice(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  const simulation = new Simulation(drawScenario(dice.fork()), dice, isTraced);
  await simulation.run();
  const { trace, observer, time } = simulation;
  return {
    seed,
    digest: trace.digest,
    violation: observer.violation,
    steps: time.steps,
    time: time.now,
    worstPassed: observer.worstPassed,
    lines: trace.lines,
  };
}
