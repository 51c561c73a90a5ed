import type { Milliseconds } from '../../../src/core/instant.ts';
import { OPERATION_PLAN, type LockInfo } from '../../../src/core/lock-info.ts';
import { clientSleep } from '../../../src/core/rules/estimate.ts';
import type { Dice } from '../time/dice.ts';
import { stateOf, type Backend, type ClientState } from './backend.ts';
import type { Client, Death } from './client.ts';

/** What somebody runs, and what becomes of it. */
export interface RunPlan {
  readonly name: string;
  readonly beginsAt: Milliseconds;
  readonly plan: boolean;
  /** How long it works between two writes. */
  readonly work: Milliseconds;
  readonly writes: number;
  /** `-lock-timeout`; 0 for none. */
  readonly patience: Milliseconds;
  readonly fate: { readonly kind: Death | 'interrupted'; readonly after: Milliseconds } | null;
}

/** How a run ended, as its user sees it. */
export type Ending =
  | 'done'
  /** It was not given the lock in its time. */
  | 'not-locked'
  /** It lost its lock, or could not do what it wanted under it. */
  | 'failed'
  /** It could not give the lock back, and says so. */
  | 'not-released'
  | Death;

/** What is watched of runs while they go on. */
export interface RunWatch {
  /** It was told that it has the lock, and works from now on. */
  readonly works: (run: Run) => void;
  /** It wrote, and was told that it is stored. */
  readonly wrote: (run: Run, state: ClientState) => void;
  /** It counted on its lock and was refused. */
  readonly refused: (run: Run, deed: 'write' | 'unlock') => void;
  /** It no longer counts on its lock: it gives it back, was told that it is lost, or is dead. */
  readonly stops: (run: Run) => void;
  readonly ends: (run: Run, ending: Ending) => void;
}

/** One run of terraform or tofu, from its first ask for the lock to its end (`internal/states/statemgr/locker.go`). */
export class Run {
  readonly plan: RunPlan;
  readonly info: LockInfo;
  readonly backend: Backend;
  readonly #client: Client;
  readonly #dice: Dice;
  readonly #watch: RunWatch;
  #ending: Ending | null = null;
  #isInterrupted = false;

  constructor(plan: RunPlan, parts: { client: Client; backend: Backend; dice: Dice; watch: RunWatch }) {
    this.plan = plan;
    this.backend = parts.backend;
    this.#client = parts.client;
    this.#dice = parts.dice;
    this.#watch = parts.watch;
    this.info = {
      id: plan.name,
      operation: plan.plan ? OPERATION_PLAN : 'OperationTypeApply',
      info: '',
      who: `${plan.name}@${parts.client.host.peer}`,
      version: '1.11.4',
      created: new Date(parts.client.time.instant).toISOString(),
      path: '',
    };
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  begin(): void {
    const { time } = this.#client;
    time.after(this.plan.beginsAt, () => {
      void this.#go().then((ending) => this.#end(ending));
      const { fate } = this.plan;
      if (fate !== null) time.after(fate.after, () => this.meet(fate.kind));
    });
  }

  /** Has it end in the middle of whatever it does. */
  meet(fate: Death | 'interrupted'): void {
    if (this.#ending !== null) return;
    if (fate === 'interrupted') {
      this.#isInterrupted = true;
      return;
    }
    this.#watch.stops(this);
    this.#client.die(fate);
    this.#end(fate);
  }

  #end(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    this.#watch.ends(this, ending);
  }

  async #go(): Promise<Ending> {
    if (!(await this.#takesLock())) return 'not-locked';
    this.#watch.works(this);
    const isWell = this.#isInterrupted || (await this.#works());
    this.#watch.stops(this);
    const released = await this.backend.unlock(this.info);
    if (released === 'refused') this.#watch.refused(this, 'unlock');
    if (released !== 'released') return 'not-released';
    return isWell ? 'done' : 'failed';
  }

  async #takesLock(): Promise<boolean> {
    const { time } = this.#client;
    const began = time.now;
    for (let asks = 1; ; asks += 1) {
      const outcome = await this.backend.lock(this.info);
      if (outcome === 'locked') return true;
      if (outcome === 'failed' || this.#isInterrupted) return false;
      const left = this.plan.patience - (time.now - began);
      const sleep = clientSleep(asks);
      if (sleep >= left) return false;
      await this.#client.sleep(sleep);
      if (this.#isInterrupted) return false;
    }
  }

  async #works(): Promise<boolean> {
    const read = await this.backend.read();
    if (read === 'failed') return false;
    let { serial, lineage } = read === 'absent' ? { serial: 0, lineage: `lineage-${this.plan.name}` } : read;
    await this.#client.sleep(this.plan.work);
    for (let writes = 1; writes <= this.plan.writes; writes += 1) {
      serial += 1;
      const state = stateOf(serial, lineage, `${this.plan.name}.${writes}.${this.#dice.below(1e6)}`);
      const outcome = await this.backend.write(state, this.info.id);
      if (outcome !== 'stored') {
        if (outcome === 'refused') this.#watch.refused(this, 'write');
        this.#watch.stops(this);
        return false;
      }
      this.#watch.wrote(this, state);
      ({ lineage } = state);
      if (this.#isInterrupted) return true;
      await this.#client.sleep(this.plan.work);
    }
    return true;
  }
}
