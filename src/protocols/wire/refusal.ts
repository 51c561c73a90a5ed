import type { Address } from '../../core/address.ts';
import { explain, type Refusal } from '../explain.ts';
import type { Problem } from './problem.ts';

/** The status of every refusal, where the protocol is plain HTTP and JSON. */
const STATUS: Readonly<Record<Refusal['type'], number>> = {
  absent: 404,
  exists: 409,
  gone: 503,
  expired: 401,
  revoked: 401,
  forbidden: 403,
  held: 423,
  'released-before': 410,
  'not-locked': 409,
  'not-holder': 409,
  'may-not-break': 403,
  'too-young': 425,
  fenced: 409,
  'shared-hold': 409,
  stale: 409,
  frozen: 423,
  // A 507 would be tried again.
  'over-quota': 413,
  unannounced: 409,
  retained: 403,
  'too-large': 413,
  'not-a-state': 422,
  damaged: 400,
  busy: 503,
};
/** The status where the condition that the request itself set did not hold. */
const PRECONDITION_FAILED = 412;

/**
 * A refusal as plain HTTP and JSON say it: what the doors without errors of their own answer.
 * @param address null for what was asked of the house as a whole
 */
export function refusalProblem(address: Address | null, refusal: Refusal): Problem {
  const own = refusal.type === 'stale' && refusal.reason === 'changed-meanwhile';
  return {
    status: own ? PRECONDITION_FAILED : STATUS[refusal.type],
    message: explain(refusal, address),
    facts: { ...factsOf(refusal), ...keptOf(refusal) },
    ...(refusal.type === 'busy' ? { retryAfterSeconds: refusal.retryAfterSeconds } : {}),
  };
}

/** The ID under which a refused write is kept. */
function keptOf(refusal: Refusal): { readonly kept?: string } {
  return 'kept' in refusal && refusal.kept !== undefined ? { kept: refusal.kept.id } : {};
}

/** What a program may want to know of it. */
function factsOf(refusal: Refusal): Readonly<Record<string, unknown>> {
  switch (refusal.type) {
    case 'held':
    case 'not-holder':
    case 'may-not-break':
    case 'too-young':
      return { locks: refusal.holders.map(({ lockId }) => lockId) };
    case 'stale': {
      const { head, reason } = refusal;
      return { reason, serial: head?.serial.toString(), lineage: head?.lineage, version: head?.number };
    }
    case 'frozen':
      return {
        pattern: refusal.pattern,
        until: new Date(refusal.until).toISOString(),
        reason: refusal.reason,
      };
    case 'over-quota': {
      const { project, measure, used, limit } = refusal;
      return { project, measure, used, limit };
    }
    case 'retained': {
      const { retention, legalHold } = refusal;
      const until = retention === null ? null : new Date(retention.until).toISOString();
      return { until, mode: retention?.mode ?? null, legalHold };
    }
    case 'too-large':
      return { limit: refusal.limit };
    default:
      return {};
  }
}
