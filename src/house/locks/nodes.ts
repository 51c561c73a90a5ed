import type { Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, WaitingRequest } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { Signals } from '../../ports/signals.ts';
import { nodeOf, type ParkedRequests } from './parked-requests.ts';

/** How often a node says that it lives. An engine takes it for dead after several beats that did not come. */
const BEAT_MS: Milliseconds = 2_000;
/** How often a node looks for grants to its own waiters while signals from other nodes arrive, and while they do not. */
const LOOK_MS: Milliseconds = 1_000;
/** How often a node looks for holds that have come to their end, so that those who wait for them are served. */
const END_MS: Milliseconds = 1_000;
const ENDING_MAX = 1_000;
const LOOK_MS_DEAF: Milliseconds = 100;

/**
 * Keeps a house of several nodes together: says that this one lives, clears up after those that died, and finds the
 * grants to this node's waiters whose signal was lost. A node alone only clears up what an earlier start left behind.
 */
export class Nodes {
  readonly #engine: Engine;
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: string;
  readonly #parkedRequests: ParkedRequests;
  readonly #clear: (seats: readonly WaitingRequest[]) => Promise<void>;
  readonly #expire: (address: Address) => Promise<void>;
  readonly #cancels = new Map<string, () => void>();
  #closed = false;
  /** When the engine last took a beat, by this machine's clock; null where nodes need none. */
  #beatAt: Instant | null = null;
  #living: readonly string[];

  constructor(options: {
    engine: Engine;
    signals: Signals;
    clock: Clock;
    log: Log;
    node: string;
    parkedRequests: ParkedRequests;
    clear: (seats: readonly WaitingRequest[]) => Promise<void>;
    expire: (address: Address) => Promise<void>;
  }) {
    this.#engine = options.engine;
    this.#signals = options.signals;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#node = options.node;
    this.#living = [options.node];
    this.#parkedRequests = options.parkedRequests;
    this.#clear = options.clear;
    this.#expire = options.expire;
  }

  /** Must be called before the first waiter is parked: a node that was never seen would be taken for a dead one. */
  async join(): Promise<void> {
    this.#again(
      'end',
      () => END_MS,
      () => this.#end(),
    );
    if (!this.#engine.traits.shared) {
      await this.#clear(await this.#engine.seats({ notNode: this.#node }));
      return;
    }
    this.#living = await this.#engine.beat(this.#node);
    this.#beatAt = this.#clock.now();
    this.#again(
      'beat',
      () => BEAT_MS,
      () => this.#beat(),
    );
    this.#again(
      'look',
      () => (this.#signals.prompt ? LOOK_MS : LOOK_MS_DEAF),
      () => this.#look(),
    );
  }

  /** How long ago the engine took this node's last beat; null where nodes need none. */
  get lag(): Milliseconds | null {
    return this.#beatAt === null ? null : this.#clock.now() - this.#beatAt;
  }

  /** The nodes that lived when this one last said that it does. */
  get living(): readonly string[] {
    return this.#living;
  }

  /** Stops beating; what this node's waiters left behind is cleared up by the others. */
  leave(): void {
    this.#closed = true;
    for (const cancel of this.#cancels.values()) cancel();
  }

  async #beat(): Promise<void> {
    this.#living = await this.#engine.beat(this.#node);
    const living = new Set(this.#living);
    this.#beatAt = this.#clock.now();
    const others = await this.#engine.seats({ notNode: this.#node });
    const dead = others.filter(({ seat }) => !living.has(nodeOf(seat)));
    for (const node of new Set(dead.map(({ seat }) => nodeOf(seat)))) {
      this.#log.warn('a node died: its waiters lose their connection but keep their place in line', { node });
    }
    // What a request of this node left behind that ended in a fault is cleared up as well.
    const own = await this.#engine.seats({ node: this.#node });
    const orphans = own.filter(({ seat }) => !this.#parkedRequests.isTaken(seat));
    await this.#clear([...dead, ...orphans]);
  }

  async #end(): Promise<void> {
    for (const address of await this.#engine.ending(ENDING_MAX)) await this.#expire(address);
  }

  async #look(): Promise<void> {
    if (this.#parkedRequests.parked === 0) return;
    const seats = await this.#engine.seats({ node: this.#node });
    this.#parkedRequests.wake(seats.filter(({ granted }) => granted));
  }

  /** Does something again and again, with a pause after each time that it ended. */
  #again(name: string, pause: () => Milliseconds, work: () => Promise<void>): void {
    if (this.#closed) return;
    const cancel = this.#clock.after(pause(), () => {
      void work()
        .catch((fault: unknown) => {
          this.#log.warn('a node could not be kept in step with the others', {
            work: name,
            fault: String(fault),
          });
        })
        .then(() => this.#again(name, pause, work));
    });
    this.#cancels.set(name, cancel);
  }
}
