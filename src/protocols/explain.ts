import { formatAddress, type Address } from '../core/address.ts';
import { formatDuration } from '../core/duration.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { parseLockInfo, type LockInfo } from '../core/lock-info.ts';
import { heldInWords, placeInWords } from '../core/lock-words.ts';
import { visible } from '../core/visible.ts';
import type { RetainedStill, Stale } from '../core/outcome.ts';
import type { Holder } from '../core/world.ts';
import type { Busy } from '../house/caller.ts';
import type { PurgeAnswer, RestoreAnswer, UndeleteAnswer } from '../house/states/history.ts';
import type { LockAnswer, UnlockAnswer } from '../house/locks/locks.ts';
import type { DeleteAnswer, ReadAnswer, ReadWholeAnswer, WriteAnswer } from '../house/states/states.ts';
import type { PieceAnswer } from '../house/states/uploads.ts';

/** What the house answers when it does as it was asked. */
type Success =
  | 'granted'
  | 'released'
  | 'found'
  | 'whole'
  | 'stored'
  | 'deleted'
  | 'undeleted'
  | 'purged'
  | 'kept';

/** All that the house may refuse with. A door's table has a row for each. */
export type Refusal = Exclude<
  | LockAnswer
  | UnlockAnswer
  | ReadAnswer
  | ReadWholeAnswer
  | WriteAnswer
  | DeleteAnswer
  | RestoreAnswer
  | UndeleteAnswer
  | PurgeAnswer
  | PieceAnswer,
  { type: Success }
>;

const STALE: Readonly<Record<Stale['reason'], string>> = {
  'serial-lower': 'the serial is lower than that of the newest state: this write would lose a change',
  'serial-equal': 'another state has this serial already: this write would lose a change',
  lineage: 'the lineage differs from that of the newest state: the two states are unrelated',
  'changed-meanwhile': 'the state has changed since this write was prepared',
};

const FULL: Readonly<Record<NonNullable<Busy['full']> | 'bodies', string>> = {
  bodies: 'too many states are being written at once',
  uploads: 'too many uploads in parts are unfinished: complete or abort some',
};

/**
 * Why the house refused, and what to do next: the one sentence for it, whatever protocol was asked by.
 * @param address null where the caller knows which state is meant
 */
export function explain(refusal: Refusal, address: Address | null = null): string {
  // Others wrote part of it, and it is printed on terminals.
  return visible(`${sentence(refusal, address)}${whereKept(refusal)}`);
}

/** Where the bytes of a refused write are; empty where they are nowhere. */
export function whereKept(refusal: Refusal): string {
  const kept = 'kept' in refusal ? refusal.kept : undefined;
  if (kept === undefined) return '';
  return `. This state is kept: "statehouse rescue ${formatAddress(kept.address)} ${kept.id}" merges it with the newest one`;
}

