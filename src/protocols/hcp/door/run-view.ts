import type { Instant } from '../../../core/instant.ts';
import { applyStatus, mayBeAsked, planStatus } from '../../../core/runs/status.ts';
import type { Phase, PlanCounts } from '../../../runs/records.ts';
import type { Configuration } from '../../../runs/configurations.ts';
import type { Run } from '../../../runs/run-book.ts';
import { toOne, type Resource } from '../json-api.ts';
import { phaseId, RUN_FILES_PREFIX, userId, workspaceId } from '../layout.ts';
import { originOf } from './call.ts';
import type { RunCall } from './run-calls.ts';

/** What is told of a run that goes beyond the run itself. */
export interface RunSurroundings {
  readonly now: Instant;
  /** Runs of the server before it, and itself; 0 where it waits for none. */
  readonly place: number;
}

/** A run as HCP describes one. */
export function describeRun(call: RunCall, run: Run, { now, place }: RunSurroundings): Resource {
  const { house, caller } = call;
  const mayWrite = house.gate.shows(caller.identity, 'write', run.address);
  const { task } = run;
  return {
    id: run.id,
    type: 'runs',
    attributes: {
      status: run.status,
      'status-timestamps': timesOf(run),
      actions: {
        'is-cancelable': mayBeAsked(run, 'cancel', now),
        'is-confirmable': mayBeAsked(run, 'confirm', now),
        'is-discardable': mayBeAsked(run, 'discard', now),
        'is-force-cancelable': mayBeAsked(run, 'force-cancel', now),
      },
      permissions: {
        'can-apply': mayWrite,
        'can-cancel': mayWrite,
        'can-comment': false,
        'can-discard': mayWrite,
        'can-force-cancel': mayWrite,
        'can-force-execute': false,
        'can-override-policy-check': false,
      },
      'allow-config-generation': task.generatesConfiguration,
      'allow-empty-apply': false,
      'auto-apply': task.autoApply,
      'canceled-at': null,
      'created-at': new Date(run.createdAt).toISOString(),
      'has-changes': run.hasChanges,
      'is-destroy': task.destroy,
      message: run.message,
      'plan-only': run.kind === 'plan',
      'position-in-queue': place,
      refresh: task.refresh,
      'refresh-only': task.refreshOnly,
      'replace-addrs': task.replaces,
      'save-plan': run.kind === 'saved',
      source: run.cause === 'run-trigger' ? 'tfe-run-trigger' : 'terraform+cloud',
      'target-addrs': task.targets,
      'terraform-version': run.version,
      'trigger-reason': 'manual',
      variables: [],
    },
    relationships: {
      workspace: toOne({ id: workspaceId(run.address), type: 'workspaces' }),
      plan: toOne({ id: phaseId('plan', run.id), type: 'plans' }),
      apply: toOne({ id: phaseId('apply', run.id), type: 'applies' }),
      'configuration-version': toOne({ id: run.configuration, type: 'configuration-versions' }),
      'created-by': toOne({ id: userId(run.createdBy), type: 'users' }),
    },
    links: { self: `/api/v2/runs/${run.id}` },
  };
}

/** The plan of a run, or its apply. */
export function describePhase(call: RunCall, run: Run, phase: Phase, now: Instant): Resource {
  const counts: PlanCounts = run.counts ?? { additions: 0, changes: 0, destructions: 0, imports: 0 };
  return {
    id: phaseId(phase, run.id),
    type: phase === 'plan' ? 'plans' : 'applies',
    attributes: {
      status: phase === 'plan' ? planStatus(run) : applyStatus(run),
      'status-timestamps': phaseTimes(run, phase),
      // Its reader shows no credential, so the path itself is one.
      'log-read-url': `${originOf(call.request)}${RUN_FILES_PREFIX}${call.runs.tickets.make({ kind: phase, id: run.id }, now)}`,
      'has-changes': run.hasChanges,
      'generated-configuration': counts.generated ?? false,
      'resource-additions': counts.additions,
      'resource-changes': counts.changes,
      'resource-destructions': counts.destructions,
      'resource-imports': counts.imports,
    },
  };
}

/** A version of a configuration. */
export function describeConfiguration(call: RunCall, configuration: Configuration, now: Instant): Resource {
  const { id, status, speculative, provisional, problem } = configuration;
  const ticket = call.runs.tickets.make({ kind: 'configuration', id }, now);
  return {
    id,
    type: 'configuration-versions',
    attributes: {
      status,
      'auto-queue-runs': false,
      error: problem === null ? null : 'invalid',
      'error-message': problem,
      provisional,
      source: 'tfe-api',
      speculative,
      'status-timestamps': {},
      'upload-url': status === 'pending' ? `${originOf(call.request)}${RUN_FILES_PREFIX}${ticket}` : null,
    },
    links: { self: `/api/v2/configuration-versions/${id}` },
  };
}

function timesOf({ times }: Run): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(times).map(([status, at]) => [
      `${status.replaceAll('_', '-')}-at`,
      new Date(at ?? 0).toISOString(),
    ]),
  );
}

function phaseTimes({ times, planEnd, applyEnd }: Run, phase: Phase): Readonly<Record<string, string>> {
  const [queued, started] =
    phase === 'plan' ? [times.plan_queued, times.planning] : [times.apply_queued, times.applying];
  const end = phase === 'plan' ? planEnd : applyEnd;
  const ended = phase === 'plan' ? (times.planned ?? times.planned_and_finished) : times.applied;
  const told: Readonly<Record<string, Instant | undefined>> = {
    'queued-at': queued,
    'started-at': started,
    ...(end === null ? {} : { [`${end}-at`]: ended ?? times.errored ?? times.canceled }),
  };
  return Object.fromEntries(
    Object.entries(told).flatMap(([name, at]) =>
      at === undefined ? [] : [[name, new Date(at).toISOString()]],
    ),
  );
}
