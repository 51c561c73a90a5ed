import type { Milliseconds } from '../../../core/instant.ts';
import type { Command, CommandResult } from '../../../ports/engine.ts';
import { tooBusy } from './gate.ts';

/** Commands of one transaction: enough to share its flush, few enough to be over soon. */
const COMMANDS_MAX = 128;
const BYTES_MAX: number = 8 * 1024 * 1024;
/** Calls that wait for a transaction, and the bytes of bodies that they carry. */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX: number = 512 * 1024 * 1024;
/** The longest that a call waits for its transaction to begin. */
const WAITING_MS_MAX: Milliseconds = 10_000;

/** What one caller wants done, whole and in its order. */
export interface PendingCall {
  readonly commands: readonly Command[];
  /** The addresses that it is about. */
  readonly names: ReadonlySet<string>;
  readonly bytes: number;
  /** Shares its transaction with no other call. */
  readonly alone: boolean;
  readonly since: Milliseconds;
  readonly resolve: (results: readonly CommandResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers calls into transactions: whatever waits when a transaction may begin goes into it. An address is never in two
 * transactions of this node at a time, so calls about it keep their order, and one that is much asked for holds up no other.
 */
export class Batches {
  readonly #width: number;
  readonly #run: (calls: readonly PendingCall[]) => Promise<void>;
  readonly #now: () => Milliseconds;
  readonly #busy = new Set<string>();
  #waiting: PendingCall[] = [];
  #bytes = 0;
  #running = 0;
  #idle: (() => void)[] = [];

  /**
   * @param width how many transactions run at a time
   * @param run does the calls in one transaction and settles each; never rejects
   */
  constructor(width: number, run: (calls: readonly PendingCall[]) => Promise<void>, now: () => Milliseconds) {
    this.#width = width;
    this.#run = run;
    this.#now = now;
  }

  /** Queues a call, which is rejected as busy when too much waits. */
  add(call: PendingCall): void {
    if (this.#waiting.length >= WAITING_MAX || this.#bytes + call.bytes > WAITING_BYTES_MAX) {
      call.reject(tooBusy());
      return;
    }
    this.#bytes += call.bytes;
    this.#waiting.push(call);
    this.#start();
  }

  /** Resolves once nothing waits and nothing runs. */
  async settle(): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #start(): void {
    while (this.#running < this.#width) {
      const calls = this.#take();
      if (calls.length === 0) break;
      this.#running += 1;
      const names = calls.flatMap((call) => [...call.names]);
      for (const name of names) this.#busy.add(name);
      void this.#run(calls).finally(() => {
        for (const name of names) this.#busy.delete(name);
        this.#running -= 1;
        this.#start();
      });
    }
    if (this.#running === 0 && this.#waiting.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The calls of the next transaction: the oldest that may run now, and those that fit beside it. */
  #take(): PendingCall[] {
    const taken: PendingCall[] = [];
    const left: PendingCall[] = [];
    // A later call about an address must not overtake an earlier one that has to wait.
    const passed = new Set<string>();
    let commands = 0;
    let bytes = 0;
    const tooLate = this.#now() - WAITING_MS_MAX;
    for (const [at, call] of this.#waiting.entries()) {
      if (commands >= COMMANDS_MAX) {
        left.push(...this.#waiting.slice(at));
        break;
      }
      const blocked = [...call.names].some((name) => this.#busy.has(name) || passed.has(name));
      const fits =
        taken.length === 0 ||
        (!call.alone &&
          !taken[0]?.alone &&
          commands + call.commands.length <= COMMANDS_MAX &&
          bytes + call.bytes <= BYTES_MAX);
      if (!blocked && fits) {
        taken.push(call);
        commands += call.commands.length;
        bytes += call.bytes;
        this.#bytes -= call.bytes;
      } else if (call.since < tooLate) {
        this.#bytes -= call.bytes;
        call.reject(tooBusy());
      } else {
        for (const name of call.names) passed.add(name);
        left.push(call);
      }
    }
    this.#waiting = left;
    return taken;
  }
}
