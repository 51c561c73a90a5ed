import { GO_ZERO_TIME, type LockInfo } from '../../core/lock-info.ts';
import { heldInWords } from '../../core/lock-words.ts';
import type { LockLine, LockState } from '../../ports/state-client.ts';

/** How the words of a server on a holder begin. */
const HELD = 'held by ';

/** Who holds a lock, for how long and why: what the backend tells, and what its lock info says. */
export function heldByInWords(
  holder: LockInfo | null,
  line: LockLine | null = null,
  now: number = Date.now(),
): string {
  if (holder === null) return 'held by an unknown holder';
  const { who, operation, info } = holder;
  // A server may have written the whole sentence there.
  if (line === null && info.startsWith(HELD)) return info;
  return heldInWords({
    subject: line?.subject ?? '',
    who,
    operation,
    reason: info,
    heldFor: lockAge(holder, now),
    usualHold: line?.usualHold ?? null,
  });
}

/** How long a lock is held, in milliseconds; null when its info does not say, or its clock is ahead of ours. */
export function lockAge({ created }: LockInfo, now: number = Date.now()): number | null {
  const since = Date.parse(created);
  return created === GO_ZERO_TIME || Number.isNaN(since) || since > now ? null : now - since;
}

/** All that a lock info says, as terraform prints it; without what a server wrote of its holder, which {@link heldByInWords} has said. */
export function lockFacts(lock: LockInfo): readonly (readonly [string, string])[] {
  const facts: readonly (readonly [string, string])[] = [
    ['ID', lock.id],
    ['Path', lock.path],
    ['Operation', lock.operation],
    ['Who', lock.who],
    ['Version', lock.version],
    ['Created', lock.created],
    ['Info', lock.info.startsWith(HELD) ? '' : lock.info],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** The state of a lock in one line. */
export function lockInWords(lock: LockState): string {
  switch (lock.type) {
    case 'free':
      return 'free';
    case 'held':
      if (lock.holder === null) return lock.note === '' ? 'held' : lock.note;
      return `${heldByInWords(lock.holder)}, lock ID ${lock.holder.id}`;
    case 'unreadable':
    case 'unknown':
    case 'unsupported':
      return lock.message;
  }
}
