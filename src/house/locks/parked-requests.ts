import type { Milliseconds } from '../../core/instant.ts';
import type { SignalledHandover } from '../../ports/signals.ts';
import type { Clock } from '../../ports/clock.ts';

/** Why a parked request was woken. */
export type WakeUp = 'handed' | 'time' | 'gone' | 'closing' | 'barred';

/** One request that is, or may soon be, held open. */
export interface ParkedRequest {
  readonly id: string;
  /** Waits for the first of: a grant, the end of the time, the client's leaving, its being barred, the house's closing. */
  wait(time: Milliseconds): Promise<WakeUp>;
  /** Ends the waiting, now and from now on: whoever waits may not have the lock any more. */
  bar(): void;
  /** Must be called once the request is no longer held open. */
  free(): void;
}

/** The requests that one node holds open. A grant to one of them wakes it. */
export class ParkedRequests {
  readonly node: string;
  readonly #clock: Clock;
  readonly #taken = new Map<string, () => void>();
  readonly #wakers = new Set<() => void>();
  #count = 0;
  #closing = false;

  /** @param node names this node and this start of it, so that its requests are never mistaken for another's */
  constructor(node: string, clock: Clock) {
    this.node = node;
    this.#clock = clock;
  }

  /** How many requests are held open now. */
  get parked(): number {
    return this.#wakers.size;
  }

  /**
   * Registers a request before the lock is asked for, so that a grant cannot come too early to be noticed.
   * @param gone aborted when the client's connection closes
   * @param most how long it is held open, all its waits together; then it is sent away as if the house closed
   */
  take(gone: AbortSignal, most: Milliseconds = Infinity): ParkedRequest {
    const id = `${this.node}:${++this.#count}`;
    const end = this.#clock.now() + most;
    let handed = false;
    let barred = false;
    let wake: (why: WakeUp) => void = () => undefined;
    this.#taken.set(id, () => {
      handed = true;
      wake('handed');
    });
    return {
      id,
      wait: (time) =>
        new Promise<WakeUp>((resolve) => {
          const left = end - this.#clock.now();
          const cancel = this.#clock.after(Math.min(time, left), () =>
            finish(time < left ? 'time' : 'closing'),
          );
          const leave = (): void => finish('gone');
          const close = (): void => finish('closing');
          const finish = (why: WakeUp): void => {
            cancel();
            gone.removeEventListener('abort', leave);
            this.#wakers.delete(close);
            // One hand-over wakes once: a request that asks anew waits for the next.
            if (why === 'handed') handed = false;
            resolve(why);
          };
          wake = finish;
          gone.addEventListener('abort', leave);
          this.#wakers.add(close);
          if (barred) finish('barred');
          else if (handed) finish('handed');
          else if (gone.aborted) finish('gone');
          else if (this.#closing) finish('closing');
        }),
      bar: () => {
        barred = true;
        wake('barred');
      },
      free: () => void this.#taken.delete(id),
    };
  }

  /** Whether a request of this node sits there. */
  isTaken(seat: string): boolean {
    return this.#taken.has(seat);
  }

  /** Wakes the requests of this node that were handed the lock. */
  wake(handovers: readonly Pick<SignalledHandover, 'seat'>[]): void {
    for (const { seat } of handovers) this.#taken.get(seat)?.();
  }

  /** Sends all parked requests away, so that they come back elsewhere; none is parked from now on. */
  close(): void {
    this.#closing = true;
    for (const wake of this.#wakers) wake();
  }
}

/** The node, and its start, that a request came to. */
export function nodeOf(seat: string): string {
  return seat.slice(0, seat.lastIndexOf(':'));
}
