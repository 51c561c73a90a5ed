import type { Instant } from '../instant.ts';
import { isFinal, needsLock, type RunState } from './status.ts';

/** A run among others of its workspace, or of its node. */
export interface RunInLine extends Pick<RunState, 'kind' | 'status'> {
  readonly id: string;
  readonly createdAt: Instant;
}

/** Statuses of a run that has its lock, if it needs one. */
const WAITS = new Set(['pending', 'confirmed']);

/**
 * The run that is called the current one of its workspace: the one that has the lock, else the first of those that are to have
 * it, even while it waits. Without any, none is.
 */
export function currentRun<R extends RunInLine>(runs: readonly R[]): R | null {
  const line = lineOf(runs);
  return line.find(({ status }) => !WAITS.has(status)) ?? line[0] ?? null;
}

/** The runs that have the lock or wait for it, in their order. */
export function lineOf<R extends RunInLine>(runs: readonly R[]): readonly R[] {
  return runs.filter(needsLock).toSorted(byAge);
}

/** How many runs are to be executed before each, and itself, by id. A run that is at work, or waits for a person, is not there. */
export function placesInQueue(runs: readonly RunInLine[]): ReadonlyMap<string, number> {
  const waiting = runs.filter((run) => !isFinal(run) && QUEUED.has(run.status)).toSorted(byTurn);
  return new Map(waiting.map(({ id }, at) => [id, at + 1]));
}

/** Whose turn it is of those that are ready: applies before plans, plans that hold the lock before those beside the line. */
export function nextInTurn<R extends RunInLine>(ready: readonly R[]): R | null {
  return ready.toSorted(byTurn)[0] ?? null;
}

const QUEUED = new Set(['pending', 'plan_queued', 'confirmed', 'apply_queued']);

function byAge(a: RunInLine, b: RunInLine): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

function byTurn(a: RunInLine, b: RunInLine): number {
  return rank(a) - rank(b) || byAge(a, b);
}

function rank({ kind, status }: RunInLine): number {
  if (status === 'apply_queued') return 0;
  return kind === 'apply' ? 1 : 2;
}
