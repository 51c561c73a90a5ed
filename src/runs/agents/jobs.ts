import { timingSafeEqual } from 'node:crypto';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import { nextInTurn } from '../../core/runs/line.ts';
import { isAtWork, isFinal } from '../../core/runs/status.ts';
import { Budget, sharesOf } from '../../house/budget.ts';
import type { House } from '../../house/house.ts';
import { newSecret } from '../../house/identity/new-pair.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { headOf, titleOf } from '../head.ts';
import { LOG_BYTES_MAX, type RunLogs } from '../logs.ts';
import { PLAN_MAX, type PhaseResult } from '../phase.ts';
import type { BookStores, PhaseStore } from '../phase-store.ts';
import type { Phase, RunPart } from '../records.ts';
import type { Run, RunBook } from '../run-book.ts';
import { digestOf } from '../tokens.ts';
import type { Admitted, AgentPools } from './pools.ts';
import { jobsOf, type StoredAgent } from './records.ts';
import { Watches } from './run-watch.ts';

/** How long a request for a job, or for a signal, is held open at most. */
export const WAIT_MAX: Milliseconds = 30_000;
/** How often what another node may have done is looked for, and where there is but one, all the same. */
const LOOK: Milliseconds = 1_000;
const LOOK_ALONE: Milliseconds = 10_000;
/** What agents send of a plan at a time, all together. */
const IN_FLIGHT_MAX: number = 4 * PLAN_MAX;
/** The parts of a run that a plan makes. */
const MADE_BY_PLAN: ReadonlySet<RunPart> = new Set<RunPart>(['plan', 'lock-file', 'json', 'schemas']);

/** A phase as it is given to an agent, with the two secrets that are told this once. */
export interface TakenJob {
  readonly run: Run;
  readonly phase: Phase;
  /** By which the agent speaks of this phase. */
  readonly secret: string;
  /** By which the programs of the phase reach their state. */
  readonly token: string;
  /** Bytes of the log that are there already. */
  readonly logOffset: number;
  /** Takes the job back, when the agent was never told of it. */
  readonly undelivered: () => void;
}

/** What an agent is to do with the phase that it executes. */
export type Signal = 'go-on' | 'stop';

/**
 * The phases that agents execute. A phase is an agent's because the run itself says so, so that of two that ask for it one gets
 * it; and it is the agent's for as long as that says every few seconds that it is at work.
 */
export class AgentJobs {
  /** How long an agent may be silent before its phase is taken for lost. */
  readonly lease: Milliseconds;
  readonly #house: House;
  readonly #book: RunBook;
  readonly #logs: RunLogs;
  readonly #pools: AgentPools;
  readonly #stores: BookStores;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  /** Of pools and of runs, by their ids. */
  readonly #watches: Watches;
  readonly #inFlight = new Budget(sharesOf(IN_FLIGHT_MAX, PLAN_MAX));

