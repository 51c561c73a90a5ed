import { z } from 'zod';
import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Sealer } from '../ports/sealer.ts';
import { defineRecords, type RecordDefinition } from './records/define.ts';
import { MASTER_KEY_KIND } from './records/kinds.ts';
import type { Records } from './records/records.ts';

/** What is known of a master key, under its id. */
interface MasterKeyRecord {
  /** How often it has encrypted, on all nodes and in all starts: never less than it was, but for what a killed node lost. */
  readonly seals: number;
  /** Whether bodies are being encrypted anew, because it took the place of another, and not all are yet. */
  readonly reencrypting?: boolean | undefined;
}

export const MASTER_KEY_RECORDS: RecordDefinition<MasterKeyRecord> = defineRecords<MasterKeyRecord>(
  MASTER_KEY_KIND,
  z.object({ seals: z.number(), reencrypting: z.boolean().optional() }),
);

/**
 * AES-GCM with random nonces bears 2^32 messages under one key (NIST SP 800-38D, 8.3): beyond it the chance that two share a
 * nonce is no longer small. Half of that leaves time to change the key.
 */
export const SEALS_WARN: number = 2 ** 31;
/** Counted ahead at each start, so that a killed node has rarely encrypted more than was counted. */
const BLOCK = 2 ** 16;
const CHECK_MS: Milliseconds = 60_000;

/** Counts how often the master key has encrypted, over all starts and nodes, and says when it is time for another one. */
export class SealCount {
  readonly #records: Records<MasterKeyRecord>;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What this node has counted ahead, and under which key. */
  #counted = 0;
  #keyId = '';
  #total = 0;
  #cancel: () => void = () => undefined;
  #checking: Promise<void> = Promise.resolve();

  constructor(options: { records: Records<MasterKeyRecord>; sealer: Sealer; clock: Clock; log: Log }) {
    this.#records = options.records;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** How often the present master key has encrypted, at most: as of the last time that this node counted ahead. */
  get total(): number {
    return this.#total;
  }

  /** Counts from now on, each minute. A count that cannot be stored holds nothing up. */
  start(): void {
    this.#checking = this.check().catch((fault: unknown) => {
      this.#log.warn('the use of the master key could not be counted', { fault: String(fault) });
    });
    this.#cancel = this.#clock.after(CHECK_MS, () => this.start());
  }

  async close(): Promise<void> {
    this.#cancel();
    await this.#checking;
  }

  /** Counts ahead if less than half a block is left. @throws {EngineFault} when that cannot be stored */
  async check(): Promise<void> {
    const { keyId, seals } = this.#sealer;
    if (keyId !== this.#keyId) {
      this.#keyId = keyId;
      this.#counted = 0;
    }
    const missing = seals + BLOCK / 2 - this.#counted;
    if (missing <= 0) return;
    const ahead = Math.ceil(missing / BLOCK) * BLOCK;
    const record = await this.#records.update(null, keyId, (before) => ({
      ...before,
      seals: (before?.seals ?? 0) + ahead,
    }));
    this.#counted += ahead;
    this.#total = record?.seals ?? ahead;
    if (this.#total >= SEALS_WARN) {
      this.#log.warn('the master key has encrypted very often: change it with "statehouse rotate-key"', {
        key: keyId,
        seals: this.#total,
        most: 2 * SEALS_WARN,
      });
    }
  }

  /** Whether encrypting bodies anew under the present master key was begun and is not done. */
  async isReencrypting(): Promise<boolean> {
    return (await this.#records.one(this.#sealer.keyId))?.reencrypting === true;
  }

  /** Remembers whether it is. */
  async setReencrypting(reencrypting: boolean): Promise<void> {
    await this.#records.update(null, this.#sealer.keyId, (before) => ({ seals: 0, ...before, reencrypting }));
  }
}
