import { networkOf } from '../core/network.ts';
import { Budget } from '../house/budget.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Wrong credentials of one network address that are answered at once, and how many a second later on. */
const FAILURES = { burst: 20, rate: 1 } as const;
/** Answers that are put off at a time. Beyond that they are refused at once, and nothing is said of the credential. */
const PUT_OFF = { max: 2_000, subjectMax: 2_000, peerMax: 100 } as const;
/** Log lines: one a minute of an address, and some a second of all. */
const LINES_OF_ONE = { burst: 1, rate: 1 / 60 } as const;
const LINES_OF_ALL = { burst: 20, rate: 1 } as const;

/**
 * Those who come with credentials that are wrong. After a few they are answered slowly, and they are told of in the log; whoever comes
 * from the same address with the right ones notices nothing.
 */
export class Strangers {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failures: TokenBuckets;
  readonly #linesOfOne: TokenBuckets;
  readonly #linesOfAll: TokenBuckets;
  readonly #putOff = new Budget(PUT_OFF);
  #untold = 0;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
    this.#failures = new TokenBuckets({ ...FAILURES, clock });
    this.#linesOfOne = new TokenBuckets({ ...LINES_OF_ONE, clock });
    this.#linesOfAll = new TokenBuckets({ ...LINES_OF_ALL, clock });
  }

  /**
   * Notes that a wrong credential came, and waits for as long as its answer is to be put off.
   * @param gone aborted when the client leaves, which ends the wait
   * @returns false when it is to be told to come again later, instead
   */
  async refused({ peer, door, gone }: { peer: string; door: string; gone: AbortSignal }): Promise<boolean> {
    this.#tell(peer, door);
    const wait = this.#failures.take(networkOf(peer));
    if (wait === null) return true;
    const place = this.#putOff.begin({ peer });
    try {
      if (!place.take(1)) return false;
      await this.#sleep(wait * 1_000, gone);
      return true;
    } finally {
      place.release();
    }
  }

  #tell(peer: string, door: string): void {
    this.#untold += 1;
    if (this.#linesOfOne.take(networkOf(peer)) !== null || this.#linesOfAll.take('') !== null) return;
    this.#log.warn('a wrong credential was presented', { peer, door, sinceLastLine: this.#untold });
    this.#untold = 0;
  }

  #sleep(milliseconds: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(milliseconds, () => end());
      const end = (): void => {
        cancel();
        gone.removeEventListener('abort', end);
        resolve();
      };
      gone.addEventListener('abort', end);
      if (gone.aborted) end();
    });
  }
}
