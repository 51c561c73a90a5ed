import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { AgentUnknown, TokenRefused, type JobLink, type JobServer } from './job-server.ts';
import { pause } from './pause.ts';
import type { AboutAgent, Job, Registered } from './wire.ts';

/** How long a request for a phase is held open. */
const WAIT: Milliseconds = 25_000;
const AGAIN: Milliseconds = 1_000;
const AGAIN_MAX: Milliseconds = 15_000;

/** Takes phases of a pool's runs from a server. What becomes of them is its caller's business. */
export class PhaseTaker {
  readonly #server: JobServer;
  readonly #about: AboutAgent;
  readonly #clock: Clock;
  readonly #log: Log;
  #registered: Promise<Registered> | null = null;

  constructor(options: { server: JobServer; about: AboutAgent; clock: Clock; log: Log }) {
    this.#server = options.server;
    this.#about = options.about;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Takes phases until it is told to stop.
   * @param slots phases at a time
   * @param once whether each slot takes one phase, and no more
   * @param take does all that is to be done for one
   * @throws {TokenRefused} when the server does not let it in
   */
  async run(
    {
      slots,
      once,
      stopped,
    }: { readonly slots: number; readonly once: boolean; readonly stopped: AbortSignal },
    take: (job: Job, link: JobLink) => Promise<void>,
  ): Promise<void> {
    const failed = new AbortController();
    const over = AbortSignal.any([stopped, failed.signal]);
    try {
      await Promise.all(
        Array.from({ length: slots }, () =>
          this.#work(over, once, take).catch((fault: unknown) => {
            failed.abort();
            throw fault;
          }),
        ),
      );
    } finally {
      const known = await this.#registered?.catch(() => null);
      if (known !== undefined && known !== null) await this.#server.leave(known.id).catch(() => undefined);
    }
  }

  /** One phase after the other, or one alone. */
  async #work(
    stopped: AbortSignal,
    once: boolean,
    take: (job: Job, link: JobLink) => Promise<void>,
  ): Promise<void> {
    let wait = AGAIN;
    while (!stopped.aborted) {
      try {
        const { id } = await this.#register(stopped);
        const job = await this.#server.next(id, WAIT, stopped);
        wait = AGAIN;
        if (job === null) continue;
        const link = this.#server.job(job);
        if (stopped.aborted) await link.handBack().catch(() => undefined);
        else await take(job, link);
        if (once) return;
      } catch (fault) {
        if (fault instanceof TokenRefused) throw fault;
        if (stopped.aborted) return;
        if (fault instanceof AgentUnknown) this.#registered = null;
        else this.#log.warn('the server cannot be asked', { fault: String(fault), again: wait });
        await pause(this.#clock, wait, stopped);
        wait = Math.min(AGAIN_MAX, wait * 2);
      }
    }
  }

  #register(stopped: AbortSignal): Promise<Registered> {
    this.#registered ??= this.#server.register(this.#about, stopped).then(
      (registered) => {
        const { id, pool, project } = registered;
        this.#log.info('the agent is connected', { agent: id, pool, project });
        return registered;
      },
      (fault: unknown) => {
        this.#registered = null;
        throw fault;
      },
    );
    return this.#registered;
  }
}
