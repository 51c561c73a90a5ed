import type { Milliseconds } from '../../../src/core/instant.ts';
import { LocalSignals } from '../../../src/house/local-signals.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { Signal, Signals } from '../../../src/ports/signals.ts';
import type { Dice } from '../time/dice.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import type { Process } from './process.ts';

const DELAY_MS: Milliseconds = 3;

/** What carries signals between the nodes of a simulated house: late, in any order, and not always. */
export class SignalNetwork {
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  readonly #members = new Set<NodeSignals>();
  /** The part of all signals that do not arrive. */
  lost = 0;

  constructor(time: VirtualTime, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
  }

  join(process: Process, log: Log): Signals {
    const member = new NodeSignals(process, log, (from, signal) => this.#send(from, signal));
    this.#members.add(member);
    return member;
  }

  #send(from: NodeSignals, signal: Signal): void {
    for (const member of this.#members) {
      if (member.process.isDead) this.#members.delete(member);
      else if (member !== from && !this.#dice.hits(this.lost)) {
        const delay = this.#dice.exponential(DELAY_MS);
        this.#time.after(delay, () => member.process.run(() => member.arrived(signal)));
      }
    }
  }
}

class NodeSignals implements Signals {
  readonly prompt = true;
  readonly process: Process;
  readonly #local: LocalSignals;
  readonly #send: (from: NodeSignals, signal: Signal) => void;

  constructor(process: Process, log: Log, send: (from: NodeSignals, signal: Signal) => void) {
    this.process = process;
    this.#local = new LocalSignals(log);
    this.#send = send;
  }

  publish(signal: Signal): void {
    this.arrived(signal);
    this.#send(this, signal);
  }

  arrived(signal: Signal): void {
    this.#local.publish(signal);
  }

  subscribe(listener: (signal: Signal) => void): () => void {
    return this.#local.subscribe(listener);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#local[Symbol.asyncDispose]();
  }
}
