import { describe, expect, it } from 'vitest';
import {
  applyStatus,
  decideRun,
  FORCE_AFTER,
  isFinal,
  mayBeAsked,
  needsLock,
  newRun,
  planStatus,
  RUN_ACTIONS,
  RUN_STATUSES,
  type RunEvent,
  type RunKind,
  type RunEventType,
  type RunState,
  type RunStatus,
} from '../../../src/core/runs/status.ts';

const AT = 1_000_000;
const ADA = { by: 'token:ada', at: AT };

function runIn(status: RunStatus, more: Partial<RunState> = {}): RunState {
  return { ...newRun('apply'), status, ...more };
}

/** One of each, as a run meets it. */
const EVENTS: { readonly [E in RunEventType]: RunEvent } = {
  confirm: { type: 'confirm', ...ADA },
  discard: { type: 'discard', ...ADA },
  cancel: { type: 'cancel', ...ADA },
  'force-cancel': { type: 'force-cancel', ...ADA },
  ready: { type: 'ready' },
  'plan-started': { type: 'plan-started' },
  'plan-ended': { type: 'plan-ended', end: 'finished', hasChanges: true },
  'apply-started': { type: 'apply-started' },
  'apply-ended': { type: 'apply-ended', end: 'finished' },
  outdated: { type: 'outdated' },
  'handed-back': { type: 'handed-back' },
  lost: { type: 'lost' },
};

/** Every pair that leads somewhere. All others are refused. A run that is at work keeps its status when it is told to stop. */
const LEADS: { readonly [S in RunStatus]: { readonly [E in RunEventType]?: RunStatus } } = {
  pending: { ready: 'plan_queued', discard: 'discarded', cancel: 'canceled', lost: 'errored' },
  plan_queued: { 'plan-started': 'planning', cancel: 'canceled', lost: 'errored' },
  planning: {
    'plan-ended': 'planned',
    cancel: 'planning',
    'force-cancel': 'force_canceled',
    'handed-back': 'plan_queued',
    lost: 'errored',
  },
  planned: { confirm: 'confirmed', discard: 'discarded' },
  planned_and_finished: {},
  planned_and_saved: { confirm: 'confirmed', discard: 'discarded', outdated: 'discarded' },
  confirmed: { ready: 'apply_queued', cancel: 'canceled', outdated: 'discarded', lost: 'errored' },
  apply_queued: { 'apply-started': 'applying', cancel: 'canceled', outdated: 'discarded', lost: 'errored' },
  applying: {
    'apply-ended': 'applied',
    cancel: 'applying',
    'force-cancel': 'force_canceled',
    'handed-back': 'apply_queued',
    lost: 'errored',
  },
  applied: {},
  errored: {},
  discarded: {},
  canceled: {},
  force_canceled: {},
};

