import { isSameAddress } from '../core/address.ts';
import { formatLockInfo } from '../core/lock-info.ts';
import type { Milliseconds } from '../core/instant.ts';
import { isAtWork, isFinal, type RunEvent } from '../core/runs/status.ts';
import type { House } from '../house/house.ts';
import type { LockAnswer } from '../house/locks/locks.ts';
import { newSecret } from '../house/identity/new-pair.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Log } from '../ports/log.ts';
import { PhaseControl } from './control.ts';
import type { AgentJobs } from './agents/jobs.ts';
import type { Executor } from './executors/executor.ts';
import { callerOfRun, headOf, titleOf } from './head.ts';
import type { RunLogs } from './logs.ts';
import { executePhase, type PhaseParts } from './phase.ts';
import type { BookStores } from './phase-store.ts';
import { PHASES, type Phase } from './records.ts';
import type { Run, RunBook } from './run-book.ts';
import { RunNodes } from './run-nodes.ts';
import { Slots } from './slots.ts';
import { TendedRun } from './tended-run.ts';
import { digestOf } from './tokens.ts';

/** The operation of a run's lock. */
const OPERATION_RUN = 'statehouse-run';
const ALIAS = 'run';
/** How long a run waits in line at a time: it keeps its place. */
const LOCK_WAIT: Milliseconds = 600_000;
const TRY_AGAIN: Milliseconds = 1_000;
/** How soon a run is looked after again after a fault, such as of the database. */
const TEND_AGAIN: Milliseconds = 2_000;
/** How long an apply without a question waits for its client to see the plan. */
const READ_WAIT: Milliseconds = 5_000;
/** How often runs are looked at that another node may have changed. */
const LOOK: Milliseconds = 1_000;
/** How often a phase is offered to agents that none has taken. */
const OFFER: Milliseconds = 10_000;

export interface WorkerOptions {
  readonly house: House;
  readonly book: RunBook;
  readonly logs: RunLogs;
  readonly phases: PhaseParts;
  readonly stores: BookStores;
  readonly jobs: AgentJobs;
  /** null where agents alone execute. */
  readonly executor: Executor | null;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Phases that are executed at a time. */
  readonly slots: number;
  /** How long a run may wait to be confirmed; 0 for ever. */
  readonly confirmWait: Milliseconds;
  /** What else is to be done for a run that is over. It may be done again, by this node or another. */
  readonly ended: (run: Run) => Promise<void>;
}

