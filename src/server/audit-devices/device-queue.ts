import type { Log } from '../../ports/log.ts';
import type { AuditDevice } from './device.ts';

/** Records that wait for one device; the oldest go when more come. */
const WAITING_MAX = 10_000;
const BATCH_MAX = 500;
const RETRY_MS = 1_000;

interface Waiting {
  readonly number: number;
  readonly line: string;
}

/** Sends records to one device in their order, again and again until it takes them, within bounds. */
export class DeviceQueue {
  readonly device: AuditDevice;
  readonly #log: Log;
  readonly #progress: () => void;
  #waiting: Waiting[] = [];
  #sending: Promise<void> | null = null;
  #takenUpTo = 0;
  #droppedUpTo = 0;
  #closing = false;
  #retry: { readonly timer: NodeJS.Timeout; readonly resolve: () => void } | null = null;
  /** The last attempt failed. */
  failing = false;
  taken = 0;
  dropped = 0;

  constructor(device: AuditDevice, { log, progress }: { log: Log; progress: () => void }) {
    this.device = device;
    this.#log = log;
    this.#progress = progress;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  push(number: number, line: string): void {
    if (this.#waiting.length >= WAITING_MAX) this.#drop();
    this.#waiting.push({ number, line });
    this.#sending ??= this.#send();
  }

  /** Whether the device has taken the record of a number and all before it that were not dropped. */
  has(number: number): boolean {
    return this.#takenUpTo >= number && this.#droppedUpTo < number;
  }

  /** Tries once more at once, and gives the rest up. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#retry !== null) {
      clearTimeout(this.#retry.timer);
      this.#retry.resolve();
    }
    await this.#sending;
    if (this.#waiting.length > 0) {
      this.#log.error('records did not reach an audit device', {
        device: this.device.name,
        count: this.#waiting.length,
      });
    }
    await this.device.close();
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_MAX);
      try {
        await this.device.send(batch.map(({ line }) => line));
        this.#took(batch);
      } catch (fault) {
        this.#failed(fault);
        if (this.#closing) break;
        await this.#pause();
      }
    }
    this.#sending = null;
  }

  #took(batch: readonly Waiting[]): void {
    const last = batch.at(-1)?.number ?? 0;
    // Some may have been dropped meanwhile, although they arrived.
    this.#waiting = this.#waiting.filter(({ number }) => number > last);
    this.#takenUpTo = last;
    this.taken += batch.length;
    if (this.failing) this.#log.info('an audit device takes records again', { device: this.device.name });
    this.failing = false;
    this.#progress();
  }

  #failed(fault: unknown): void {
    if (!this.failing) {
      const why = fault instanceof Error ? fault.message : String(fault);
      this.#log.error('an audit device takes no records; they wait, and are sent again', {
        device: this.device.name,
        fault: why,
      });
    }
    this.failing = true;
    this.#progress();
  }

  #drop(): void {
    const [oldest] = this.#waiting.splice(0, 1);
    if (oldest !== undefined) this.#droppedUpTo = oldest.number;
    if (this.dropped === 0) {
      this.#log.error('records are dropped, because an audit device takes none', {
        device: this.device.name,
      });
    }
    this.dropped += 1;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#retry = { timer: setTimeout(resolve, RETRY_MS), resolve };
    });
  }
}
