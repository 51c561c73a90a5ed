import type { DeleteCommand, PruneCommand, PurgeCommand, UndeleteCommand } from '../command.ts';
import type { OutcomeOf } from '../outcome.ts';
import { keeping, retainingAll, retainingOf, withoutVersions } from '../retained.ts';
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

/** Drops old versions; the newest is never among them. None goes while one of them is retained. */
export function prune(draft: Draft, command: PruneCommand): OutcomeOf['prune'] {
  const { record, at } = draft;
  const { floor = null, bypass = false } = command;
  const versions = command.versions.filter(({ number }) => number !== record.head?.number);
  let bypassed = false;
  for (const version of versions) {
    const retaining = retainingOf(record.retained, version, floor, at);
    const kept = keeping(retaining, at, { bypass });
    if (kept !== null) return { type: 'retained', version: version.number, ...kept };
    bypassed ||= keeping(retaining, at, { bypass: false }) !== null;
  }
  const numbers = versions.map(({ number }) => number);
  if (numbers.length > 0) {
    const retained = withoutVersions(record.retained, numbers);
    if (record.retained !== null) draft.change({ retained });
    draft.effect({ type: 'drop-versions', numbers });
    const detail = { versions: numbers.length, upTo: Math.max(...numbers) };
    draft.note(command.actor, 'prune', { ...detail, ...(bypassed ? { bypassed } : {}) });
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
  const { floor = null, bypass = false } = command;
  const retaining = retainingAll(record.retained, record.head, floor, draft.at);
  const kept = keeping(retaining, draft.at, { bypass });
  if (kept !== null) return { type: 'retained', version: null, ...kept };
  const bypassed = keeping(retaining, draft.at, { bypass: false }) !== null;
  // Fences, tickets and version numbers go on growing: a zombie of the purged state must stay a zombie.
  const { fence, lastTicket, lastVersion, lastRelease } = record;
  draft.change({ ...NEW_RECORD, fence, lastTicket, lastVersion, lastRelease });
  draft.effect({ type: 'drop-all' });
  draft.note(command.actor, 'purge', { version: lastVersion, ...(bypassed ? { bypassed } : {}) });
  return { type: 'purged' };
}