function sentence(refusal: Refusal, address: Address | null): string {
  const state = address === null ? 'the state' : formatAddress(address);
  const there = address === null ? '' : ` at ${formatAddress(address)}`;
  switch (refusal.type) {
    case 'absent':
      return `there is no state${there}`;
    case 'exists':
      return `there is a state${there}: only a deleted state can be undeleted or purged`;
    case 'gone':
      return 'the request was cancelled: try again';
    case 'expired':
      return refusal.graceOver === true
        ? 'the credential has expired, and so has the time in which it could still write and unlock what it holds: use a valid one'
        : 'the credential has expired and holds no lock here that it took before: use a valid one';
    case 'revoked':
      return 'the credential was revoked, or restricted so that it may not do this any more: use a valid one';
    case 'forbidden': {
      const on = refusal.address === null ? 'this server' : formatAddress(refusal.address);
      return `${refusal.subject} may not ${refusal.action} ${on}`;
    }
    case 'held':
      return refusal.holders.length === 0
        ? `${state} is not locked, but the lock cannot be granted now: others wait for it, or a hold has just ended. Try again`
        : [`${state} is locked: ${locksHeld(refusal)}`, placeInWords(refusal)].filter(isSaid).join('; ');
    case 'released-before': {
      const { lockId, broken, at } = refusal;
      return `lock ${lockId} was ${broken ? 'broken' : 'released'} at ${new Date(at).toISOString()}, and a lock ID is granted only once: ask again with a new ID`;
    }
    case 'not-locked':
      return `${state} is not locked`;
    case 'not-holder':
      return `${state} is locked by another holder: ${locksHeld(refusal)}. Nothing was unlocked: look at the lock again, and end the one that is meant`;
    case 'may-not-break':
      return `${state} is locked: ${locksHeld(refusal)}. Only an operator may break another's lock, or one that the request does not name. Ask one to force-unlock it; your own is ended by "${forceUnlock(address)}"`;
    case 'too-young': {
      const guard = formatDuration(refusal.guard);
      return `${state} is locked: ${locksHeld(refusal)}. A request that does not name the lock breaks none that is younger than ${guard}: use "${forceUnlock(address)}", which shows the holder and asks`;
    }
    case 'fenced': {
      const now = refusal.holders.length === 0 ? '' : `, and now ${locksHeld(refusal)}`;
      return `lock ${refusal.lockId} is no longer held: it was released or broken${now}. The write is refused, so that no later change is lost`;
    }
    case 'shared-hold':
      return 'the lock is shared by plans, and a plan may not write: take the lock for an apply';
    case 'frozen': {
      const until = new Date(refusal.until).toISOString();
      return `${state} is frozen until ${until} by ${refusal.by}: ${refusal.reason}. Plans go on; an operator can end it with "statehouse unfreeze '${refusal.pattern}'"`;
    }
    case 'over-quota': {
      const { project, measure, used, limit } = refusal;
      return `project ${project} is at its quota: it keeps ${used} ${measure} and may keep ${limit}. Purge deleted states, let old versions go, or ask an admin for more: "statehouse project set ${project}"`;
    }
    case 'unannounced': {
      const name = formatAddress(refusal.address);
      return `there is no state at ${name} yet, and this project wants the first one announced, because an apply would create everything again that is in a state elsewhere. If there is one, move it here: "statehouse migrate" or "terraform init -migrate-state". If this is new: "statehouse announce ${name}"`;
    }
    case 'retained':
      return retainedInWords(refusal);
    case 'stale':
      return `${STALE[refusal.reason]}. Pull the newest state and try again; to replace it on purpose, push under a lock with "state push -force"`;
    case 'too-large':
      return `the state is too large: expected at most ${refusal.limit} bytes`;
    case 'not-a-state':
    case 'damaged':
      return refusal.problem;
    case 'busy':
      return `${FULL[refusal.full ?? 'bodies']}: try again later`;
  }
}

/** The command that names the lock which it breaks. */
function forceUnlock(address: Address | null): string {
  return address === null ? 'statehouse force-unlock' : `statehouse force-unlock ${formatAddress(address)}`;
}

function retainedInWords({ version, retention, legalHold }: RetainedStill): string {
  const what = version === null ? 'a version of the state' : `version ${version}`;
  if (retention === null)
    return `${what} is under a legal hold: no one may remove it before that is taken back`;
  const until = `${what} is retained until ${new Date(retention.until).toISOString()}`;
  if (retention.mode === 'compliance')
    return `${until} (compliance): no one may remove it or shorten that before`;
  const hold = legalHold ? ', and it is under a legal hold' : '';
  return `${until} (governance)${hold}: before, only an admin who says so may remove it or shorten that, with "statehouse purge --bypass-retention" or S3's x-amz-bypass-governance-retention`;
}

/**
 * A holder as a lock info whose ID is the lock's. What its client sent is kept as far as it can be read: a door may name its
 * locks otherwise, or know nothing of lock infos, and the rest is what the house knows.
 * @param holder with its lock info opened
 */
export function lockInfoOf(holder: Holder): LockInfo {
  const parsed = holder.info === null ? null : parseLockInfo(holder.info);
  if (parsed !== null && 'info' in parsed) return { ...parsed.info, id: holder.lockId };
  return {
    id: holder.lockId,
    operation: holder.operation,
    info: '',
    who: holder.subject,
    version: '',
    created: new Date(holder.since).toISOString(),
    path: '',
  };
}

/** What a refusal says of the lock that is in its way. */
export interface Holding {
  /** With their lock infos opened. */
  readonly holders: readonly Holder[];
  /** When that was so; absent where it is not known. */
  readonly at?: Instant;
  readonly usualHold?: Milliseconds | null;
}

/** Who holds the lock, for how long and why, in one line; empty where nobody does. */
export function holdingInWords({ holders: [first, ...others], at, usualHold = null }: Holding): string {
  if (first === undefined) return '';
  const { who, operation, info } = lockInfoOf(first);
  return heldInWords({
    subject: first.subject,
    who,
    operation,
    reason: info,
    heldFor: at === undefined ? null : Math.max(0, at - first.since),
    usualHold,
    others: others.length,
  });
}

/** The same, each holder with the ID of its lock. */
function locksHeld({ holders, at, usualHold = null }: Holding): string {
  return holders
    .map((holder, index) => {
      const usual = index === 0 ? usualHold : null;
      const words = holdingInWords({
        holders: [holder],
        usualHold: usual,
        ...(at === undefined ? {} : { at }),
      });
      return `lock ${holder.lockId} is ${words}`;
    })
    .join(', and ');
}

function isSaid(text: string): boolean {
  return text !== '';
}