/** Looks after the runs of this node, from their first moment to their last, each by itself. */
export class RunWorker {
  readonly #options: WorkerOptions;
  readonly #slots: Slots;
  readonly #nodes: RunNodes;
  readonly #tended = new Map<string, { readonly run: TendedRun; readonly done: Promise<void> }>();
  /** What keeps from looking after runs again. */
  readonly #again = new Set<() => void>();
  #isClosed = false;
  #ends: (() => void)[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.slots);
    this.#nodes = new RunNodes(options, { adopt: (run) => this.#adopt(run) });
  }

  /** How many phases are executed now. */
  get executing(): number {
    return this.#slots.taken;
  }

  /** Takes over what an earlier start, or a node that is gone, left behind. */
  async start(): Promise<void> {
    const { book, house } = this.#options;
    this.#ends.push(book.listen((run) => this.#tended.get(run.id)?.run.saw(run)));
    await this.#nodes.start();
    if (house.about.manyNodes) this.#lookLater();
  }

  /** Begins to look after a run. */
  tend(run: Run): void {
    if (this.#isClosed || this.#tended.has(run.id)) return;
    const tended = new TendedRun(run);
    const done = this.#tend(tended).catch((fault: unknown) => {
      this.#options.log.error('a run could not be looked after', { run: run.id, fault: String(fault) });
      this.#tended.delete(run.id);
      this.#tendAgain(run.id);
    });
    this.#tended.set(run.id, { run: tended, done });
  }

  /** What this node knows of a run that it looks after; undefined for any other. */
  tended(id: string): TendedRun | undefined {
    return this.#tended.get(id)?.run;
  }

  /** Ends what is at work: in order at first, by force after a while. What waits goes on after the next start. */
  async close(within: Milliseconds): Promise<void> {
    this.#isClosed = true;
    for (const end of [...this.#ends, ...this.#again]) end();
    this.#nodes.close();
    const all = [...this.#tended.values()];
    for (const { run } of all) {
      run.control?.limit('the server was stopped', false);
      run.wake();
    }
    const cancel = this.#options.clock.after(within, () => {
      for (const { run } of all) run.control?.kill();
    });
    await Promise.all(all.map(({ done }) => done));
    cancel();
  }

  /** Looks after a run again that was left because of a fault, as after a start: what was at work then is lost. */
  #tendAgain(id: string): void {
    if (this.#isClosed) return;
    const { book, clock, house } = this.#options;
    const cancel = clock.after(TEND_AGAIN, () => {
      this.#again.delete(cancel);
      const adopted = book
        .find(id)
        .then((run) => (run === null || run.node !== house.node ? undefined : this.#adopt(run)));
      adopted.catch(() => this.#tendAgain(id));
    });
    this.#again.add(cancel);
  }

  async #tend(tended: TendedRun): Promise<void> {
    const { book, house } = this.#options;
    tended.since = await house.now();
    for (;;) {
      const { changed } = tended;
      const run = await book.find(tended.id);
      if (run === null || isFinal(run)) {
        if (run !== null) await this.#finish(run);
        this.#tended.delete(tended.id);
        return;
      }
      if (this.#isClosed) return;
      tended.saw(run);
      if (changed.aborted) continue;
      await this.#next(run, tended);
    }
  }

  /** Does what comes next for a run, and returns when its status may be another. */
  async #next(run: Run, tended: TendedRun): Promise<void> {
    switch (run.status) {
      case 'pending':
      case 'confirmed':
        return this.#getReady(run, tended);
      case 'plan_queued':
        return this.#start(run, tended, 'plan');
      case 'apply_queued':
        return this.#start(run, tended, 'apply');
      case 'planned':
        return this.#awaitConfirmation(run, tended);
      case 'planning':
      case 'applying':
        if (run.job?.agent !== undefined) return this.#watchAgent(run, tended);
        // Whoever executed it is gone: this node does it in one go.
        await this.#happen(run.id, { type: 'lost' });
        return;
      default:
        await this.#wait(tended.changed, null);
    }
  }

  async #getReady(run: Run, tended: TendedRun): Promise<void> {
    if (run.kind === 'plan' || (run.kind === 'saved' && run.status === 'pending')) {
      await this.#happen(run.id, { type: 'ready' });
      return;
    }
    const answer = await this.#lock(run, tended.changed);
    if (answer.type === 'gone') return;
    if (answer.type === 'held') return this.#wait(tended.changed, TRY_AGAIN);
    if (answer.type !== 'granted') {
      const problem = `the workspace cannot be locked: ${answer.type}`;
      await this.#options.book.happen(run.id, { type: 'lost' }, { problem });
      return;
    }
    const isOutdated = run.kind === 'saved' && (await headOf(this.#options.house, run)) !== run.plannedOn;
    await this.#happen(run.id, { type: isOutdated ? 'outdated' : 'ready' });
  }

  async #awaitConfirmation(run: Run, tended: TendedRun): Promise<void> {
    const { book, house, confirmWait } = this.#options;
    if (run.task.autoApply) {
      tended.onceRead(() => tended.wake());
      await this.#wait(tended.changed, READ_WAIT);
      if (this.#isClosed) return;
      await book.happen(run.id, { type: 'confirm', by: run.createdBy, at: await house.now() });
      return;
    }
    const since = run.times.planned ?? run.createdAt;
    const left = confirmWait === 0 ? null : since + confirmWait - (await house.now());
    if (left === null || left > 0) return this.#wait(tended.changed, left);
    const problem = 'it was not confirmed in time';
    await book.happen(run.id, { type: 'discard', by: 'house:node', at: await house.now() }, { problem });
  }

  /** Executes a phase here, or has an agent do it. */
  async #start(run: Run, tended: TendedRun, phase: Phase): Promise<void> {
    const { executor, jobs, book } = this.#options;
    if (run.pool !== null) {
      await jobs.offer(run, phase);
      return this.#wait(tended.changed, OFFER);
    }
    if (executor !== null) return this.#execute(run, tended, phase, executor);
    const problem = 'this server executes nothing itself any more: make the run again';
    await book.happen(run.id, { type: 'lost' }, { problem });
  }

  /** Takes a phase for lost whose agent has been silent for too long: it is not given to another. */
  async #watchAgent(run: Run, tended: TendedRun): Promise<void> {
    const { book, jobs } = this.#options;
    const left = await jobs.left(run, tended.since);
    if (left > 0) return this.#wait(tended.changed, left);
    const { name = '', digest } = run.job?.agent ?? {};
    const problem = `the agent "${name}" that executed it is gone`;
    await book.happen(
      run.id,
      { type: 'lost' },
      { problem, job: null },
      ({ job }) => job?.agent?.digest === digest && job?.agent?.seenAt === run.job?.agent?.seenAt,
    );
  }

  async #execute(run: Run, tended: TendedRun, phase: Phase, executor: Executor): Promise<void> {
    const { book, logs, clock, entropy, phases, stores } = this.#options;
    const free = await this.#slots.take(run, tended.changed);
    if (free === null) return;
    try {
      const secret = newSecret(entropy);
      const job = { phase, digest: digestOf(secret) };
      const plannedOn = phase === 'plan' ? await headOf(this.#options.house, run) : run.plannedOn;
      // What is begun once the server closes would be told of no end.
      if (this.#isClosed) return;
      const control = new PhaseControl(executor, clock);
      tended.control = control;
      const started = await book.happen(run.id, { type: `${phase}-started` }, { job, plannedOn });
      if (started.type !== 'changed') return;
      const log = logs.begin(run.id, phase);
      log.write(`${titleOf(run)}\non linux_amd64\nInitializing plugins and modules...\n`);
      const result = await executePhase(phases, {
        run: started.run,
        store: stores.of(started.run),
        phase,
        secret,
        log,
        control,
      });
      const { end, hasChanges, counts, problem } = result;
      const event: RunEvent =
        phase === 'plan' ? { type: 'plan-ended', end, hasChanges } : { type: 'apply-ended', end };
      // Clients read the run once the log has ended, so the run comes first.
      await book.happen(run.id, event, { job: null, problem, ...(phase === 'plan' ? { counts } : {}) });
      await log.end();
    } finally {
      tended.control = null;
      free();
    }
  }

  /** What is to be done once for a run that is over. */
  async #finish(run: Run): Promise<void> {
    const { house, logs, book, jobs } = this.#options;
    await jobs.withdraw(run);
    for (const phase of PHASES) {
      const isDue = phase === 'plan' || run.times.confirmed !== undefined;
      const why = run.problem ?? `the run is ${run.status}`;
      if (isDue) await logs.close(run.id, phase, `${titleOf(run)}\n\n\nThe ${phase} has ended: ${why}.\n`);
    }
    if (run.kind !== 'plan')
      await house.locks.unlock(callerOfRun(run), run.address, { lockId: run.lockId, alias: null });
    if (run.status === 'applied')
      for (const other of await book.open())
        if (other.status === 'planned_and_saved' && isSameAddress(other.address, run.address))
          await book.happen(other.id, { type: 'outdated' });
    await this.#options.ended(run);
    await book.close(run.id);
  }

  #lock(run: Run, gone: AbortSignal): Promise<LockAnswer> {
    const { house } = this.#options;
    const info = formatLockInfo({
      id: run.lockId,
      operation: OPERATION_RUN,
      info: run.id,
      who: run.createdBy,
      version: run.version,
      created: new Date(run.createdAt).toISOString(),
      path: '',
    });
    return house.locks.lock(callerOfRun(run), run.address, {
      lockId: run.lockId,
      operation: OPERATION_RUN,
      info: Buffer.from(info),
      tellsHoldersApart: false,
      alias: ALIAS,
      wait: LOCK_WAIT,
      gone,
    });
  }

  async #happen(id: string, event: RunEvent): Promise<void> {
    await this.#options.book.happen(id, event);
  }

  async #adopt(run: Run): Promise<void> {
    // An agent may be at work all the same.
    if (isAtWork(run) && run.job?.agent === undefined) {
      const problem = 'the server that executed it is gone';
      await this.#options.book.happen(run.id, { type: 'lost' }, { problem, job: null });
    }
    this.tend(run);
  }

  #wait(changed: AbortSignal, most: Milliseconds | null): Promise<void> {
    if (changed.aborted || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = most === null ? () => undefined : this.#options.clock.after(most, resolve);
      changed.addEventListener(
        'abort',
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
  }

  /** Another node may have been asked to confirm or cancel a run of this one. */
  #lookLater(): void {
    if (this.#isClosed) return;
    const look = async (): Promise<void> => {
      for (const { run } of this.#tended.values()) {
        const now = await this.#options.book.find(run.id);
        if (now !== null) run.saw(now);
      }
    };
    this.#ends.push(
      this.#options.clock.after(LOOK, () => {
        look()
          .catch((fault: unknown) =>
            this.#options.log.warn('runs could not be read', { fault: String(fault) }),
          )
          .finally(() => this.#lookLater());
      }),
    );
  }
}
