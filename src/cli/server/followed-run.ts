import { setTimeout as sleep } from 'node:timers/promises';
import type { RunShape } from '../../api/shapes/run.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { Failure } from '../failure.ts';
import { HouseClient } from './client.ts';
import type { Connection } from './connection.ts';
import { runLog } from './runs.ts';

const ASK_MS = 300;
/** `-detailed-exitcode` of terraform: done, and there is something to do. */
const HAS_CHANGES = 2;
const GOOD_ENDS: ReadonlySet<string> = new Set(['planned_and_finished', 'applied']);
const BAD_ENDS: ReadonlySet<string> = new Set(['errored', 'discarded', 'canceled', 'force_canceled']);
/** Statuses in which a phase has not begun to say anything. */
const BEFORE: Readonly<Record<'plan' | 'apply', ReadonlySet<string>>> = {
  plan: new Set(['pending', 'plan_queued']),
  apply: new Set(['planned', 'confirmed', 'apply_queued']),
};

/** How a run that is followed ends the command. */
export interface FollowTerms {
  readonly apply: boolean;
  readonly autoApprove: boolean;
  readonly detailedExitcode: boolean;
  readonly noWait: boolean;
}

/** A run whose logs are shown as they are written, and which is confirmed by whoever follows it. */
export class FollowedRun {
  readonly #house: HouseClient;
  readonly #terminal: Terminal;
  readonly #id: string;
  readonly #stopped: AbortSignal;

  constructor(options: { connection: Connection; terminal: Terminal; id: string; stopped: AbortSignal }) {
    // It goes on when the command is stopped, so that the run can be told.
    this.#house = new HouseClient(options.connection, new AbortController().signal);
    this.#terminal = options.terminal;
    this.#id = options.id;
    this.#stopped = options.stopped;
  }

  /** Shows it to its end; once the command is stopped, has it end. @returns the exit code */
  async follow(terms: FollowTerms): Promise<number> {
    try {
      return await this.#follow(terms);
    } catch (fault) {
      if (!this.#stopped.aborted) throw fault;
      await this.#cancel();
      throw new Failure(`stopped: the run ${this.#id} was told to end`, {
        next: `statehouse run logs ${this.#id} shows how it went.`,
      });
    }
  }

  /** Waits for the end of a run that only plans, and shows nothing of it. */
  async planned(): Promise<RunShape> {
    let run = await this.#find();
    while (!isOver(run) && (await this.#pause())) run = await this.#find();
    return run;
  }

  async #follow(terms: FollowTerms): Promise<number> {
    let run = await this.#show('plan');
    if (!terms.apply || isOver(run)) return this.end(run, terms);
    if (!terms.autoApprove) {
      const isWanted = await this.#terminal.confirm('Apply this plan?', '--auto-approve');
      await this.#act(isWanted ? 'confirm' : 'discard');
      if (!isWanted) return this.end(await this.#find(), terms);
    }
    run = await this.#show('apply');
    return this.end(run, terms);
  }

  /** Tells how it stands. @returns the exit code */
  end({ id, status, kind, hasChanges }: RunShape, { noWait, detailedExitcode }: FollowTerms): number {
    if (this.#terminal.json) this.#terminal.result({ run: id, status, hasChanges });
    else if (noWait) this.#terminal.say(id);
    else this.#terminal.note(`Run ${id} is ${status}.`);
    if (noWait) return DONE;
    if (!GOOD_ENDS.has(status)) return FAILED;
    return detailedExitcode && kind === 'plan' && hasChanges ? HAS_CHANGES : DONE;
  }

  /** Has it end, where that is possible still. */
  async #cancel(): Promise<void> {
    const { status } = await this.#find();
    if (!isOver({ status })) await this.#act(status === 'planned' ? 'discard' : 'cancel');
  }

  /** Shows what a phase says, once it has begun. @returns the run once that has ended */
  async #show(phase: 'plan' | 'apply'): Promise<RunShape> {
    let run = await this.#find();
    while (BEFORE[phase].has(run.status)) {
      await this.#pause();
      run = await this.#find();
    }
    const isDue =
      phase === 'plan' || run.status === 'applying' || run.status === 'applied' || run.status === 'errored';
    if (!isDue) return run;
    const log = runLog(this.#house, { run: this.#id, phase }, { follow: true, stopped: this.#stopped });
    for await (const piece of log) {
      const lines = piece.replace(/\n$/, '').split('\n');
      // Under --json the result is the document alone.
      if (this.#terminal.json) for (const line of lines) this.#terminal.note(line);
      else this.#terminal.say(lines);
    }
    this.#stopped.throwIfAborted();
    do run = await this.#find();
    while (ENDING[phase] === run.status && (await this.#pause()));
    return run;
  }

  async #act(action: 'confirm' | 'discard' | 'cancel'): Promise<void> {
    await this.#house.ask('act-on-run', { path: { id: this.#id }, body: { action } });
  }

  #find(): Promise<RunShape> {
    return this.#house.ask('show-run', { path: { id: this.#id } });
  }

  /** @returns true; throws once the command was stopped */
  async #pause(): Promise<boolean> {
    await sleep(ASK_MS, undefined, { signal: this.#stopped });
    return true;
  }
}

/** What a run is while a phase is at work: its log may end a little before. */
const ENDING = { plan: 'planning', apply: 'applying' } as const;

function isOver({ status }: Pick<RunShape, 'status'>): boolean {
  return GOOD_ENDS.has(status) || BAD_ENDS.has(status);
}
