import { formatAddress, isAddress, parseAddress, workspaceText, type Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import { nextDue } from '../../core/runs/schedule.ts';
import { isFinal, needsLock } from '../../core/runs/status.ts';
import { subjectOf } from '../../core/subject.ts';
import type { Caller } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { Records } from '../../house/records/records.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import { newResourceId } from '../ids.ts';
import type { Run, RunBook } from '../run-book.ts';
import type { CreateAnswer } from '../runs.ts';
import type { AgainWanted } from '../wanted.ts';
import type { Findings } from './findings.ts';
import { DRIFT_SCHEDULES, type StoredSchedule } from './records.ts';

/** How often it is looked for checks that are due. */
const LOOK: Milliseconds = 60_000;
/** Checks that are under way at a time, of all nodes together and of one project: a project whose agents are gone stops no other. */
const AT_ONCE = 8;
const AT_ONCE_OF_PROJECT = 4;
/** For how long a check is put off where the workspace is in use or frozen. */
const PUT_OFF: Milliseconds = 600_000;
/** After so long a check that has not ended is ended, and one that was not made is made again. */
const CHECK_MAX: Milliseconds = 3_600_000;
const UNMADE: Milliseconds = 120_000;

/** What a check plans: what there is, compared with the state. */
export const CHECK: AgainWanted = {
  planOnly: true,
  refresh: true,
  refreshOnly: true,
  destroy: false,
  targets: [],
  replaces: [],
  generatesConfiguration: false,
  autoApply: false,
  message: 'drift check',
  variables: [],
  program: null,
  version: null,
  cause: 'drift-check',
};

const DRIFT_SUBJECT = subjectOf('house', 'drift');

export interface CheckOptions {
  readonly house: House;
  readonly book: RunBook;
  readonly findings: Findings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Makes a run of what was applied last. */
  readonly createAgain: (
    caller: Caller,
    address: Address,
    wanted: AgainWanted,
    id?: string,
  ) => Promise<CreateAnswer>;
}

/** Makes the checks that are due, each by one node alone, a few at a time. */
export class DriftChecks {
  readonly #options: CheckOptions;
  readonly #schedules: Records<StoredSchedule>;
  #due: readonly string[] = [];
  #isClosed = false;
  #cancel: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CheckOptions) {
    this.#options = options;
    this.#schedules = options.house.records(DRIFT_SCHEDULES);
  }

  start(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(LOOK, () => {
      this.look()
        .catch((fault: unknown) => this.#warn(fault))
        .finally(() => this.start());
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#running.catch(() => undefined);
  }

  /** Looks for what is due, and begins it as far as there is room. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      this.#due = await this.#find();
      await this.#begin();
    });
  }

  /** There is room for another check. */
  goOn(): void {
    if (this.#due.length > 0) this.#inTurn(() => this.#begin()).catch((fault: unknown) => this.#warn(fault));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#running = this.#running.catch(() => undefined).then(() => (this.#isClosed ? undefined : work()));
    return this.#running;
  }

  /** What is due, the longest first. */
  async #find(): Promise<readonly string[]> {
    const { house, book } = this.#options;
    const now = await house.now();
    const due: { readonly name: string; readonly dueAt: Instant }[] = [];
    for await (const page of this.#schedules.pages())
      for (const { name, record } of page) {
        const { making, dueAt } = record;
        // Whoever was about to make it may have been killed just then.
        const isUnmade =
          making !== null && now - making.at > UNMADE && (await book.find(making.run)) === null;
        if (isUnmade) await this.#schedules.update(null, name, (before) => unmade(before, making.run, now));
        if (isUnmade || dueAt <= now) due.push({ name, dueAt });
      }
    return due.toSorted((a, b) => a.dueAt - b.dueAt).map(({ name }) => name);
  }

  async #begin(): Promise<void> {
    const { house, book } = this.#options;
    const now = await house.now();
    const open = await book.open();
    const checks = open.filter(({ cause }) => cause === 'drift-check');
    for (const { id, createdAt } of checks)
      if (now - createdAt > CHECK_MAX)
        await book.happen(
          id,
          { type: 'cancel', by: DRIFT_SUBJECT, at: now },
          { problem: 'the check took too long' },
        );
    const projects = checks.map(({ address }) => address.project);
    const left: string[] = [];
    for (const [at, name] of this.#due.entries()) {
      if (this.#isClosed || projects.length >= AT_ONCE) {
        left.push(...this.#due.slice(at));
        break;
      }
      const address = parseAddress(name);
      if (!isAddress(address)) continue;
      const { project } = address;
      if (projects.filter((other) => other === project).length >= AT_ONCE_OF_PROJECT) left.push(name);
      else if (await this.#make(name, address, open)) projects.push(project);
    }
    this.#due = left;
  }

  /** @returns whether a check was begun */
  async #make(name: string, address: Address, open: readonly Run[]): Promise<boolean> {
    const { house, entropy, findings, createAgain } = this.#options;
    const now = await house.now();
    if (!(await house.workspaces.kept.isThere(address))) {
      await this.#schedules.drop(null, name);
      await findings.drop(name);
      return false;
    }
    const isBusy = await this.#isBusy(address, open);
    const run = newResourceId('run', entropy);
    const after = await this.#schedules.update(null, name, (before) => {
      if (before === null || before.dueAt > now) return before;
      if (isBusy) return { ...before, dueAt: now + PUT_OFF };
      // Another node does not find it due any more.
      return { ...before, dueAt: nextDue(before.schedule, name, now), making: { run, at: now } };
    });
    if (after?.making?.run !== run) return false;
    const made = await createAgain(callerFor(address), address, CHECK, run);
    if (made.type === 'created') return true;
    await this.#schedules.update(null, name, (before) =>
      before === null ? null : { ...before, making: null },
    );
    await findings.failed(
      address,
      made.type === 'invalid' ? made.problem : `it could not be made: ${made.type}`,
    );
    return false;
  }

  /** Whether somebody works on a workspace, or nobody may. */
  async #isBusy(address: Address, open: readonly Run[]): Promise<boolean> {
    const { house } = this.#options;
    const name = formatAddress(address);
    if (
      open.some(
        (run) => formatAddress(run.address) === name && (needsLock(run) || run.cause === 'drift-check'),
      )
    )
      return true;
    if ((await house.freezes.stops(address, '')) !== null) return true;
    const shown = await house.locks.show(callerFor(address), address);
    return shown.type === 'shown' && shown.lock.holders.length > 0;
  }

  #warn(fault: unknown): void {
    this.#options.log.warn('drift could not be looked for; it is tried again', { fault: String(fault) });
  }
}

/** The house, where it looks at one workspace by itself: it reaches nothing else. */
function callerFor({ project, key, workspace }: Address): Caller {
  const pattern = `${project}/${key}@${workspaceText(workspace)}`;
  return { identity: { subject: DRIFT_SUBJECT, grants: [{ role: 'writer', pattern }] }, door: 'run' };
}

function unmade(before: StoredSchedule | null, run: string, now: Instant): StoredSchedule | null {
  return before?.making?.run === run ? { ...before, dueAt: now, making: null } : before;
}

/** Whether a run is a check that is over. */
export function isCheckOver(run: Run): boolean {
  return run.cause === 'drift-check' && isFinal(run);
}
