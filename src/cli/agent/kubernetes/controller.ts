import type { Milliseconds } from '../../../core/instant.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Entropy } from '../../../ports/entropy.ts';
import type { Log } from '../../../ports/log.ts';
import { JobLost, type JobLink, type JobServer } from '../../../runs/agents/job-server.ts';
import { pause } from '../../../runs/agents/pause.ts';
import { PhaseTaker } from '../../../runs/agents/phase-taker.ts';
import type { AboutAgent, Job } from '../../../runs/agents/wire.ts';
import { KubernetesRefusal, type KubernetesApi } from './api.ts';
import { jobManifest, secretManifest, type JobTemplate } from './manifests.ts';

/** How long a pod may take to begin. */
const BEGIN: Milliseconds = 600_000;
/** How long a sign of life is held open, less where the server gives agents up sooner. */
const BEAT: Milliseconds = 5_000;
/** How often it is looked at a Job. */
const LOOK: Milliseconds = 2_000;
const AGAIN: Milliseconds = 5_000;
const NAME_BYTES = 5;

export interface ControllerOptions {
  readonly server: JobServer;
  readonly about: AboutAgent;
  readonly api: KubernetesApi;
  readonly template: JobTemplate;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/**
 * Takes phases of a pool, and has each executed by a Kubernetes Job. The pod gets the phase and nothing of the pool: it takes the phase
 * over, by which what its Secret holds is good for nothing any more.
 */
export class KubernetesController {
  readonly #options: ControllerOptions;
  readonly #taker: PhaseTaker;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#taker = new PhaseTaker(options);
  }

  /** Works until it is told to stop; Jobs whose pods have begun go on without it. @param slots Jobs at a time */
  async run({ slots, stopped }: { readonly slots: number; readonly stopped: AbortSignal }): Promise<void> {
    await this.#taker.run({ slots, once: false, stopped }, (job, link) => this.#take(job, link, stopped));
  }

  async #take(job: Job, link: JobLink, stopped: AbortSignal): Promise<void> {
    const { api, clock, log, entropy, template } = this.#options;
    const { run, phase } = job;
    const name = `statehouse-${phase}-${Buffer.from(entropy.bytes(NAME_BYTES)).toString('hex')}`;
    try {
      const uid = await api.createJob(name, jobManifest(template, name, job));
      await api.createSecret(secretManifest(name, uid, job));
    } catch (fault) {
      log.error('a Job could not be created', { run: run.id, fault: String(fault) });
      await this.#remove(name);
      // What the cluster refuses is told to whoever waits for the run; another attempt may do for anything else.
      if (fault instanceof KubernetesRefusal) await this.#end(link, 'errored', fault.message);
      else await link.handBack().catch(() => undefined);
      await pause(clock, AGAIN, stopped);
      return;
    }
    log.info('a Job was created', { run: run.id, phase, job: name });
    await this.#untilTaken(job, link, name);
    await this.#untilEnded(name, stopped);
  }

  /** Keeps the phase until the pod has taken it over, and ends it where the pod never does. */
  async #untilTaken({ lease }: Job, link: JobLink, name: string): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + BEGIN;
    for (;;) {
      try {
        if ((await link.beat(Math.min(BEAT, lease / 4))) === 'stop')
          return await this.#giveUp(link, name, 'canceled', null);
        if ((await this.#lookAt(name)) !== 'at-work') {
          const problem = `the pod of the Job ${name} has ended before it began: see its log and events in the cluster`;
          return await this.#giveUp(link, name, 'errored', problem);
        }
        if (clock.now() > until) {
          const problem = `no pod of the Job ${name} has begun within ${BEGIN / 60_000} minutes`;
          return await this.#giveUp(link, name, 'errored', problem);
        }
      } catch (fault) {
        if (fault instanceof JobLost) return;
        await pause(clock, LOOK);
      }
    }
  }

  /** Waits for the end of a Job, and removes it. A controller that is stopped leaves that to the cluster. */
  async #untilEnded(name: string, stopped: AbortSignal): Promise<void> {
    while ((await this.#lookAt(name)) === 'at-work') {
      if (stopped.aborted) return;
      await pause(this.#options.clock, LOOK, stopped);
    }
    await this.#remove(name);
  }

  async #giveUp(
    link: JobLink,
    name: string,
    end: 'canceled' | 'errored',
    problem: string | null,
  ): Promise<void> {
    await this.#end(link, end, problem);
    await this.#remove(name);
  }

  async #end(link: JobLink, end: 'canceled' | 'errored', problem: string | null): Promise<void> {
    await link.end({ end, hasChanges: false, counts: null, problem });
  }

  /** What is not to be had is taken for at work: it is looked at again. */
  async #lookAt(name: string): Promise<'at-work' | 'ended' | 'gone'> {
    return this.#options.api.lookAt(name).catch((fault: unknown) => {
      this.#options.log.warn('a Job could not be looked at', { job: name, fault: String(fault) });
      return 'at-work';
    });
  }

  async #remove(name: string): Promise<void> {
    await this.#options.api.deleteJob(name).catch((fault: unknown) => {
      this.#options.log.warn('a Job could not be removed', { job: name, fault: String(fault) });
    });
  }
}
