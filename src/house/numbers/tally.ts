import { formatAddress, type Address } from '../../core/address.ts';
import type { AddressCommand } from '../../core/command.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import { OPERATION_PLAN } from '../../core/lock-info.ts';
import type { Result } from '../../core/outcome.ts';
import { withDuration } from '../../core/spread.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Records } from '../records/records.ts';
import { activityOf, NO_COUNTS, sumOfCounts, type Counts, type HourCounts } from './counts.ts';

/** States of an hour that have counts of their own: the busiest. */
const STATES_MAX = 200;
/** Of so many there may be more until they are stored. */
const STATES_HELD_MAX = 10_000;
/** Waiters and locks that are remembered at a time; the oldest are forgotten first. */
const REMEMBERED_MAX = 20_000;
const STORE: Milliseconds = 60_000;
const HOUR: Milliseconds = 3_600_000;

/** Counts what happens on this node, hour by hour. What was counted in the last minute is lost with a node that dies. */
export class Tally {
  readonly #records: Records<HourCounts>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: string;
  /** When somebody asked first, by address and waiter. */
  readonly #asked = new Map<string, Instant>();
  /** When a lock was granted, by address and lock ID. */
  readonly #granted = new Map<string, Instant>();
  #hour: string;
  #states = new Map<string, Counts>();
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(options: { records: Records<HourCounts>; clock: Clock; log: Log; node: string }) {
    this.#records = options.records;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#node = options.node;
    this.#hour = hourOf(this.#clock.now());
  }

  /** The hour that is being counted, under the name that it is stored by. */
  get present(): { readonly name: string; readonly record: HourCounts } {
    return { name: this.#name, record: { states: Object.fromEntries(this.#states) } };
  }

  /** Takes note of a command and what came of it. */
  saw(command: AddressCommand, { outcome }: Result): void {
    const { address } = command;
    const name = formatAddress(address);
    if (outcome.type === 'held' && command.type === 'lock') {
      const asked = `${name}\n${command.waiter}`;
      if (!this.#asked.has(asked)) remember(this.#asked, asked, this.#clock.now());
    } else if (outcome.type === 'granted' && (command.type === 'lock' || command.type === 'accept')) {
      this.#grant(name, outcome.holder);
    } else if (outcome.type === 'released') {
      for (const lockId of outcome.lockIds) this.#release(name, lockId);
    } else if (outcome.type === 'stored' && !outcome.repeat) {
      this.#count(name, (counts) => ({ ...counts, writes: counts.writes + 1 }));
    }
  }

  /** Takes note of a refusal. @param why in one word */
  refused(address: Address | null, why: string): void {
    this.#count(address === null ? '' : formatAddress(address), (counts) => ({
      ...counts,
      refused: { ...counts.refused, [why]: (counts.refused[why] ?? 0) + 1 },
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#store();
  }

  #grant(
    name: string,
    { waiter, lockId, operation }: { waiter: string; lockId: string; operation: string },
  ): void {
    const granted = `${name}\n${lockId}`;
    if (this.#granted.has(granted)) return;
    const now = this.#clock.now();
    const asked = `${name}\n${waiter}`;
    const waited = now - (this.#asked.get(asked) ?? now);
    this.#asked.delete(asked);
    remember(this.#granted, granted, now);
    const isPlan = operation === OPERATION_PLAN;
    this.#count(name, (counts) => ({
      ...counts,
      applies: counts.applies + (isPlan ? 0 : 1),
      plans: counts.plans + (isPlan ? 1 : 0),
      waits: withDuration(counts.waits, waited),
    }));
  }

  #release(name: string, lockId: string): void {
    const granted = this.#granted.get(`${name}\n${lockId}`);
    if (granted === undefined) return;
    this.#granted.delete(`${name}\n${lockId}`);
    const held = this.#clock.now() - granted;
    this.#count(name, (counts) => ({ ...counts, holds: withDuration(counts.holds, held) }));
  }

  #count(name: string, change: (counts: Counts) => Counts): void {
    const hour = hourOf(this.#clock.now());
    if (hour !== this.#hour) {
      void this.#store();
      this.#hour = hour;
      this.#states = new Map();
    }
    const isKnown = this.#states.has(name) || this.#states.size < STATES_HELD_MAX;
    const at = isKnown ? name : '';
    this.#states.set(at, change(this.#states.get(at) ?? NO_COUNTS));
    if (this.#closed) return;
    this.#cancel ??= this.#clock.after(STORE, () => {
      this.#cancel = null;
      void this.#store();
    });
  }

  get #name(): string {
    return `${this.#hour} ${this.#node}`;
  }

  async #store(): Promise<void> {
    if (this.#states.size === 0) return;
    const record = { states: bounded(this.#states) };
    try {
      await this.#records.put(null, this.#name, record);
    } catch (fault) {
      this.#log.warn('what was counted could not be stored', { fault: String(fault) });
    }
  }
}

/** The name of an hour. */
export function hourOf(at: Instant): string {
  return new Date(Math.floor(at / HOUR) * HOUR).toISOString().slice(0, 13);
}

/** When the hour of a stored name begins. */
export function hourIn(name: string): Instant {
  return Date.parse(`${name.slice(0, 13)}:00:00.000Z`);
}

/** The busiest states by themselves, and the others as one. */
function bounded(states: ReadonlyMap<string, Counts>): Readonly<Record<string, Counts>> {
  const sorted = [...states].toSorted(([, a], [, b]) => activityOf(b) - activityOf(a));
  const [own, others] = [sorted.slice(0, STATES_MAX), sorted.slice(STATES_MAX)];
  const rest = others.reduce((sum, [, counts]) => sumOfCounts(sum, counts), NO_COUNTS);
  const named = new Map(own);
  if (others.length > 0) named.set('', sumOfCounts(named.get('') ?? NO_COUNTS, rest));
  return Object.fromEntries(named);
}

function remember(times: Map<string, Instant>, name: string, at: Instant): void {
  const [oldest] = times.size < REMEMBERED_MAX ? [] : times.keys();
  if (oldest !== undefined) times.delete(oldest);
  times.set(name, at);
}
