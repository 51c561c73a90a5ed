import { formatAddress, isAddress, isSameAddress, parseAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import { isProblem } from '../../core/read-value.ts';
import { formatSchedule, nextDue, readSchedule } from '../../core/runs/schedule.ts';
import type { Caller, Shut } from '../../house/caller.ts';
import type { Watches } from '../../house/watched.ts';
import type { House } from '../../house/house.ts';
import type { Records } from '../../house/records/records.ts';
import type { Run } from '../run-book.ts';
import type { CreateAnswer } from '../runs.ts';
import { CHECK, DriftChecks, isCheckOver, type CheckOptions } from './checks.ts';
import { Findings } from './findings.ts';
import { DRIFT_SCHEDULES, type DriftedResource, type StoredDrift, type StoredSchedule } from './records.ts';
import type { RunBook } from '../run-book.ts';
import type { RecordBodies } from '../../house/records/bodies.ts';

/** Workspaces that have a schedule, of all and of one project. */
const SCHEDULES_MAX = 20_000;
const PROJECT_SCHEDULES_MAX: number = SCHEDULES_MAX / 2;

/** Who is refused, and who looks, is noted. */
export const WATCHED_DRIFT: Watches<Drift> = {
  setSchedule: { action: 'drift-schedule' },
  show: { action: 'read-drift', looks: true },
  list: { action: 'list-drift', looks: true },
  check: { action: 'run-create' },
};

/** What is known of a workspace's drift, without what has drifted. */
export interface DriftView {
  readonly address: Address;
  readonly record: StoredDrift | null;
}

/** The same with all that is known. */
export interface DriftDetail extends DriftView {
  readonly schedule: string | null;
  readonly dueAt: Instant | null;
  readonly resources: readonly DriftedResource[];
  /** Whether the state was written since. */
  readonly isOutdated: boolean;
}

/** Drift: what is there, beside what states say of it. */
export class Drift {
  readonly findings: Findings;
  readonly checks: DriftChecks;
  readonly #house: House;
  readonly #book: RunBook;
  readonly #schedules: Records<StoredSchedule>;
  readonly #createAgain: CheckOptions['createAgain'];

  constructor(
    options: Omit<CheckOptions, 'findings' | 'book'> & {
      book: RunBook;
      bodies: RecordBodies;
      checked: Findings['checked'];
    },
  ) {
    this.#house = options.house;
    this.#book = options.book;
    this.#schedules = options.house.records(DRIFT_SCHEDULES);
    this.#createAgain = options.createAgain;
    this.findings = new Findings(options);
    this.checks = new DriftChecks({ ...options, findings: this.findings });
  }

  /** Says when a workspace is looked at. It goes on whatever becomes of who said it: it is the workspace's own. @param text null for never */
  async setSchedule(
    caller: Caller,
    address: Address,
    text: string | null,
  ): Promise<
    | { readonly type: 'set'; readonly detail: DriftDetail }
    | { readonly type: 'invalid'; readonly problem: string }
    | { readonly type: 'absent' }
    | Shut
  > {
    const refusal = await this.#house.gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const name = formatAddress(address);
    const schedule = text === null ? null : readSchedule(text);
    if (schedule !== null && isProblem(schedule)) return { type: 'invalid', problem: schedule.problem };
    if (!(await this.#house.workspaces.kept.isThere(address))) return { type: 'absent' };
    if (schedule === null) await this.#schedules.drop(null, name);
    else {
      const problem = await this.#roomProblem(name, address);
      if (problem !== null) return { type: 'invalid', problem };
      const now = await this.#house.now();
      const dueAt = nextDue(schedule, name, now);
      const setBy = caller.identity.subject;
      await this.#schedules.update(null, name, (before) => ({
        schedule,
        setAt: now,
        setBy,
        dueAt,
        making: before?.making ?? null,
      }));
    }
    this.#house.audit.note(caller, 'drift-schedule', address, { schedule: text ?? 'never' });
    return { type: 'set', detail: await this.#detail(address) };
  }

  /** All that is known of a workspace's drift. */
  async show(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'shown'; readonly detail: DriftDetail } | Shut> {
    const refusal = await this.#house.gate.on(caller, 'read', address);
    return refusal ?? { type: 'shown', detail: await this.#detail(address) };
  }

  /** The workspaces that have drifted and that the caller may read, by address, some at a time. */
  async list(
    caller: Caller,
    { project, after, limit }: { project: string | null; after: Address | null; limit: number },
  ): Promise<
    { readonly type: 'page'; readonly states: readonly DriftView[]; readonly next: Address | null } | Shut
  > {
    const { gate } = this.#house;
    const refusal = project === null ? gate.known(caller.identity) : gate.inProject(caller, 'read', project);
    if (refusal !== null) return refusal;
    const states: DriftView[] = [];
    for await (const page of this.findings.pages(after === null ? '' : formatAddress(after)))
      for (const { name, record } of page) {
        const address = parseAddress(name);
        if (record.found?.drifted !== true || !isAddress(address)) continue;
        if (project !== null && address.project !== project) continue;
        if (!gate.shows(caller.identity, 'read', address)) continue;
        if (states.length === limit) return { type: 'page', states, next: states.at(-1)?.address ?? null };
        states.push({ address, record });
      }
    return { type: 'page', states, next: null };
  }

  /** Looks at a workspace now. */
  check(caller: Caller, address: Address): Promise<CreateAnswer> {
    return this.#createAgain(caller, address, CHECK);
  }

  /** Takes note of a run that is over. It may be told again. */
  async ended(run: Run): Promise<void> {
    if (isCheckOver(run)) {
      await this.findings.settle(run);
      this.checks.goOn();
    }
    // What has drifted may have been put back: it is looked at soon.
    if (run.status !== 'applied') return;
    const finding = await this.findings.of(run.address);
    if (finding?.found?.drifted !== true || finding.at > (run.times.applied ?? 0)) return;
    const now = await this.#house.now();
    await this.#schedules.update(null, formatAddress(run.address), (before) =>
      before === null || before.dueAt <= now ? before : { ...before, dueAt: now },
    );
  }

  async #detail(address: Address): Promise<DriftDetail> {
    // A check that is over may not have been taken note of yet: whoever has seen it end counts on what it found.
    for (const run of await this.#book.unfinished())
      if (isCheckOver(run) && isSameAddress(run.address, address)) await this.findings.settle(run);
    const finding = await this.findings.of(address);
    const scheduled = await this.#schedules.one(formatAddress(address));
    const version = finding?.found?.version;
    return {
      address,
      record: finding,
      resources: finding?.resources ?? [],
      schedule: scheduled === null ? null : formatSchedule(scheduled.schedule),
      dueAt: scheduled?.dueAt ?? null,
      isOutdated: version !== undefined && version !== (await this.#house.workspaces.kept.versionOf(address)),
    };
  }

  async #roomProblem(name: string, { project }: Address): Promise<string | null> {
    const others = (await this.#schedules.known()).filter((one) => one.name !== name);
    const own = others.filter((one) => one.name.startsWith(`${project}/`)).length;
    if (own < PROJECT_SCHEDULES_MAX && others.length < SCHEDULES_MAX) return null;
    return 'there are too many schedules of drift checks: end some';
  }
}
