import type { Instant, Milliseconds } from '../../src/core/instant.ts';
import { Agenda } from './agenda.ts';
import { LockServer, type Treatment } from './lock-server.ts';
import { begin, type Run } from './runs.ts';

/** What a treatment made of the runs. */
export interface Report {
  readonly grants: number;
  /** All time in which somebody held the lock. */
  readonly heldMs: Milliseconds;
  /** All time in which nobody held it and somebody wanted it. */
  readonly idleMs: Milliseconds;
  /** Grants by which somebody was passed who had asked before and still waited. */
  readonly overtakings: number;
  /** From the first ask to the last release. */
  readonly makespanMs: Milliseconds;
  /** Runs that gave up because their `-lock-timeout` was over. */
  readonly gaveUp: number;
  /** By how much the worst of them overran it, as a part of it. */
  readonly worstOverrun: number;
  /** The longest that anybody waited for the lock. */
  readonly worstWaitMs: Milliseconds;
}

/** A day is enough for every run to come to its end. */
const END: Instant = 7 * 24 * 60 * 60 * 1_000;

/** Lets the runs compete for one lock, in virtual time. */
export function simulate(runs: readonly Run[], treatment: Treatment): Report {
  const agenda = new Agenda();
  const byName = new Map(runs.map((run) => [run.name, run]));
  /** Since when each wants the lock. */
  const wanting = new Map<string, Instant>();
  const holding = new Set<string>();
  const firstAsk = new Map<string, Instant>();
  let [grants, heldMs, idleMs, overtakings, gaveUp, worstOverrun, worstWaitMs] = [0, 0, 0, 0, 0, 0, 0];
  let [began, ended, seen] = [Infinity, 0, 0];

  const pass = (): void => {
    const time = agenda.now - seen;
    if (holding.size > 0) heldMs += time;
    else if (wanting.size > 0) idleMs += time;
    seen = agenda.now;
  };
  const server = new LockServer(agenda, treatment, (name) => {
    pass();
    const since = firstAsk.get(name) ?? agenda.now;
    const plan = byName.get(name)?.plan === true;
    grants += 1;
    worstWaitMs = Math.max(worstWaitMs, agenda.now - since);
    wanting.delete(name);
    holding.add(name);
    const isPassed = ([other, at]: [string, Instant]): boolean =>
      at < since && !(plan && byName.get(other)?.plan === true);
    if ([...wanting].some(isPassed)) overtakings += 1;
  });
  for (const run of runs) {
    begin(run, agenda, server, {
      wants: ({ name }) => {
        pass();
        began = Math.min(began, agenda.now);
        firstAsk.set(name, agenda.now);
        wanting.set(name, agenda.now);
        if (run.patience > 0) {
          // Who is past its patience may still be served, but nobody owes it anything.
          agenda.after(run.patience, () => {
            pass();
            wanting.delete(name);
          });
        } else {
          agenda.after(0, () => {
            pass();
            wanting.delete(name);
          });
        }
      },
      givesUp: ({ name, patience }, after, reason) => {
        pass();
        wanting.delete(name);
        if (reason !== 'patience' || patience === 0) return;
        gaveUp += 1;
        worstOverrun = Math.max(worstOverrun, (after - patience) / patience);
      },
      releases: ({ name }) => {
        pass();
        holding.delete(name);
        ended = agenda.now;
      },
    });
  }
  agenda.runUntil(END);
  return {
    grants,
    heldMs,
    idleMs,
    overtakings,
    makespanMs: ended - began,
    gaveUp,
    worstOverrun,
    worstWaitMs,
  };
}
