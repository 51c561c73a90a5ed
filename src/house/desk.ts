import type { AddressCommand } from '../core/command.ts';
import type { Outcome, Result } from '../core/outcome.ts';
import type { Command, Engine } from '../ports/engine.ts';
import { Listeners } from '../ports/listeners.ts';
import type { Log } from '../ports/log.ts';
import type { Signals } from '../ports/signals.ts';
import { signalOf } from './announce.ts';

/** Told of every command about an address and what came of it, on this node alone. */
export type ResultListener = (command: AddressCommand, result: Result) => void;

/** Where commands are handed in: each goes to the engine, and what came of it is told to those who wait or watch. */
export class Desk {
  readonly engine: Engine;
  readonly #signals: Signals;
  readonly #log: Log;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #listeners: Listeners<Parameters<ResultListener>>;

  constructor(options: { engine: Engine; signals: Signals; log: Log }) {
    this.engine = options.engine;
    this.#signals = options.signals;
    this.#log = options.log;
    this.#listeners = new Listeners('result', options.log);
  }

  /** Has one command about an address decided and stored. */
  async one(command: AddressCommand): Promise<Outcome> {
    const [result] = await this.engine.apply([command]);
    if (result === undefined) throw new Error('the engine gave no result');
    this.#announce(command, result);
    return result.outcome;
  }

  /** Has commands that need no decision stored. */
  async store(commands: readonly Exclude<Command, AddressCommand>[]): Promise<void> {
    await this.engine.apply(commands);
  }

  /** Has a command done that nobody waits for; a fault is logged. {@link settle} waits for it. */
  later(command: AddressCommand): void {
    const { type } = command;
    const done = this.one(command).catch((fault: unknown) => {
      this.#log.error('a command that nobody waited for failed', { command: type, fault: String(fault) });
    });
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  /** Waits for all that was put off. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  /** @returns a function that ends it */
  listen(listener: ResultListener): () => void {
    return this.#listeners.add(listener);
  }

  #announce(command: AddressCommand, result: Result): void {
    this.#listeners.tell(command, result);
    const signal = signalOf(command, result);
    if (signal !== null) this.#signals.publish(signal);
  }
}
