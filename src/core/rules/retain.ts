import type { RetainCommand } from '../command.ts';
import type { AuditNote } from '../effect.ts';
import type { OutcomeOf } from '../outcome.ts';
import { OWN_RETENTIONS_MAX, retainingOf, weakens, withChange, type RetentionChange } from '../retained.ts';
import type { Draft } from './draft.ts';

/** Says how long a version is retained: never for less long than was promised, unless an admin lifts what it may. */
export function retain(draft: Draft, command: RetainCommand): OutcomeOf['retain'] {
  const { record, at } = draft;
  const { version, change, floor = null, bypass = false } = command;
  const retaining = retainingOf(record.retained, version, floor, at);
  const wanted = change.kind === 'retention' ? change.retention : retaining.retention;
  if (weakens(retaining, wanted, at, { bypass })) {
    return { type: 'retained', version: version.number, ...retaining };
  }
  const retained = withChange(record.retained, version.number, change);
  if (retained === 'full') return { type: 'retentions-full', limit: OWN_RETENTIONS_MAX };
  draft.change({ retained });
  const bypassed = weakens(retaining, wanted, at, { bypass: false });
  draft.note(command.actor, 'retain', {
    version: version.number,
    ...detailOf(change),
    ...(bypassed ? { bypassed } : {}),
  });
  return { type: 'retention-set' };
}

function detailOf(change: RetentionChange): AuditNote['detail'] {
  switch (change.kind) {
    case 'retention':
      return change.retention === null
        ? { until: 'none' }
        : { mode: change.retention.mode, until: new Date(change.retention.until).toISOString() };
    case 'legal-hold':
      return { legalHold: change.on };
    case 'forget':
      return { dropped: true };
  }
}
