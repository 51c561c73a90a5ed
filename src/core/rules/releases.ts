import type { AddressCommand, UnlockCommand } from '../command.ts';
import type { Milliseconds } from '../instant.ts';
import type { Holder, Release } from '../world.ts';
import type { Draft } from './draft.ts';
import { SHARERS_MAX } from './queue.ts';

/** How long a release is remembered: far longer than any request is on its way. */
export const RELEASE_LIFE: Milliseconds = 60 * 60 * 1_000;
/** So many releases of one address are remembered at the most. */
export const RELEASES_MAX = 10_000;
/** Old releases are cleared away by every so many new ones. */
export const RELEASES_PER_SWEEP = 64;
/** A client sends a request again within seconds of losing its answer (go-retryablehttp: after 1 s, then 2 s). */
const RETRY_WINDOW: Milliseconds = 10_000;

/** The releases that a command must know: those of a lock ID, or so many of the latest. */
export type ReleaseQuery = { readonly lockId: string } | { readonly latest: number };

/** What an engine has to load into `World.releases` for a command; null where it needs none. */
export function releasesAsked(command: AddressCommand): ReleaseQuery | null {
  if (command.type === 'lock') return { lockId: command.lockId };
  if (command.type === 'renew') return command.newId === undefined ? null : { lockId: command.newId };
  if (command.type === 'write' || command.type === 'delete') {
    const { lent } = command.actor;
    return lent === undefined ? null : { lockId: lent };
  }
  if (command.type !== 'unlock') return null;
  // A break-in ends at most so many holds, and what matters is whether it was the latest thing that happened.
  return command.lockId === null ? { latest: SHARERS_MAX } : { lockId: command.lockId };
}

/** The release after which a lock ID is not granted again: a request that still asks under it comes late. */
export function spentBy(draft: Draft, lockId: string): Release | undefined {
  const release = releaseOf(draft, lockId);
  return release?.heard === true ? release : undefined;
}

/** The release of a lock ID; undefined if there was none, or so long ago that no copy of a request can still be on its way. */
function releaseOf({ at, releases }: Draft, lockId: string): Release | undefined {
  return releases.find((release) => release.lockId === lockId && at - release.at <= RELEASE_LIFE);
}

/** Whether a lock that was lent to a command is over: its holder has ended, or was broken. */
export function isOver(draft: Draft, lockId: string): boolean {
  return draft.holders.every((holder) => holder.lockId !== lockId) && releaseOf(draft, lockId) !== undefined;
}

/**
 * What this very request has released already, if it is one that is sent again. A break-in that names no lock must not
 * break the lock that it has just handed on.
 */
export function releasedBefore(draft: Draft, { lockId, actor }: UnlockCommand): readonly Release[] {
  const { at, holders, releases } = draft;
  if (lockId !== null) {
    if (holders.some((holder) => holder.lockId === lockId)) return [];
    const before = releaseOf(draft, lockId);
    return before?.subject === actor.subject ? [before] : [];
  }
  const own = releases.filter(({ subject }) => subject === actor.subject);
  const latest = own.at(-1);
  const isRetry =
    latest?.broken === true &&
    at - latest.at <= RETRY_WINDOW &&
    holders.every(({ since }) => since === latest.at);
  return isRetry ? own.filter((release) => release.broken && release.at === latest.at) : [];
}

/** Remembers who ended a hold, and now and then forgets what is too old or too much to be remembered. */
export function remember(
  draft: Draft,
  { lockId, accepted: heard }: Holder,
  subject: string,
  broken: boolean,
): void {
  const number = draft.record.lastRelease + 1;
  draft.change({ lastRelease: number });
  draft.effect({ type: 'put-release', release: { number, lockId, subject, broken, heard, at: draft.at } });
  if (number % RELEASES_PER_SWEEP !== 0) return;
  draft.effect({ type: 'drop-releases', before: draft.at - RELEASE_LIFE, upTo: number - RELEASES_MAX });
}
