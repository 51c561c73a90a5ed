import type { Instant, Milliseconds } from '../../../src/core/instant.ts';
import type { MemoryEngine } from '../../../src/engines/memory/engine.ts';
import {
  EngineFault,
  type Command,
  type CommandResult,
  type EngineTraits,
} from '../../../src/ports/engine.ts';
import type { Dice } from '../time/dice.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { SimulatedEngine, type Store } from './engine.ts';
import type { Process } from './process.ts';

/** A node that has not been seen for so long counts as dead (`engines/postgres/session/nodes.ts`). */
const DEAD_AFTER: Milliseconds = 8_000;
/** A dead connection's statement may still be done so much later. */
const STRAGGLE_MS: Milliseconds = 500;

/** How the way to a database may fail. */
export interface DatabaseFaults {
  /** How long one way usually takes. */
  latencyMs: Milliseconds;
  /** The part of all calls whose connection breaks: before it was done, or after. */
  broken: number;
}

/** What the nodes of a house share, beside what is stored. */
export class Database {
  readonly store: Store;
  readonly #now: () => Instant;
  readonly #seen = new Map<string, Instant>();
  #rowLockedUntil: Milliseconds = 0;

  constructor(store: Store, now: () => Instant) {
    this.store = store;
    this.#now = now;
  }

  /** A transaction that has not ended has the row of its address: whoever comes after it waits. */
  lockRow(until: Milliseconds): void {
    this.#rowLockedUntil = Math.max(this.#rowLockedUntil, until);
  }

  rowFreeIn(now: Milliseconds): Milliseconds {
    return Math.max(0, this.#rowLockedUntil - now);
  }

  beat(node: string): readonly string[] {
    this.#seen.set(node, this.#now());
    return [...this.#seen].filter(([, at]) => at > this.#now() - DEAD_AFTER).map(([name]) => name);
  }
}

/** An engine as that of several nodes is: a connection to a database, which decides one command after the other, in its own time. */
export class DatabaseEngine extends SimulatedEngine {
  readonly traits: EngineTraits = { name: 'database', shared: true };
  readonly #database: Database;
  readonly #process: Process;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #faults: DatabaseFaults;

  constructor(parts: {
    database: Database;
    process: Process;
    time: VirtualTime;
    dice: Dice;
    faults: DatabaseFaults;
  }) {
    super(parts.database.store);
    this.#database = parts.database;
    this.#process = parts.process;
    this.#time = parts.time;
    this.#dice = parts.dice;
    this.#faults = parts.faults;
  }

  apply(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    return this.#call(() => this.store.commit(commands), true);
  }

  beat(node: string): Promise<readonly string[]> {
    return this.#call(async () => this.#database.beat(node), false);
  }

  protected read<T>(look: (kept: MemoryEngine) => Promise<T>): Promise<T> {
    return this.#call(() => look(this.store.kept), false);
  }

  protected segmentRead(segment: Uint8Array): Uint8Array {
    return segment;
  }

  /** @param writes whether it may be done although its connection broke */
  #call<T>(work: () => Promise<T>, writes: boolean): Promise<T> {
    const there = this.#latency();
    const isBroken = this.#dice.hits(this.#faults.broken);
    const isDone = writes && this.#dice.hits(0.5);
    const answer = new Promise<T>((resolve, reject) => {
      this.#time.after(there, () => {
        // A statement that has left goes on without its node.
        if (this.#process.isDead && !writes) return;
        const row = writes ? this.#database.rowFreeIn(this.#time.now) : 0;
        if (!isBroken) {
          const done = async (): Promise<void> => {
            const value = await work();
            this.#time.after(this.#latency(), () => resolve(value));
          };
          this.#time.after(row, () => void done().catch(reject));
          return;
        }
        if (isDone) {
          const straggle = row + this.#dice.between(0, STRAGGLE_MS);
          this.#database.lockRow(this.#time.now + straggle);
          this.#time.after(straggle, () => void work());
        }
        this.#time.after(this.#latency(), () => reject(new EngineFault('simulated: the connection broke')));
      });
    });
    return this.#process.hears(answer);
  }

  #latency(): Milliseconds {
    return this.#dice.exponential(this.#faults.latencyMs);
  }
}
