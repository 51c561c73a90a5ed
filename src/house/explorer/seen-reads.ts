import { z } from 'zod';
import { formatAddress, type Address } from '../../core/address.ts';
import type { AddressCommand } from '../../core/command.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Result } from '../../core/outcome.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Caller } from '../caller.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { SEEN_READ_KIND } from '../records/kinds.ts';
import type { Records } from '../records/records.ts';

/** That one state was read by who held the lock of another. */
export interface SeenRead {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** The last time. */
  readonly at: Instant;
}

/** What was seen, under both addresses. */
export const SEEN_READS: RecordDefinition<SeenRead> = defineRecords<SeenRead>(
  SEEN_READ_KIND,
  z.object({ from: z.string(), to: z.string(), count: z.number(), at: z.number() }),
);

/** Locks that are remembered at a time, and pairs that are kept; the oldest are forgotten first. */
const HOLDS_MAX = 20_000;
const PAIRS_MAX = 10_000;
/** What was seen is stored with all else of so long. */
const GATHER: Milliseconds = 30_000;

/**
 * Sees which state is read by who holds the lock of another: what an apply reads is what it depends on. It counts only where it
 * cannot be mistaken: one credential at one network address holds one lock alone, or says under which lock it asks.
 */
export class SeenReads {
  readonly #records: Records<SeenRead>;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The locks that somebody holds: their addresses by lock ID. */
  readonly #holds = new Map<string, Map<string, string>>();
  #gathered = new Map<string, SeenRead>();
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(options: { records: Records<SeenRead>; clock: Clock; log: Log }) {
    this.#records = options.records;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Takes note of a command and what came of it: of locks that are granted and released at this node. */
  saw({ address, actor, ...command }: AddressCommand, { outcome }: Result): void {
    if (outcome.type === 'granted') {
      const who = nameOf(actor.subject, actor.origin?.peer);
      const locks = this.#holds.get(who) ?? new Map<string, string>();
      locks.set(outcome.holder.lockId, formatAddress(address));
      this.#holds.delete(who);
      this.#holds.set(who, locks);
      const [oldest] = this.#holds.size > HOLDS_MAX ? this.#holds.keys() : [];
      if (oldest !== undefined) this.#holds.delete(oldest);
    } else if (outcome.type === 'released') {
      const own = nameOf(actor.subject, actor.origin?.peer);
      // Who breaks another's lock is another.
      const whose = outcome.broken || command.type === 'leave' ? [...this.#holds.keys()] : [own];
      for (const who of whose) this.#drop(who, outcome.lockIds);
    }
  }

  /** Takes note that a state was read. */
  read({ identity: { subject }, peer, lent }: Caller, address: Address): void {
    const locks = this.#holds.get(nameOf(subject, peer));
    if (locks === undefined) return;
    // Who holds many may read with each of them: their number is asked before anything is made of them.
    if (lent === undefined && locks.size !== 1) return;
    const [from = ''] = lent === undefined ? locks.values() : [locks.get(lent)];
    const to = formatAddress(address);
    if (from === '' || from === to) return;
    const name = `${from}\n${to}`;
    const count = (this.#gathered.get(name)?.count ?? 0) + 1;
    if (count === 1 && this.#gathered.size >= PAIRS_MAX) return;
    this.#gathered.set(name, { from, to, count, at: this.#clock.now() });
    if (this.#closed) return;
    this.#cancel ??= this.#clock.after(GATHER, () => {
      this.#cancel = null;
      void this.#store();
    });
  }

  /** All that was seen, on this node up to now. */
  async all(): Promise<readonly SeenRead[]> {
    const pairs = new Map((await this.#records.known()).map(({ name, record }) => [name, record]));
    for (const [name, read] of this.#gathered) pairs.set(name, sum(pairs.get(name), read));
    return [...pairs.values()];
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#store();
  }

  #drop(who: string, lockIds: readonly string[]): void {
    const locks = this.#holds.get(who);
    for (const lockId of lockIds) locks?.delete(lockId);
    if (locks?.size === 0) this.#holds.delete(who);
  }

  async #store(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = new Map();
    if (gathered.size === 0) return;
    try {
      const stored = new Map((await this.#records.list()).map(({ name, record }) => [name, record]));
      const fresh = [...gathered].map(([name, read]) => ({ name, record: sum(stored.get(name), read) }));
      await this.#records.putAll(fresh);
      for (const { name, record } of fresh) stored.set(name, record);
      const surplus = [...stored].toSorted(([, a], [, b]) => b.at - a.at).slice(PAIRS_MAX);
      if (surplus.length > 0) await this.#records.drop(null, ...surplus.map(([name]) => name));
    } catch (fault) {
      this.#log.warn('which states are read with which could not be stored', { fault: String(fault) });
    }
  }
}

function sum(before: SeenRead | undefined, now: SeenRead): SeenRead {
  return before === undefined ? now : { ...now, count: before.count + now.count };
}

function nameOf(subject: string, peer = ''): string {
  return `${subject}\n${peer}`;
}
