import type { Milliseconds } from '../../../src/core/instant.ts';
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

/** How a file on a disk may fail. */
export interface DiskFaults {
  /** How long a flush usually takes. */
  flushMs: Milliseconds;
  /** Another process has the file: commands are refused as busy, and nothing is done. */
  isBusy: boolean;
  /** Nothing can be written any more. */
  isFull: boolean;
  /** The part of all reads of a body in which a bit is wrong. */
  flips: number;
  /** How many segments were read with a bit turned over. */
  flipped: number;
}

interface Call {
  readonly commands: readonly Command[];
  readonly resolve: (results: readonly CommandResult[]) => void;
  readonly reject: (fault: EngineFault) => void;
}

/**
 * An engine as the embedded one is: one writer, which stores by one flush all that waits, and answers then. A power cut before
 * the flush is over leaves the whole of what was being flushed, or nothing of it; a torn record is found to be torn and dropped.
 */
export class FileEngine extends SimulatedEngine {
  readonly traits: EngineTraits = { name: 'file', shared: false };
  readonly #process: Process;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #faults: DiskFaults;
  readonly #stopped: () => void;
  #fault: EngineFault | null = null;
  #waiting: Call[] = [];
  #flushing: readonly Call[] | null = null;

  /** @param parts.stopped told that nothing can be stored any more, whoever learns of it by a command of its own */
  constructor(parts: {
    store: Store;
    process: Process;
    time: VirtualTime;
    dice: Dice;
    faults: DiskFaults;
    stopped: () => void;
  }) {
    super(parts.store);
    this.#process = parts.process;
    this.#time = parts.time;
    this.#dice = parts.dice;
    this.#faults = parts.faults;
    this.#stopped = parts.stopped;
  }

  apply(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    return this.#process.hears(
      new Promise((resolve, reject) => {
        if (this.#fault !== null) return reject(this.#fault);
        this.#waiting.push({ commands, resolve, reject });
        if (this.#flushing === null) this.#flush();
      }),
    );
  }

  async beat(node: string): Promise<readonly string[]> {
    return [node];
  }

  /** The power goes, or the process is killed: what was being flushed may have reached the disk. */
  async cut(): Promise<void> {
    const calls = this.#flushing ?? [];
    this.#flushing = null;
    this.#waiting = [];
    if (this.#dice.hits(0.5)) for (const { commands } of calls) await this.store.commit(commands);
  }

  protected read<T>(look: (kept: MemoryEngine) => Promise<T>): Promise<T> {
    return this.#process.hears(look(this.store.kept));
  }

  protected segmentRead(segment: Uint8Array): Uint8Array {
    if (!this.#dice.hits(this.#faults.flips)) return segment;
    this.#faults.flipped += 1;
    const flipped = Uint8Array.from(segment);
    const at = this.#dice.below(flipped.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << this.#dice.below(8));
    return flipped;
  }

  #flush(): void {
    const calls = this.#waiting;
    if (calls.length === 0 || this.#process.isDead) return;
    this.#waiting = [];
    this.#flushing = calls;
    this.#time.after(this.#dice.exponential(this.#faults.flushMs), () => void this.#stored(calls));
  }

  async #stored(calls: readonly Call[]): Promise<void> {
    if (this.#flushing !== calls) return;
    const { isBusy, isFull } = this.#faults;
    for (const { commands, resolve, reject } of calls) {
      if (isFull) reject(this.#stop());
      else if (isBusy) reject(new EngineFault('simulated: the file is locked', { busy: true }));
      else resolve(await this.store.commit(commands));
    }
    this.#flushing = null;
    this.#flush();
  }

  /** A failed flush is not tried again. */
  #stop(): EngineFault {
    if (this.#fault === null) this.#time.after(0, this.#stopped);
    this.#fault ??= new EngineFault('simulated: the disk is full', { fatal: true });
    for (const { reject } of this.#waiting) reject(this.#fault);
    this.#waiting = [];
    return this.#fault;
  }
}
