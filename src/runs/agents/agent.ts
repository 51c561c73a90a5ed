import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { PhaseControl } from '../control.ts';
import type { Executor } from '../executors/executor.ts';
import { removeLeftBehind } from '../left-behind.ts';
import { executePhase, type PhaseParts } from '../phase.ts';
import { AgentUnknown, JobLost, type JobLink, type JobServer, TokenRefused } from './job-server.ts';
import { RemoteLog } from './remote-log.ts';
import type { AboutAgent, Job, Registered } from './wire.ts';

/** How long a request for a phase is held open. */
const WAIT: Milliseconds = 25_000;
/** How long a sign of life is held open, so that a cancel is heard at once; less where the server gives agents up sooner. */
const BEAT: Milliseconds = 5_000;
/** An agent that has not reached the server for this part of the time ends what it does, before the server gives it up. */
const CUT_OFF = 0.7;
/** How long what a phase needs is asked for again. */
const PATIENCE: Milliseconds = 15_000;
const AGAIN: Milliseconds = 1_000;
const AGAIN_MAX: Milliseconds = 15_000;
/** How often the directories of runs are looked for whose agent was killed. */
const CLEAR: Milliseconds = 180_000;
/** How long the end of a phase is tried to be told. */
const END: Milliseconds = 60_000;

/** How an agent works. */
export interface AgentWork {
  /** Phases at a time. */
  readonly slots: number;
  /** Whether each slot takes one phase, and no more. */
  readonly once: boolean;
  readonly stopped: AbortSignal;
  /** How long what is at work may take once it is stopped, before it is told to end in order; it is ended after as long again. */
  readonly within: Milliseconds;
}

/** Takes phases of runs from a server, and executes them on this machine. */
export class Agent {
  readonly #server: JobServer;
  readonly #about: AboutAgent;
  readonly #phases: PhaseParts;
  readonly #executor: Executor;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #controls = new Set<PhaseControl>();
  #registered: Promise<Registered> | null = null;

  constructor(options: {
    server: JobServer;
    about: AboutAgent;
    phases: PhaseParts;
    executor: Executor;
    clock: Clock;
    log: Log;
  }) {
    this.#server = options.server;
    this.#about = options.about;
    this.#phases = options.phases;
    this.#executor = options.executor;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Works until it is told to stop, and what it has begun then is finished.
   * @throws {TokenRefused} when the server does not let it in
   */
  async run({ slots, once, stopped, within }: AgentWork): Promise<void> {
    let cancel = (): void => undefined;
    const hurry = (): void => {
      cancel = this.#clock.after(within, () => {
        for (const control of this.#controls) control.limit('the agent was stopped', false);
        cancel = this.#clock.after(within, () => {
          for (const control of this.#controls) control.kill();
        });
      });
    };
    if (stopped.aborted) hurry();
    else stopped.addEventListener('abort', hurry, { once: true });
    const failed = new AbortController();
    const over = AbortSignal.any([stopped, failed.signal]);
    const clear = this.#clear();
    try {
      await Promise.all(
        Array.from({ length: slots }, () =>
          this.#work(over, once).catch((fault: unknown) => {
            failed.abort();
            throw fault;
          }),
        ),
      );
    } finally {
      cancel();
      clear();
      stopped.removeEventListener('abort', hurry);
      const known = await this.#registered?.catch(() => null);
      if (known !== undefined && known !== null) await this.#server.leave(known.id).catch(() => undefined);
    }
  }

  /** One phase after the other, or one alone. */
  async #work(stopped: AbortSignal, once: boolean): Promise<void> {
    let pause = AGAIN;
    while (!stopped.aborted) {
      try {
        const { id } = await this.#register(stopped);
        const job = await this.#server.next(id, WAIT, stopped);
        pause = AGAIN;
        if (job === null) continue;
        await this.#take(job, stopped);
        if (once) return;
      } catch (fault) {
        if (fault instanceof TokenRefused) throw fault;
        if (stopped.aborted) return;
        if (fault instanceof AgentUnknown) this.#registered = null;
        else this.#log.warn('the server cannot be asked', { fault: String(fault), again: pause });
        await this.#pause(pause, stopped);
        pause = Math.min(AGAIN_MAX, pause * 2);
      }
    }
  }

  /** Clears up after agents of this machine that were killed. @returns what ends that */
  #clear(): () => void {
    let cancel: () => void = () => undefined;
    const after = (delay: Milliseconds): void => {
      cancel = this.#clock.after(delay, () => {
        after(CLEAR);
        removeLeftBehind(this.#phases.root, this.#clock.now()).catch((fault: unknown) =>
          this.#log.warn('what a killed agent left could not be removed', { fault: String(fault) }),
        );
      });
    };
    after(0);
    return () => cancel();
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

  async #take(job: Job, stopped: AbortSignal): Promise<void> {
    const { run, phase, token: secret } = job;
    const link = this.#server.job(job);
    if (stopped.aborted) return link.handBack().catch(() => undefined);
    this.#log.info('a phase was begun', { run: run.id, phase });
    const control = new PhaseControl(this.#executor, this.#clock);
    const log = new RemoteLog(link, this.#clock, job.logOffset);
    this.#controls.add(control);
    const over = new AbortController();
    const beating = this.#beat(link, job.lease, control, over.signal);
    try {
      const result = await executePhase(this.#phases, {
        run,
        store: this.#patient(link),
        phase,
        secret,
        log,
        control,
      });
      await log.end();
      await this.#retried(() => link.end(result), END);
      this.#log.info('a phase has ended', { run: run.id, phase, end: result.end });
    } catch (fault) {
      if (!(fault instanceof JobLost))
        this.#log.error('the end of a phase could not be told', { run: run.id, fault: String(fault) });
    } finally {
      over.abort();
      this.#controls.delete(control);
      await beating;
    }
  }

  /** Says that the phase is at work, and does what the server says. */
  async #beat(link: JobLink, lease: Milliseconds, control: PhaseControl, over: AbortSignal): Promise<void> {
    const every = Math.min(BEAT, lease / 4);
    let heardAt = this.#clock.now();
    while (!over.aborted) {
      try {
        const signal = await link.beat(control.stopped ? 0 : every);
        heardAt = this.#clock.now();
        if (signal === 'stop') {
          control.stop();
          await this.#pause(every, over);
        }
      } catch (fault) {
        if (fault instanceof JobLost) {
          control.limit(fault.message, true);
          return;
        }
        if (this.#clock.now() - heardAt > lease * CUT_OFF)
          control.limit('the agent cannot reach the server', false);
        await this.#pause(AGAIN, over);
      }
    }
  }

  /** The store, asked again where the server could not be reached. */
  #patient(link: JobLink): JobLink {
    return {
      ...link,
      archive: () => this.#retried(() => link.archive(), PATIENCE),
      variables: () => this.#retried(() => link.variables(), PATIENCE),
      part: (part) => this.#retried(() => link.part(part), PATIENCE),
      putPart: (part, bytes) => this.#retried(() => link.putPart(part, bytes), PATIENCE),
    };
  }

  async #retried<T>(ask: () => Promise<T>, within: Milliseconds): Promise<T> {
    const until = this.#clock.now() + within;
    for (;;) {
      try {
        return await ask();
      } catch (fault) {
        if (fault instanceof JobLost || this.#clock.now() >= until) throw fault;
        await this.#pause(AGAIN, new AbortController().signal);
      }
    }
  }

  #pause(delay: Milliseconds, over: AbortSignal): Promise<void> {
    if (over.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        over.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(delay, done);
      over.addEventListener('abort', done, { once: true });
    });
  }
}
