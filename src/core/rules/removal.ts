import type { DeleteCommand, PruneCommand, PurgeCommand, UndeleteCommand } from '../command.ts';
import type { OutcomeOf } from '../outcome.ts';
import { liveHead, NEW_RECORD } from '../world.ts';
import type { Draft } from './draft.ts';
import { refusalHeld } from './queue.ts';
import { permitFor } from './write.ts';

/** Hides a state; its history stays until it is purged. */
export function remove(draft: Draft, command: DeleteCommand): OutcomeOf['delete'] {
  const { head, deletedAt } = draft.record;
  if (head === null) return { type: 'absent' };
  if (deletedAt !== null) return { type: 'deleted', version: head, repeat: true };
  const permit = permitFor(draft, command.claim, command.actor);
  if ('refusal' in permit) return permit.refusal;
  if (command.expects !== undefined && command.expects.sha256 !== head.sha256) {
    return { type: 'stale', reason: 'changed-meanwhile', head };
  }
  draft.change({ deletedAt: draft.at });
  draft.note(command.actor, 'delete', { version: head.number });
  return { type: 'deleted', version: head, repeat: false };
}

/** Shows a deleted state again, as it was; not to a holder who has begun with none. */
export function undelete(draft: Draft, command: UndeleteCommand): OutcomeOf['undelete'] {
  const { head, deletedAt } = draft.record;
  if (head === null || head.number !== (command.newest ?? head.number)) return { type: 'absent' };
  if (deletedAt === null) return { type: 'exists', head };
  const permit = permitFor(draft, { kind: 'none' }, command.actor);
  if ('refusal' in permit) return permit.refusal;
  draft.change({ deletedAt: null });
  draft.note(command.actor, 'undelete', { version: head.number });
  return { type: 'undeleted', version: head };
}

/** Drops old versions; the newest is never among them. */
export function prune(draft: Draft, command: PruneCommand): OutcomeOf['prune'] {
  const numbers = command.numbers.filter((number) => number !== draft.record.head?.number);
  if (numbers.length > 0) {
    draft.effect({ type: 'drop-versions', numbers });
    draft.note(command.actor, 'prune', { versions: numbers.length, upTo: Math.max(...numbers) });
  }
  return { type: 'pruned', versions: numbers };
}

/** Drops a deleted state with its history for good. What is locked or still shown is not purged. */
export function purge(draft: Draft, command: PurgeCommand): OutcomeOf['purge'] {
  const { record, holders } = draft;
  const head = liveHead(record);
  if (head !== null) return { type: 'exists', head };
  if (record.head === null || record.head.number !== (command.newest ?? record.head.number)) {
    return { type: 'absent' };
  }
  if (holders.length > 0) {
    return refusalHeld(draft);
  }
  // Fences, tickets and version numbers go on growing: a zombie of the purged state must stay a zombie.
  const { fence, lastTicket, lastVersion, lastRelease } = record;
  draft.change({ ...NEW_RECORD, fence, lastTicket, lastVersion, lastRelease });
  draft.effect({ type: 'drop-all' });
  draft.note(command.actor, 'purge', { version: lastVersion });
  return { type: 'purged' };
}