describe('a run', () => {
  const asked = { cancel: { by: 'token:bob', at: AT - FORCE_AFTER } };
  for (const status of RUN_STATUSES) {
    for (const [type, event] of Object.entries(EVENTS)) {
      const leads = LEADS[status][type as RunEventType];
      it(`that is ${status} ${leads === undefined ? 'refuses' : `goes to ${leads} by`} ${type}`, () => {
        const more = type === 'force-cancel' ? { asked } : {};
        const decision = decideRun(runIn(status, more), event);
        if (leads === undefined) expect(decision).toEqual({ type: 'refused', status });
        else expect(decision).toMatchObject({ type: 'changed', run: { status: leads } });
      });
    }
  }

  it.each(RUN_ACTIONS)('takes a second %s of the same subject for the first', (type) => {
    for (const status of RUN_STATUSES) {
      const run = runIn(status, { asked: { [type]: ADA } });
      expect(decideRun(run, { type, by: ADA.by, at: AT + 5 })).toEqual({ type: 'already' });
    }
    const done = runIn('applied', { asked: { [type]: ADA } });
    expect(decideRun(done, { type, by: 'token:bob', at: AT })).toEqual({
      type: 'refused',
      status: 'applied',
    });
  });

  it('is ended by force only a while after somebody asked it to stop', () => {
    expect(mayBeAsked(runIn('applying'), 'force-cancel', AT)).toBe(false);
    const told = runIn('applying', { asked: { cancel: ADA } });
    expect(mayBeAsked(told, 'force-cancel', AT + FORCE_AFTER - 1)).toBe(false);
    expect(mayBeAsked(told, 'force-cancel', AT + FORCE_AFTER)).toBe(true);
  });

  it.each([
    ['apply', true, 'planned'],
    ['apply', false, 'planned_and_finished'],
    ['plan', true, 'planned_and_finished'],
    ['plan', false, 'planned_and_finished'],
    ['saved', true, 'planned_and_saved'],
    ['saved', false, 'planned_and_finished'],
  ] as const)('of kind %s whose plan has changes: %s is %s after it', (kind, hasChanges, status) => {
    const run = { ...newRun(kind), status: 'planning' } as const;
    const event = { type: 'plan-ended', end: 'finished', hasChanges } as const;
    expect(decideRun(run, event)).toMatchObject({ type: 'changed', run: { status, planEnd: 'finished' } });
  });

  it.each(['errored', 'canceled'] as const)('whose phase is %s ends so', (end) => {
    expect(decideRun(runIn('planning'), { type: 'plan-ended', end, hasChanges: false })).toMatchObject({
      run: { status: end, planEnd: end, applyEnd: null },
    });
    const applying = runIn('applying', { planEnd: 'finished' });
    expect(decideRun(applying, { type: 'apply-ended', end })).toMatchObject({
      run: { status: end, planEnd: 'finished', applyEnd: end },
    });
  });

  it('changes nothing any more once it is final, whatever happens', () => {
    const final = RUN_STATUSES.filter((status) => isFinal({ status }));
    expect(final.map((status) => LEADS[status])).toEqual(final.map(() => ({})));
    expect(RUN_STATUSES.filter((status) => Object.keys(LEADS[status]).length === 0)).toEqual(final);
  });

  it('says of its phases what they are in, and that an apply that never comes is unreachable', () => {
    const phases = (run: RunState): readonly [string, string] => [planStatus(run), applyStatus(run)];
    expect(phases(runIn('pending'))).toEqual(['pending', 'pending']);
    expect(phases(runIn('plan_queued'))).toEqual(['queued', 'pending']);
    expect(phases(runIn('planning'))).toEqual(['running', 'pending']);
    expect(phases(runIn('planned', { planEnd: 'finished' }))).toEqual(['finished', 'pending']);
    expect(phases(runIn('apply_queued', { planEnd: 'finished' }))).toEqual(['finished', 'queued']);
    expect(phases(runIn('applying', { planEnd: 'finished' }))).toEqual(['finished', 'running']);
    expect(phases(runIn('canceled'))).toEqual(['canceled', 'unreachable']);
    expect(phases(runIn('discarded', { planEnd: 'finished' }))).toEqual(['finished', 'unreachable']);
    expect(phases({ ...newRun('plan'), status: 'planning' })).toEqual(['running', 'unreachable']);
    const lost = decideRun(runIn('applying', { planEnd: 'finished' }), { type: 'lost' });
    expect(lost.type === 'changed' && phases(lost.run)).toEqual(['finished', 'errored']);
  });

  it('needs the lock from its making to its end if it is to apply, and if it is saved, once it is confirmed', () => {
    const needing = (kind: RunKind): readonly string[] =>
      RUN_STATUSES.filter((status) => needsLock({ kind, status }));
    expect(needing('plan')).toEqual([]);
    expect(needing('saved')).toEqual(['confirmed', 'apply_queued', 'applying']);
    expect(needing('apply')).toEqual(RUN_STATUSES.filter((status) => !isFinal({ status })));
  });
});
