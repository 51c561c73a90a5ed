import type { Milliseconds } from '../core/instant.ts';

/** How long a node may go on with what another node has changed. */
export const REFRESH_MS: Milliseconds = 2_000;

/**
 * Work that runs once at a time, however many ask for it: who asks while it runs shares the next run with all who do, and so
 * gets what is true after it asked.
 */
export class SharedRun {
  readonly #work: () => Promise<void>;
  #now: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves after a run that began after this call. @throws what that run threw */
  run(): Promise<void> {
    if (this.#now === null) return this.#start();
    this.#next ??= this.#now.then(
      () => this.#goOn(),
      () => this.#goOn(),
    );
    return this.#next;
  }

  /** Resolves after the run that is under way, or after a new one. @throws what that run threw */
  join(): Promise<void> {
    return this.#now ?? this.#start();
  }

  #goOn(): Promise<void> {
    this.#next = null;
    return this.#start();
  }

  #start(): Promise<void> {
    const run = this.#work().finally(() => {
      if (this.#now === run) this.#now = null;
    });
    this.#now = run;
    return run;
  }
}
