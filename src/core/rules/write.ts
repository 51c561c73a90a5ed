import type { Actor, Claim, WriteCommand } from '../command.ts';
import { OPERATION_EXEC, OPERATION_EXEC_CLAIMED } from '../lock-info.ts';
import type { LockRefusal, OutcomeOf, OverQuota, Stale } from '../outcome.ts';
import { addedBy, excessOf, NO_USAGE } from '../quota.ts';
import { writtenUnder } from '../retained.ts';
import { whyNotSupersede } from '../supersede.ts';
import { liveHead, type Holder, type Version } from '../world.ts';
import type { Draft } from './draft.ts';
import { refusalHeld } from './queue.ts';
import { isOver } from './releases.ts';

/**
 * Operations whose purpose may be to put another state in place of this one, so that under their lock serial and lineage
 * may go another way: `terraform state push` (forced or not: the client checks what the user allowed), the two sides of
 * `init -migrate-state`, and `workspace new -state=`.
 */
const REPLACING_OPERATIONS: ReadonlySet<string> = new Set([
  'state-push',
  'migration source state',
  'migration destination state',
  'workspace-new',
]);

/** Decides a write: kept as a new version, known already, or refused because it would lose a change. */
export function write(draft: Draft, command: WriteCommand): OutcomeOf['write'] {
  const head = liveHead(draft.record);
  const permit = permitFor(draft, command.claim, command.actor);
  if (head?.sha256 === command.sha256) {
    return { type: 'stored', version: head, repeat: true };
  }
  if ('refusal' in permit) return permit.refusal;
  const stale = staleness(head, command);
  const forced = stale !== null;
  if (stale !== null && !mayGoAnotherWay(permit.holder, command, stale)) return stale;
  const over = overQuota(draft, command, { overdraft: draft.record.head !== null || permit.holder !== null });
  if (over !== null) return over;
  const above = overQuota(draft, command, { overdraft: false })?.measure;
  const version = newVersion(draft, command, permit.holder, forced);
  const retained = writtenUnder(draft.record.retained, version, command.floor ?? null);
  draft.change({ head: version, deletedAt: null, lastVersion: version.number, retained });
  draft.effect({ type: 'put-version', version, body: command.body });
  draft.note(command.actor, command.restore === null ? 'write' : 'restore', {
    version: version.number,
    serial: version.serial.toString(),
    ...(forced ? { forced } : {}),
    ...(above === undefined ? {} : { aboveQuota: above }),
    ...(command.restore === null ? {} : { from: command.restore.from }),
  });
  return { type: 'stored', version, repeat: false, ...(above === undefined ? {} : { above }) };
}

/** The limit of its project that a write would exceed; null for none. */
function overQuota(
  draft: Draft,
  { address: { project }, limits = {}, size }: WriteCommand,
  terms: { readonly overdraft: boolean },
): OverQuota | null {
  const excess = excessOf(draft.usage ?? NO_USAGE, addedBy(draft.record, { size }), limits, terms);
  return excess === null ? null : { type: 'over-quota', project, ...excess };
}

/** Leave to change the state: under the holder's lock, or under none. */
export type Permit = { readonly holder: Holder | null } | { readonly refusal: LockRefusal };

/** Under a lock, only its holder changes the state; a lock that is named but not held is one that was broken. */
export function permitFor(draft: Draft, claim: Claim, actor: Pick<Actor, 'subject' | 'lent'>): Permit {
  const { holders } = draft;
  if (claim.kind === 'named') {
    const mine = holders.find(({ lockId, subject }) => lockId === claim.lockId && subject === actor.subject);
    if (mine === undefined) return { refusal: { type: 'fenced', lockId: claim.lockId, holders } };
    return mine.shared ? { refusal: { type: 'shared-hold', holders } } : { holder: mine };
  }
  const { lent } = actor;
  if (lent !== undefined && isOver(draft, lent))
    return { refusal: { type: 'fenced', lockId: lent, holders } };
  const [holder] = holders;
  if (holder === undefined) return { holder: null };
  const acts = !holder.shared && holder.subject === actor.subject && lends(holder, claim, lent);
  return acts ? { holder } : { refusal: refusalHeld(draft) };
}

/** Whether a write that names no lock may be its holder's: at doors that cannot name one, and inside `statehouse exec`. */
function lends(holder: Holder, claim: Claim, lent: string | undefined): boolean {
  if (lent === holder.lockId) return true;
  if (holder.operation === OPERATION_EXEC_CLAIMED) return false;
  if (holder.operation === OPERATION_EXEC) return true;
  return claim.kind === 'unnamed' && holder.aliases.some((alias) => claim.aliases.includes(alias));
}

function staleness(head: Version | null, command: WriteCommand): Stale | null {
  if (command.restore !== null && command.restore.newest !== (head?.number ?? 0)) {
    return { type: 'stale', reason: 'changed-meanwhile', head };
  }
  if (command.expects !== undefined && command.expects.sha256 !== (head?.sha256 ?? null)) {
    return { type: 'stale', reason: 'changed-meanwhile', head };
  }
  const reason = whyNotSupersede(command, head);
  return reason === null ? null : { type: 'stale', reason, head };
}

function mayGoAnotherWay(holder: Holder | null, command: WriteCommand, stale: Stale): boolean {
  if (stale.reason === 'changed-meanwhile') return false;
  if (command.restore !== null) return true;
  return holder !== null && REPLACING_OPERATIONS.has(holder.operation);
}

function newVersion(draft: Draft, command: WriteCommand, holder: Holder | null, forced: boolean): Version {
  return {
    number: draft.record.lastVersion + 1,
    serial: command.serial,
    lineage: command.lineage,
    terraformVersion: command.terraformVersion,
    encrypted: command.encrypted,
    size: command.size,
    sha256: command.sha256,
    md5: command.md5,
    bodyId: command.body.id,
    at: draft.at,
    subject: command.actor.subject,
    door: command.actor.door,
    lockId: holder?.lockId ?? null,
    fence: holder?.fence ?? null,
    operation: holder?.operation ?? null,
    forced,
    restoredFrom: command.restore?.from ?? null,
  };
}
