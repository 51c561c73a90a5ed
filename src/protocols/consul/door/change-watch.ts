import { formatAddress, type Address } from '../../../core/address.ts';
import type { Identity } from '../../../core/grant.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import { Budget } from '../../../house/budget.ts';
import type { Caller } from '../../../house/caller.ts';
import type { Following } from '../../../house/feed.ts';
import type { House } from '../../../house/house.ts';

/** Queries that are held open at a time; one credential may have half of them, and a network address three quarters. */
const OPEN_MAX = 20_000;

/** Wakes those who wait for a change of an address. One follower of the feed serves all, and only while somebody waits. */
export class ChangeWatch {
  readonly #house: House;
  readonly #closing: AbortSignal;
  readonly #waiting = new Map<string, Set<Sleeper>>();
  readonly #open = new Budget({
    max: OPEN_MAX,
    subjectMax: OPEN_MAX / 2,
    peerMax: (OPEN_MAX * 3) / 4,
  });
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
    address: Address,
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
    const place = this.#open.begin(caller);
    const seat = this.#sit(address, caller.identity, gone);
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
      }
    } finally {
      seat.end();
      place.release();
    }
  }

  #sit(address: Address, identity: Identity, gone: AbortSignal): Sleeper & { readonly end: () => void } {
    const name = formatAddress(address);
    const sleeper = new Sleeper();
    const wake = (): void => sleeper.wake();
    const sleepers = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, sleepers.add(sleeper));
    this.#following ??= this.#house.feed.follow(null, (records) => this.#tell(records));
    const unwatch = this.#house.gate.watch(identity, wake);
    const signals = [gone, this.#closing];
    for (const signal of signals) signal.addEventListener('abort', wake);
    const end = (): void => {
      unwatch();
      for (const signal of signals) signal.removeEventListener('abort', wake);
      sleepers.delete(sleeper);
      if (sleepers.size === 0) this.#waiting.delete(name);
      if (this.#waiting.size > 0) return;
      this.#following?.close();
      this.#following = null;
    };
    return Object.assign(sleeper, { end });
  }

  #tell(records: readonly { readonly address: Address }[]): void {
    for (const { address } of records) {
      for (const sleeper of this.#waiting.get(formatAddress(address)) ?? []) sleeper.wake();
    }
  }
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
      const timer = setTimeout(resolve, within);
      this.#wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
