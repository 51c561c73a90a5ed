import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import { LOG_BYTES_MAX, type LogWriter } from '../logs.ts';
import { JobLost, type JobLink } from './job-server.ts';

/** Bytes that are sent at a time. */
const PIECE_BYTES: number = 256 * 1_024;
/** What is said after a silence is sent at once, with what comes in the same moment; what follows it, after a pause that grows with the age of the log. */
const SOON: Milliseconds = 20;
const PAUSE: Milliseconds = 150;
const PAUSE_MAX: Milliseconds = 10_000;
const AGAIN: Milliseconds = 1_000;
/** How long the last of a log is tried to be sent. */
const LAST: Milliseconds = 60_000;
const CUT = Buffer.from('\nThe log is too long: the rest is not kept.\n');

/** Sends the log of a phase to the server while it is written, in order, and what was not taken again. */
export class RemoteLog implements LogWriter {
  readonly #link: Pick<JobLink, 'log'>;
  readonly #clock: Clock;
  readonly #begunAt: number;
  #chunks: Uint8Array[] = [];
  #offset: number;
  /** Bytes that may still be written. */
  #left: number;
  #pumping: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #isOver = false;
  #sentAt = -Infinity;

  /** @param offset bytes that the server has of it already */
  constructor(link: Pick<JobLink, 'log'>, clock: Clock, offset: number) {
    this.#link = link;
    this.#clock = clock;
    this.#begunAt = clock.now();
    this.#offset = offset;
    this.#left = LOG_BYTES_MAX - offset - CUT.length;
  }

  write(bytes: Uint8Array | string): void {
    if (this.#isOver || this.#left <= 0) return;
    const all = Buffer.from(bytes);
    const kept = all.subarray(0, this.#left);
    this.#left -= kept.length;
    this.#chunks.push(kept);
    if (kept.length < all.length) {
      this.#chunks.push(CUT);
      this.#left = 0;
    }
    const now = this.#clock.now();
    const pause = Math.min(PAUSE_MAX, Math.max(PAUSE, (now - this.#begunAt) / 50));
    this.#cancel ??= this.#clock.after(Math.max(SOON, this.#sentAt + pause - now), () => void this.#pump());
  }

  /** Sends what has not been sent, as far as the server takes it in time. */
  async end(): Promise<void> {
    const until = this.#clock.now() + LAST;
    while (this.#chunks.length > 0 && !this.#isOver && this.#clock.now() < until) {
      const before = this.#offset;
      await this.#pump();
      if (this.#offset === before && this.#chunks.length > 0)
        await new Promise<void>((resolve) => this.#clock.after(AGAIN, resolve));
    }
    this.#isOver = true;
    this.#cancel?.();
  }

  /** Sends what there is. Never throws: what was not taken is sent later. */
  #pump(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#sentAt = this.#clock.now();
    this.#pumping ??= this.#send()
      .catch((fault: unknown) => {
        if (fault instanceof JobLost) this.#isOver = true;
        else this.#cancel ??= this.#clock.after(AGAIN, () => void this.#pump());
      })
      .finally(() => {
        this.#pumping = null;
      });
    return this.#pumping;
  }

  async #send(): Promise<void> {
    while (this.#chunks.length > 0 && !this.#isOver) {
      const all = Buffer.concat(this.#chunks);
      this.#chunks = [all];
      const size = await this.#link.log(this.#offset, all.subarray(0, PIECE_BYTES));
      const taken = Math.max(0, Math.min(size - this.#offset, all.length));
      // What was said meanwhile stands behind it.
      const rest = this.#chunks.slice(1);
      this.#chunks = taken === all.length ? rest : [all.subarray(taken), ...rest];
      this.#offset += taken;
      if (taken === 0) throw new Error('the server takes nothing of the log');
    }
  }
}
