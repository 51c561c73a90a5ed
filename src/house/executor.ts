import type { Address } from '../core/address.ts';
import type { AddressCommand, CommandType } from '../core/command.ts';
import type { Outcome, OutcomeOf, Result } from '../core/outcome.ts';
import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import { EngineFault, type Command, type Engine } from '../ports/engine.ts';
import { Listeners } from '../ports/listeners.ts';
import type { Log } from '../ports/log.ts';
import type { Signals } from '../ports/signals.ts';
import { signalOf } from './announce.ts';
import type { LockInfos } from './locks/lock-infos.ts';

/** Between two tries of what must be done: at first, and at most. */
const RETRY_MS: Milliseconds = 250;
const RETRY_MS_MAX: Milliseconds = 10_000;

/** Told of every command about an address and what came of it, on this node alone. */
export type ResultListener = (command: AddressCommand, result: Result) => void;

/** Has commands decided and stored by the engine, and tells those who wait or watch what came of them. */
export class CommandExecutor {
  readonly engine: Engine;
  readonly #lockInfos: LockInfos;
  readonly #signals: Signals;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #pending = new Set<Promise<unknown>>();
  /** Each ends one pause between two tries. */
  readonly #pauses = new Set<() => void>();
  #settling = false;
  readonly #listeners: Listeners<Parameters<ResultListener>>;

  constructor(options: { engine: Engine; lockInfos: LockInfos; signals: Signals; clock: Clock; log: Log }) {
    this.engine = options.engine;
    this.#lockInfos = options.lockInfos;
    this.#signals = options.signals;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#listeners = new Listeners('result', options.log);
  }

  /**
   * Has one command about an address decided and stored.
   * @returns its outcome; the lock infos of those who stand in its way are opened, as their clients sent them
   */
  async execute<T extends CommandType>(
    command: AddressCommand<T> & { readonly type: T },
  ): Promise<OutcomeOf[T]> {
    const [result] = await this.engine.apply([command]);
    if (result === undefined) throw new Error('the engine gave no result');
    // `decide` types an outcome by its command, and an engine hands on what `decide` said.
    const decided = result as Result<OutcomeOf[T]>;
    this.#announce(command, decided);
    return this.#opened(command.address, decided.outcome);
  }

  /** Has commands that need no decision stored. */
  async store(commands: readonly Exclude<Command, AddressCommand>[]): Promise<void> {
    await this.engine.apply(commands);
  }

  /**
   * Has a command done that nobody waits for: what must be undone is tried until it is, or the house closes. A fault is
   * logged. {@link settle} waits for it.
   */
  executeLater(command: AddressCommand): void {
    const { type } = command;
    this.inBackground(this.#untilDone(command), 'a command in the background failed', { command: type });
  }

  async #untilDone(command: AddressCommand): Promise<void> {
    for (let pause = RETRY_MS; ; pause = Math.min(2 * pause, RETRY_MS_MAX)) {
      try {
        await this.execute(command);
        return;
      } catch (fault) {
        if (!(fault instanceof EngineFault) || fault.fatal || this.#settling) throw fault;
        const { type } = command;
        this.#log.warn('a command in the background failed and is tried again', {
          command: type,
          fault: String(fault),
        });
        await this.#pause(pause);
      }
    }
  }

  /** Ends sooner where the house closes. */
  #pause(time: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        this.#pauses.delete(go);
        resolve();
      };
      const cancel = this.#clock.after(time, go);
      this.#pauses.add(go);
      if (this.#settling) go();
    });
  }

  /** Work that nobody waits for: a fault is logged. {@link settle} waits for it. */
  inBackground(
    work: Promise<unknown>,
    complaint: string,
    facts: Readonly<Record<string, string>> = {},
  ): void {
    const done = work.catch((fault: unknown) => {
      this.#log.error(complaint, { ...facts, fault: String(fault) });
    });
    this.#pending.add(done);
    void done.finally(() => this.#pending.delete(done));
  }

  /** Waits for all that is done in the background. What failed is tried once more, and then no more. */
  async settle(): Promise<void> {
    this.#settling = true;
    for (const go of this.#pauses) go();
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

  #opened<O extends Outcome>(address: Address, outcome: O): O {
    if (!('holders' in outcome)) return outcome;
    return { ...outcome, holders: this.#lockInfos.ofHolders(address, outcome.holders) };
  }
}
