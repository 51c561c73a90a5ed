import { formatAddress } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { RunStatus } from '../../core/runs/status.ts';
import { nameOfSubject } from '../../core/subject.ts';
import type { WebhookEvent } from '../../house/webhooks/records.ts';
import type { Run } from '../run-book.ts';
import type { ToldTrigger } from './records.ts';

/** What is told when a run comes into a status. What a run is ended by before it is through is told as an error, as HCP tells it. */
const TRIGGERS: { readonly [S in RunStatus]?: ToldTrigger } = {
  pending: 'run:created',
  planning: 'run:planning',
  planned: 'run:needs_attention',
  applying: 'run:applying',
  applied: 'run:completed',
  planned_and_finished: 'run:completed',
  errored: 'run:errored',
  canceled: 'run:errored',
  force_canceled: 'run:errored',
  discarded: 'run:errored',
};

/** What is told of a run as it is now; null for nothing. Plans that nothing may come of are not told, as by HCP. */
export function eventOfRun(run: Run): WebhookEvent | null {
  const { id, kind, status, task, times, address } = run;
  const trigger = TRIGGERS[status];
  if (trigger === undefined || kind === 'plan' || (status === 'planned' && task.autoApply)) return null;
  const at = times[status] ?? run.createdAt;
  return {
    id: `${id} ${status}`,
    type: trigger,
    at,
    address: formatAddress(address),
    message: `Run ${inWords(trigger === 'run:needs_attention' ? 'needs_attention' : status)}`,
    facts: {
      run: id,
      runMessage: run.message,
      runCreatedAt: new Date(run.createdAt).toISOString(),
      runCreatedBy: nameOfSubject(run.createdBy),
      runStatus: status,
      runUpdatedBy: nameOfSubject(updatedBy(run)),
    },
  };
}

/** Drift that a check has found; with null, a check that could not be made. */
export function eventOfCheck(
  name: string,
  { run, at, resources }: { run: string | null; at: Instant; resources: number | null },
): WebhookEvent {
  const trigger: ToldTrigger = resources === null ? 'assessment:failed' : 'assessment:drifted';
  return {
    id: `${trigger} ${run ?? `${name} ${at}`}`,
    type: trigger,
    at,
    address: name,
    message: resources === null ? 'Health Assessment Failed' : 'Drift Detected',
    facts: { run, resources },
  };
}

function updatedBy({ status, asked, createdBy }: Run): string {
  if (status === 'canceled' || status === 'force_canceled')
    return (asked['force-cancel'] ?? asked.cancel)?.by ?? createdBy;
  if (status === 'discarded') return asked.discard?.by ?? createdBy;
  return status === 'applying' || status === 'applied' ? (asked.confirm?.by ?? createdBy) : createdBy;
}

function inWords(status: string): string {
  return status
    .split('_')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join(' ');
}
