import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Credentials } from './credentials.ts';

/** How often it is looked for credentials that need not be kept any more. */
const PAUSE: Milliseconds = 60 * 60 * 1_000;
/** Not at once: a house that has just been opened has other things to do. */
const FIRST: Milliseconds = 60 * 1_000;

/** Has the dead credentials forgotten, now and then. */
export class CredentialSweep {
  readonly #credentials: Pick<Credentials, 'prune'>;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: { credentials: Pick<Credentials, 'prune'>; clock: Clock; log: Log }) {
    this.#credentials = options.credentials;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  start(): void {
    this.#after(FIRST);
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  #after(pause: Milliseconds): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(pause, () => {
      this.#running = this.#credentials
        .prune()
        .catch((fault: unknown) => {
          this.#log.warn('dead credentials could not be forgotten; it is tried again', {
            fault: String(fault),
          });
        })
        .then(() => this.#after(PAUSE));
    });
  }
}
