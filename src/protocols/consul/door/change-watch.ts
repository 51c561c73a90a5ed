import { setTimeout } from 'node:timers/promises';
import { formatAddress, type Address } from '../../../core/address.ts';
import type { Identity } from '../../../core/grant.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import { Budget } from '../../../house/budget.ts';
import type { Caller } from '../../../house/caller.ts';
import type { Following } from '../../../house/feed.ts';
import type { House } from '../../../house/house.ts';

/** Queries that are held open at a time; one credential may have half of them, and a network address three quarters. */
const OPEN_MAX = 20_000;

/** As many of queries for all keys that begin so: each look of theirs visits many states. */
const WIDE_MAX = 200;
/** How long one of them rests after a change, lest a busy neighbour makes it look all the time. */
const WIDE_REST_MS: Milliseconds = 250;

/** Addresses whose changes are waited for. */
export interface ManyAddresses {
  readonly covers: (address: Address) => boolean;
}

/** Wakes those who wait for a change of an address, or of many. One follower of the feed serves all, and only while somebody waits. */
export class ChangeWatch {
  readonly #house: House;
  readonly #closing: AbortSignal;
  readonly #waiting = new Map<string, Set<Sleeper>>();
  readonly #wide = new Map<Sleeper, ManyAddresses>();
  readonly #open: Budget = budgetOf(OPEN_MAX);
  readonly #wideOpen: Budget = budgetOf(WIDE_MAX);
  #following: Following | null = null;

  constructor(house: House, closing: AbortSignal) {
    this.#house = house;
    this.#closing = closing;
  }

  /**
   * Looks until something else is seen than before, or the time is over: what changes between two looks is not missed.
   * @param isNews whether what was seen is to be answered at once
   */
  async until<T>(
    caller: Caller,
    watched: Address | ManyAddresses,
    {
      wait,
      gone,
      look,
      isNews,
    }: {
      wait: Milliseconds;
      gone: AbortSignal;
      look: () => Promise<T>;
      isNews: (seen: T) => boolean;
    },
  ): Promise<T> {
    if (wait === 0) return look();
    const isWide = 'covers' in watched;
    const place = (isWide ? this.#wideOpen : this.#open).begin(caller);
    const seat = this.#sit(watched, caller.identity, gone);
    try {
      const hasRoom = place.take(1);
      const end = performance.now() + wait;
      for (;;) {
        seat.sleep();
        await this.#following?.caughtUp();
        const seen = await look();
        const left = end - performance.now();
        if (!hasRoom || isNews(seen) || left <= 0 || gone.aborted || this.#closing.aborted) return seen;
        await seat.woken(left);
        if (isWide) await setTimeout(Math.min(WIDE_REST_MS, left));
      }
    } finally {
      seat.end();
      place.release();
    }
  }

  #sit(
    watched: Address | ManyAddresses,
    identity: Identity,
    gone: AbortSignal,
  ): Sleeper & { readonly end: () => void } {
    const sleeper = new Sleeper();
    const wake = (): void => sleeper.wake();
    const leave = this.#lieDown(sleeper, watched);
    this.#following ??= this.#house.feed.follow(null, (records) => this.#tell(records));
    const unwatch = this.#house.gate.watch(identity, wake);
    const signals = [gone, this.#closing];
    for (const signal of signals) signal.addEventListener('abort', wake);
    const end = (): void => {
      unwatch();
      for (const signal of signals) signal.removeEventListener('abort', wake);
      leave();
      if (this.#waiting.size + this.#wide.size > 0) return;
      this.#following?.close();
      this.#following = null;
    };
    return Object.assign(sleeper, { end });
  }

  /** @returns what ends its sleep */
  #lieDown(sleeper: Sleeper, watched: Address | ManyAddresses): () => void {
    if ('covers' in watched) {
      this.#wide.set(sleeper, watched);
      return () => this.#wide.delete(sleeper);
    }
    const name = formatAddress(watched);
    const sleepers = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, sleepers.add(sleeper));
    return () => {
      sleepers.delete(sleeper);
      if (sleepers.size === 0) this.#waiting.delete(name);
    };
  }

  #tell(records: readonly { readonly address: Address }[]): void {
    for (const { address } of records) {
      for (const sleeper of this.#waiting.get(formatAddress(address)) ?? []) sleeper.wake();
      for (const [sleeper, { covers }] of this.#wide) if (covers(address)) sleeper.wake();
    }
  }
}

function budgetOf(max: number): Budget {
  return new Budget({ max, subjectMax: max / 2, peerMax: (max * 3) / 4 });
}

/** One that sleeps until it is woken, or its time is over. */
class Sleeper {
  #isAwake = false;
  #wake: () => void = () => undefined;

  /** From here on it can be woken. */
  sleep(): void {
    this.#isAwake = false;
  }

  wake(): void {
    this.#isAwake = true;
    this.#wake();
  }

  async woken(within: Milliseconds): Promise<void> {
    if (this.#isAwake) return;
    await new Promise<void>((resolve) => {
      const timer = globalThis.setTimeout(resolve, within);
      this.#wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
