import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';

/** Tells those who wait of something by its name. What is told while nobody waits is not lost to who has begun to watch. */
export class Watches {
  readonly #clock: Clock;
  readonly #open = new Map<string, Set<Watch>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(name: string): void {
    for (const watch of this.#open.get(name) ?? []) watch.tell();
  }

  /** Begins to watch; the watch must be disposed of. */
  begin(name: string): Watch {
    const watch = new Watch(this.#clock, () => {
      const open = this.#open.get(name);
      open?.delete(watch);
      if (open?.size === 0) this.#open.delete(name);
    });
    this.#open.set(name, (this.#open.get(name) ?? new Set()).add(watch));
    return watch;
  }
}

/** What one waits for. */
export class Watch implements Disposable {
  readonly #clock: Clock;
  readonly #end: () => void;
  #isTold = false;
  #settle = (): void => undefined;

  constructor(clock: Clock, end: () => void) {
    this.#clock = clock;
    this.#end = end;
  }

  tell(): void {
    this.#isTold = true;
    this.#settle();
  }

  /** Resolves when something was told since the last time, after a while, or when nobody waits any longer. */
  async next(most: Milliseconds, gone: AbortSignal): Promise<void> {
    if (!this.#isTold && !gone.aborted && most > 0) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          cancel();
          gone.removeEventListener('abort', done);
          this.#settle = () => undefined;
          resolve();
        };
        const cancel = this.#clock.after(most, done);
        gone.addEventListener('abort', done, { once: true });
        this.#settle = done;
      });
    }
    this.#isTold = false;
  }

  [Symbol.dispose](): void {
    this.#end();
  }
}
