import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';

/** Resolves after a while, or when it is over. */
export function pause(clock: Clock, delay: Milliseconds, over?: AbortSignal): Promise<void> {
  if (over?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      over?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delay, done);
    over?.addEventListener('abort', done, { once: true });
  });
}