  constructor(options: {
    house: House;
    book: RunBook;
    logs: RunLogs;
    pools: AgentPools;
    stores: BookStores;
    clock: Clock;
    entropy: Entropy;
    lease: Milliseconds;
  }) {
    this.lease = options.lease;
    this.#house = options.house;
    this.#book = options.book;
    this.#logs = options.logs;
    this.#pools = options.pools;
    this.#stores = options.stores;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#watches = new Watches(options.clock);
    options.book.listen(({ id }) => this.#watches.tell(id));
  }

  /** Has a phase wait for an agent. It may be called again and again. */
  async offer(run: Run, phase: Phase): Promise<void> {
    const pool = run.pool ?? '';
    const jobs = this.#house.records(jobsOf(pool));
    if ((await jobs.one(run.id)) !== null) return;
    const agents = await this.#pools.agents(pool);
    if (agents.every((agent) => agent.isGone)) {
      const { name = pool } = (await this.#pools.find(pool)) ?? {};
      const words = `Waiting for an agent of the pool "${name}": none is connected. Start one with "statehouse agent".\n`;
      await this.#logs.open(run.id, phase, `${titleOf(run)}\non linux_amd64\n\n${words}`);
    }
    await jobs.put(null, run.id, { phase, since: await this.#house.now() });
    this.#watches.tell(pool);
  }

  /** A run waits for no agent any more. */
  async withdraw({ id, pool }: Pick<Run, 'id' | 'pool'>): Promise<void> {
    if (pool !== null) await this.#house.records(jobsOf(pool)).drop(null, id);
  }

  /** How many phases each agent executes now, by its id; one that executes none is not there. */
  async atWork(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const { job } of await this.#book.open())
      if (job?.agent !== undefined) counts.set(job.agent.id, (counts.get(job.agent.id) ?? 0) + 1);
    return counts;
  }

  /** How long an agent may still be silent before its phase is taken for lost; 0 and less when that is over. */
  async left({ job }: Run, watchedSince: Instant): Promise<Milliseconds> {
    const seenAt = Math.max(job?.agent?.seenAt ?? 0, watchedSince);
    return seenAt + this.lease - (await this.#house.now());
  }

  /**
   * The next phase for an agent, as soon as there is one.
   * @param gone aborted when the agent waits no longer
   * @returns null when there was none in time, and `unknown` for an agent that has to register anew
   */
  async next(
    admitted: Admitted,
    agentId: string,
    { wait, gone }: { readonly wait: Milliseconds; readonly gone: AbortSignal },
  ): Promise<TakenJob | 'unknown' | null> {
    const until = this.#clock.now() + Math.min(wait, WAIT_MAX);
    using watch = this.#watches.begin(admitted.pool.id);
    for (;;) {
      // A token that was revoked meanwhile takes nothing.
      const agent = (await this.#pools.holds(admitted)) ? await this.#pools.seen(agentId, admitted) : null;
      if (agent === null) return 'unknown';
      const taken = gone.aborted ? null : await this.#take(admitted.pool.id, agentId, agent);
      if (taken !== null) return taken;
      const left = until - this.#clock.now();
      if (left <= 0 || gone.aborted) return null;
      await watch.next(Math.min(left, this.#look), gone);
    }
  }

  /** The run whose phase is an agent's, by what the agent was told; null when that is not so, or not any more. */
  async admit(runId: string, secret: string): Promise<Run | null> {
    const run = await this.#book.find(runId);
    const digest = run === null || !isAtWork(run) ? undefined : run.job?.agent?.digest;
    const known = Buffer.from(digest ?? digestOf(''), 'hex');
    const isRight = timingSafeEqual(Buffer.from(digestOf(secret), 'hex'), known);
    return isRight && digest !== undefined ? run : null;
  }

  /** An agent is at work. @returns what it is to do, as soon as that is something else than to go on; null when it has lost the phase */
  async beat(
    { id, job }: Run,
    { wait, gone }: { readonly wait: Milliseconds; readonly gone: AbortSignal },
  ): Promise<Signal | null> {
    const digest = job?.agent?.digest ?? '';
    const until = this.#clock.now() + Math.min(wait, WAIT_MAX);
    using watch = this.#watches.begin(id);
    await this.#pools.busy(job?.agent?.id ?? '');
    let run = await this.#book.agentSeen(id, digest);
    for (;;) {
      if (run === null || isFinal(run) || run.job?.agent?.digest !== digest) return null;
      if (run.asked.cancel !== undefined) return 'stop';
      const left = until - this.#clock.now();
      if (left <= 0 || gone.aborted) return 'go-on';
      await watch.next(Math.min(left, this.#look), gone);
      run = await this.#book.find(id);
    }
  }

  /** What a phase needs. */
  store(run: Run): PhaseStore {
    return this.#stores.of(run);
  }

  /** Keeps what a plan has made. @returns why not, or null */
  async putPart(
    run: Run,
    part: RunPart,
    stream: AsyncIterable<Uint8Array>,
    peer: string,
  ): Promise<'not-now' | 'too-large' | 'busy' | null> {
    if (!MADE_BY_PLAN.has(part) || run.job?.phase !== 'plan') return 'not-now';
    const held = this.#inFlight.begin({ identity: { subject: `run:${run.id}` }, peer });
    try {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of stream) {
        size += chunk.length;
        if (size > PLAN_MAX) return 'too-large';
        if (!held.take(chunk.length)) return 'busy';
        chunks.push(chunk);
      }
      await this.#book.putPart(run.id, part, Buffer.concat(chunks));
      return null;
    } finally {
      held.release();
    }
  }

  /** Adds to the log of the phase. @returns the size of the log then; null when the log is too long */
  async log(run: Run, offset: number, bytes: Uint8Array): Promise<number | null> {
    if (offset + bytes.length > LOG_BYTES_MAX) return null;
    return this.#logs.add(run.id, run.job?.phase ?? 'plan', { offset, bytes });
  }

  /** A phase has ended. @returns whether it was the agent's to say so */
  async end(run: Run, { end, hasChanges, counts, problem }: PhaseResult): Promise<boolean> {
    const { job, id } = run;
    if (job === null) return false;
    const event =
      job.phase === 'plan'
        ? ({ type: 'plan-ended', end, hasChanges } as const)
        : ({ type: 'apply-ended', end } as const);
    const patch = { job: null, problem, ...(job.phase === 'plan' ? { counts } : {}) };
    const change = await this.#book.happen(id, event, patch, (now) => now.job?.digest === job.digest);
    // Clients read the run once the log has ended, so the run comes first.
    const size = await this.#logs.open(id, job.phase, '');
    await this.#logs.add(id, job.phase, { offset: size, bytes: new Uint8Array(), last: true });
    return change.type === 'changed';
  }

  /**
   * Has another program be the agent of a phase, with secrets of its own: those that were told before are good for nothing then. So
   * of two that were given the same phase one has it.
   */
  async takeOver({ id, job }: Run): Promise<{ readonly secret: string; readonly token: string } | null> {
    const [secret, token] = [newSecret(this.#entropy), newSecret(this.#entropy)];
    const digests = { agent: digestOf(secret), programs: digestOf(token) };
    const run = await this.#book.agentSeen(id, job?.agent?.digest ?? '', digests);
    this.#watches.tell(id);
    return run === null ? null : { secret, token };
  }

  /** An agent gives back what it has not begun. */
  async handBack({ id, job }: Run): Promise<void> {
    const isSame = (now: Pick<Run, 'job'>): boolean => now.job?.agent?.digest === job?.agent?.digest;
    await this.#book.happen(id, { type: 'handed-back' }, { job: null }, isSame);
  }

  get #look(): Milliseconds {
    return this.#house.about.manyNodes ? LOOK : LOOK_ALONE;
  }

  /** Takes the phase whose turn it is, of those that the agent has a program for. */
  async #take(pool: string, agentId: string, agent: StoredAgent): Promise<TakenJob | null> {
    const jobs = this.#house.records(jobsOf(pool));
    const ready: Run[] = [];
    for await (const page of jobs.pages())
      for (const { name } of page) {
        const run = await this.#book.find(name);
        const isReady = run?.pool === pool && (run.status === 'plan_queued' || run.status === 'apply_queued');
        // Whoever took it was quicker, or it was ended: the one who looks after it offers it anew if need be.
        if (run === null || !isReady) await jobs.drop(null, name);
        else if (agent.programs.some((one) => one.program === run.program && one.version === run.version))
          ready.push(run);
      }
    for (let left = ready; left.length > 0;) {
      const run = nextInTurn(left);
      const taken = run === null ? null : await this.#claim(run, agentId, agent);
      if (taken !== null) {
        await jobs.drop(null, taken.run.id);
        return taken;
      }
      left = left.filter((one) => one !== run);
    }
    return null;
  }

  async #claim(run: Run, agentId: string, { name }: StoredAgent): Promise<TakenJob | null> {
    const phase = run.status === 'plan_queued' ? 'plan' : 'apply';
    const [secret, token] = [newSecret(this.#entropy), newSecret(this.#entropy)];
    const seenAt = await this.#house.now();
    const agent = { id: agentId, name, digest: digestOf(secret), seenAt };
    const job = { phase, digest: digestOf(token), agent } as const;
    const plannedOn = phase === 'plan' ? await headOf(this.#house, run) : run.plannedOn;
    const change = await this.#book.happen(run.id, { type: `${phase}-started` }, { job, plannedOn });
    if (change.type !== 'changed') return null;
    const title = `${titleOf(run)}\non linux_amd64\nInitializing plugins and modules...\n`;
    const logOffset = await this.#logs.open(run.id, phase, title);
    const undelivered = (): void => void this.#giveBack(run.id, agent.digest);
    return { run: change.run, phase, secret, token, logOffset, undelivered };
  }

  async #giveBack(id: string, digest: string): Promise<void> {
    const run = await this.#book.find(id);
    if (run?.job?.agent?.digest === digest) await this.handBack(run);
  }
}
