import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { PhaseControl } from '../control.ts';
import type { Executor } from '../executors/executor.ts';
import { removeLeftBehind } from '../left-behind.ts';
import { executePhase, type PhaseParts } from '../phase.ts';
import { JobLost, type JobLink, type JobServer } from './job-server.ts';
import { pause } from './pause.ts';
import { PhaseTaker } from './phase-taker.ts';
import { RemoteLog } from './remote-log.ts';
import type { AboutAgent, Job } from './wire.ts';

/** How long a sign of life is held open, so that a cancel is heard at once; less where the server gives agents up sooner. */
const BEAT: Milliseconds = 5_000;
/** An agent that has not reached the server for this part of the time ends what it does, before the server gives it up. */
const CUT_OFF = 0.7;
/** How long what a phase needs is asked for again. */
const PATIENCE: Milliseconds = 15_000;
const AGAIN: Milliseconds = 1_000;
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
  readonly #taker: PhaseTaker;
  readonly #phases: PhaseParts;
  readonly #executor: Executor;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #controls = new Set<PhaseControl>();

  constructor(options: {
    server: JobServer;
    about: AboutAgent;
    phases: PhaseParts;
    executor: Executor;
    clock: Clock;
    log: Log;
  }) {
    this.#server = options.server;
    this.#taker = new PhaseTaker(options);
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
    await this.#inTime({ stopped, within }, () =>
      this.#taker.run({ slots, once, stopped }, (job, link) => this.#take(job, link)),
    );
  }

  /** Executes one phase that another program has taken, as its agent from now on. @throws {JobLost} when it is not to be had any more */
  async execute(job: Job, { stopped, within }: Pick<AgentWork, 'stopped' | 'within'>): Promise<void> {
    await this.#inTime({ stopped, within }, async () => {
      const link = this.#server.job(job);
      const own = await this.#retried(() => link.takeOver(), PATIENCE);
      await this.#take(own, this.#server.job(own));
    });
  }

  /** Does something, and hurries what it has begun once it is to stop. */
  async #inTime(
    { stopped, within }: Pick<AgentWork, 'stopped' | 'within'>,
    work: () => Promise<void>,
  ): Promise<void> {
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
    const clear = this.#clear();
    try {
      await work();
    } finally {
      cancel();
      clear();
      stopped.removeEventListener('abort', hurry);
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

  async #take(job: Job, link: JobLink): Promise<void> {
    const { run, phase, token: secret } = job;
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
          await pause(this.#clock, every, over);
        }
      } catch (fault) {
        if (fault instanceof JobLost) {
          control.limit(fault.message, true);
          return;
        }
        if (this.#clock.now() - heardAt > lease * CUT_OFF)
          control.limit('the agent cannot reach the server', false);
        await pause(this.#clock, AGAIN, over);
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
        await pause(this.#clock, AGAIN);
      }
    }
  }
}
