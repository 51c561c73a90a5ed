import { setTimeout as sleep } from 'node:timers/promises';
import type { LockInfo } from '../core/lock-info.ts';
import type { HeldLock, LockLine, LockRequest, StateClient } from '../ports/state-client.ts';

/** Terraform's sleeps between two attempts (internal/states/statemgr/locker.go): the last one again and again. */
const SLEEPS_MS = [1_000, 2_000, 4_000, 8_000, 16_000] as const;
/** A parked request comes back in time to be asked anew, so that no proxy on the way gives up on it. */
const PARK_MS_MAX = 50_000;

/** What a person who waits wants to see. */
export interface Waiting {
  readonly holder: LockInfo | null;
  readonly message: string;
  readonly line: LockLine | null;
  readonly left: number;
  /** Until the next attempt, in milliseconds; null while the backend holds the request open. */
  readonly sleep: number | null;
}

export type Acquired =
  | { readonly type: 'locked'; readonly lock: HeldLock }
  | {
      readonly type: 'held';
      readonly holder: LockInfo | null;
      readonly message: string;
      readonly line?: LockLine | null;
      readonly waited: number;
    }
  | { readonly type: 'unsupported'; readonly message: string };

export interface WaitOptions {
  /** How long to try, in milliseconds; 0 tries once. */
  readonly timeout: number;
  readonly signal?: AbortSignal;
  readonly onWait?: (waiting: Waiting) => void;
}

/**
 * Takes a lock, and waits for it as terraform's -lock-timeout does: with the same lock ID, sleeping longer each time.
 * Other than terraform it makes a last attempt when the time is up, and goes on when a lock vanished before its holder could be read.
 */
export async function waitForLock(
  client: StateClient,
  workspace: string,
  request: LockRequest,
  { timeout, signal, onWait }: WaitOptions,
): Promise<Acquired> {
  const started = performance.now();
  const left = (): number => Math.max(0, timeout - (performance.now() - started));
  for (let attempt = 0; ; attempt += 1) {
    const parked = client.traits.parks && attempt > 0 ? Math.min(left(), PARK_MS_MAX) : 0;
    const asked = performance.now();
    const answer = await client.lock(workspace, request, { milliseconds: parked, signal: signal ?? null });
    // Whoever was told to stop does not want it any more, even when it came at that very moment.
    if (signal?.aborted === true && answer.type === 'locked') await answer.lock.release();
    signal?.throwIfAborted();
    if (answer.type !== 'held') return answer;
    if (left() === 0) return { ...answer, waited: performance.now() - started };
    const wasParked = parked > 0 && performance.now() - asked > parked / 2;
    const planned = SLEEPS_MS[Math.min(attempt, SLEEPS_MS.length - 1)] ?? 0;
    // A backend with a waiting line is asked again at once: the next request stands in it.
    const pause = client.traits.parks && (attempt === 0 || wasParked) ? 0 : Math.min(planned, left());
    const { holder, message, line = null } = answer;
    onWait?.({ holder, message, line, left: left(), sleep: pause === 0 ? null : pause });
    if (pause > 0) await sleep(pause, undefined, signal === undefined ? {} : { signal });
  }
}
