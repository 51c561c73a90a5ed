import type { Instant } from '../instant.ts';

/** What a run can be in, in the words of HCP's API. */
export const RUN_STATUSES = [
  'pending',
  'plan_queued',
  'planning',
  'planned',
  'planned_and_finished',
  'planned_and_saved',
  'confirmed',
  'apply_queued',
  'applying',
  'applied',
  'errored',
  'discarded',
  'canceled',
  'force_canceled',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/**
 * What a run is made for.
 * - `plan`: it ends with its plan, and needs no lock.
 * - `saved`: it plans beside the line, and needs the lock once it is confirmed.
 * - `apply`: it holds the lock from before its plan until it ends.
 */
export const RUN_KINDS = ['plan', 'saved', 'apply'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** How a phase ended. */
export const PHASE_ENDS = ['finished', 'errored', 'canceled'] as const;
export type PhaseEnd = (typeof PHASE_ENDS)[number];

/** What people and programs ask of a run. */
export const RUN_ACTIONS = ['confirm', 'discard', 'cancel', 'force-cancel'] as const;
export type RunAction = (typeof RUN_ACTIONS)[number];

/** Who asked for something, and when. */
export interface Asked {
  readonly by: string;
  readonly at: Instant;
}

/** A run, as far as its rules care. */
export interface RunState {
  readonly kind: RunKind;
  readonly status: RunStatus;
  /** How its plan ended; null while it has not. */
  readonly planEnd: PhaseEnd | null;
  /** How its apply ended; null while it has not. */
  readonly applyEnd: PhaseEnd | null;
  /** Whether its plan changes anything; false until that is known. */
  readonly hasChanges: boolean;
  /** Who asked what of it, and when. */
  readonly asked: { readonly [A in RunAction]?: Asked | undefined };
}

/** What happens to a run. */
export type RunEvent =
  | { readonly type: RunAction; readonly by: string; readonly at: Instant }
  /** It has the lock, or needs none. */
  | { readonly type: 'ready' }
  | { readonly type: 'plan-started' }
  | { readonly type: 'plan-ended'; readonly end: PhaseEnd; readonly hasChanges: boolean }
  | { readonly type: 'apply-started' }
  | { readonly type: 'apply-ended'; readonly end: PhaseEnd }
  /** Whoever was to execute it gives it back, and has begun nothing. */
  | { readonly type: 'handed-back' }
  /** The state is not what a saved plan was made of. */
  | { readonly type: 'outdated' }
  /** Whoever executed it is gone, or it cannot be executed. */
  | { readonly type: 'lost' };

export type RunEventType = RunEvent['type'];

/** What comes of an event. */
export type RunDecision =
  | { readonly type: 'changed'; readonly run: RunState }
  /** The same subject asked the same before, and it was done: nothing is to be done, and nothing is wrong. */
  | { readonly type: 'already' }
  | { readonly type: 'refused'; readonly status: RunStatus };

/** Statuses from which nothing leads on. */
const FINAL: ReadonlySet<RunStatus> = new Set([
  'planned_and_finished',
  'applied',
  'errored',
  'discarded',
  'canceled',
  'force_canceled',
]);

/** Statuses in which a program of the run is at work. */
const AT_WORK: ReadonlySet<RunStatus> = new Set(['planning', 'applying']);

/** Where each event may lead from; what is not in it is refused. */
const FROM: { readonly [E in RunEventType]: ReadonlySet<RunStatus> } = {
  confirm: new Set(['planned', 'planned_and_saved']),
  discard: new Set(['pending', 'planned', 'planned_and_saved']),
  cancel: new Set(['pending', 'plan_queued', 'planning', 'confirmed', 'apply_queued', 'applying']),
  'force-cancel': AT_WORK,
  ready: new Set(['pending', 'confirmed']),
  'plan-started': new Set(['plan_queued']),
  'plan-ended': new Set(['planning']),
  'apply-started': new Set(['apply_queued']),
  'apply-ended': new Set(['applying']),
  'handed-back': AT_WORK,
  outdated: new Set(['planned_and_saved', 'confirmed', 'apply_queued']),
  lost: new Set(['pending', 'plan_queued', 'planning', 'confirmed', 'apply_queued', 'applying']),
};

/** How long after a cancel was asked for a run may be ended by force. */
export const FORCE_AFTER = 10_000;

/** A run that was just made. */
export function newRun(kind: RunKind): RunState {
  return { kind, status: 'pending', planEnd: null, applyEnd: null, hasChanges: false, asked: {} };
}

/** Whether nothing will happen to the run any more. */
export function isFinal({ status }: Pick<RunState, 'status'>): boolean {
  return FINAL.has(status);
}

/** Whether a program of the run is at work. */
export function isAtWork({ status }: Pick<RunState, 'status'>): boolean {
  return AT_WORK.has(status);
}

/** Whether the run is one that holds the lock, or is to have it. */
export function needsLock({ kind, status }: Pick<RunState, 'kind' | 'status'>): boolean {
  if (FINAL.has(status) || kind === 'plan') return false;
  return kind === 'apply' || status === 'confirmed' || status === 'apply_queued' || status === 'applying';
}

/** Whether an action would be taken now. @param at for the pause before a run may be ended by force */
export function mayBeAsked(run: RunState, action: RunAction, at: Instant): boolean {
  if (!FROM[action].has(run.status)) return false;
  if (action !== 'force-cancel') return true;
  const { cancel } = run.asked;
  return cancel !== undefined && at - cancel.at >= FORCE_AFTER;
}

/** What comes of an event: the one place where a run changes. */
export function decideRun(run: RunState, event: RunEvent): RunDecision {
  const refused = { type: 'refused', status: run.status } as const;
  if (isAction(event)) {
    // A client whose answer was lost asks again, maybe when the run has gone on.
    if (run.asked[event.type]?.by === event.by) return { type: 'already' };
    if (!mayBeAsked(run, event.type, event.at)) return refused;
    const { type, by, at } = event;
    return changed(after({ ...run, asked: { ...run.asked, [type]: { by, at } } }, event));
  }
  return FROM[event.type].has(run.status) ? changed(after(run, event)) : refused;
}

function changed(run: RunState): RunDecision {
  return { type: 'changed', run };
}

function isAction(event: RunEvent): event is Extract<RunEvent, { readonly type: RunAction }> {
  return (RUN_ACTIONS as readonly string[]).includes(event.type);
}

/** @param run in a status that the event may lead from */
function after(run: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'confirm':
      return { ...run, status: 'confirmed' };
    case 'discard':
    case 'outdated':
      return { ...run, status: 'discarded' };
    case 'cancel':
      // What is at work is told to stop, and says itself how it ended.
      return isAtWork(run) ? run : { ...run, status: 'canceled' };
    case 'force-cancel':
      return cutOff(run, 'canceled', 'force_canceled');
    case 'ready':
      return { ...run, status: run.status === 'pending' ? 'plan_queued' : 'apply_queued' };
    case 'plan-started':
      return { ...run, status: 'planning' };
    case 'plan-ended':
      return planned({ ...run, planEnd: event.end, hasChanges: event.hasChanges });
    case 'apply-started':
      return { ...run, status: 'applying' };
    case 'apply-ended':
      return { ...run, applyEnd: event.end, status: event.end === 'finished' ? 'applied' : event.end };
    case 'handed-back':
      // Whoever asked for its end need not wait for the next one to take it.
      if (run.asked.cancel !== undefined) return { ...run, status: 'canceled' };
      return { ...run, status: run.status === 'planning' ? 'plan_queued' : 'apply_queued' };
    case 'lost':
      return cutOff(run, 'errored', 'errored');
  }
}

function planned(run: RunState): RunState {
  if (run.planEnd !== 'finished') return { ...run, status: run.planEnd ?? 'errored' };
  if (run.kind === 'plan' || !run.hasChanges) return { ...run, status: 'planned_and_finished' };
  return { ...run, status: run.kind === 'saved' ? 'planned_and_saved' : 'planned' };
}

/** Ends the run, and the phase that is at work or was about to begin. */
function cutOff(run: RunState, end: PhaseEnd, status: RunStatus): RunState {
  return run.planEnd === null ? { ...run, planEnd: end, status } : { ...run, applyEnd: end, status };
}

/** What a phase can be in, in the words of HCP's API. */
export type PhaseStatus = 'pending' | 'queued' | 'running' | PhaseEnd | 'unreachable';

export function planStatus({ status, planEnd }: RunState): PhaseStatus {
  if (planEnd !== null) return planEnd;
  if (status === 'plan_queued') return 'queued';
  if (status === 'planning') return 'running';
  return status === 'pending' ? 'pending' : 'canceled';
}

/** The apply of a run that never applies is unreachable. */
export function applyStatus(run: RunState): PhaseStatus {
  if (run.applyEnd !== null) return run.applyEnd;
  if (run.status === 'apply_queued') return 'queued';
  if (run.status === 'applying') return 'running';
  return isFinal(run) || run.kind === 'plan' ? 'unreachable' : 'pending';
}
