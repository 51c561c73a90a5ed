import type { Milliseconds } from '../../core/instant.ts';
import type { PhaseResult } from '../phase.ts';
import type { PhaseStore } from '../phase-store.ts';
import type { AboutAgent, Job, Registered } from './wire.ts';

/** The phase is not the agent's any more, whatever it does: the server has given it up. */
export class JobLost extends Error {
  constructor() {
    super('the server has given the run up');
    this.name = 'JobLost';
  }
}

/** The server has forgotten the agent, which tells of itself anew. */
export class AgentUnknown extends Error {}

/** The server does not take the token, or not any more: asking again changes nothing. */
export class TokenRefused extends Error {
  constructor() {
    super('the server does not take the token of the pool');
    this.name = 'TokenRefused';
  }
}

/** A server, as an agent sees it. Any other error than those above may be over after a while. */
export interface JobServer {
  register(about: AboutAgent, signal: AbortSignal): Promise<Registered>;
  leave(agent: string): Promise<void>;
  /** @returns null where there was none for so long */
  next(agent: string, wait: Milliseconds, signal: AbortSignal): Promise<Job | null>;
  /** What belongs to one phase. */
  job(job: Job): JobLink;
}

/** One phase, as its agent speaks of it. */
export interface JobLink extends PhaseStore {
  /** @returns the size of the log then */
  log(offset: number, bytes: Uint8Array): Promise<number>;
  /** Says that the agent is at work. @returns what it is to do, after a while or as soon as that is to stop */
  beat(wait: Milliseconds): Promise<'go-on' | 'stop'>;
  end(result: PhaseResult): Promise<void>;
  handBack(): Promise<void>;
  /** Is its agent from now on. @returns the job with the secrets that are good from now on */
  takeOver(): Promise<Job>;
}
