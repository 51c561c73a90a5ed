import { formatAddress, type Address } from '../core/address.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { decideRun, isFinal, type RunDecision, type RunEvent } from '../core/runs/status.ts';
import type { RecordBodies } from '../house/records/bodies.ts';
import type { Records } from '../house/records/records.ts';
import type { House } from '../house/house.ts';
import { OPEN_RUNS, type OpenRun, partsOf, RUNS, runsOf, type RunPart, type StoredRun } from './records.ts';

/** How long the making of a run may take. */
const UNMADE: Milliseconds = 60_000;

/** A run with its id. */
export interface Run extends StoredRun {
  readonly id: string;
}

/** What a change may set beside what the event does. */
export type RunPatch = Partial<Pick<StoredRun, 'job' | 'plannedOn' | 'counts' | 'problem'>>;

/** What came of an event, with the run as it is now. */
export type RunChange =
  | { readonly type: RunDecision['type']; readonly run: Run }
  | { readonly type: 'absent' };

/** All runs, as they are kept: each change is decided by the rules, and compared with what it was made of. */
export class RunBook {
  readonly #house: Pick<House, 'records' | 'now'>;
  readonly #bodies: RecordBodies;
  readonly #runs: Records<StoredRun>;
  readonly #open: Records<OpenRun>;
  readonly #listeners = new Set<(run: Run) => void>();

  constructor(house: Pick<House, 'records' | 'now'>, bodies: RecordBodies) {
    this.#house = house;
    this.#bodies = bodies;
    this.#runs = house.records(RUNS);
    this.#open = house.records(OPEN_RUNS);
  }

  /** Keeps a new run. What says that it is open comes first, so that no run is forgotten. */
  async add(run: Run): Promise<void> {
    const { id, ...stored } = run;
    await this.#open.put(null, id, { since: run.createdAt });
    await this.#house.records(runsOf(formatAddress(run.address))).put(null, id, { createdAt: run.createdAt });
    // One that was made under that id before is left as it is by now.
    await this.#runs.update(null, id, (before) => before ?? stored);
    this.#tell(run);
  }

  /** A run as it is now; null when there is none. */
  async find(id: string): Promise<Run | null> {
    const stored = await this.#runs.one(id);
    return stored === null ? null : { id, ...stored };
  }

  /**
   * Has something happen to a run.
   * @param only whether it may, of the run as it is then: by default always
   */
  async happen(
    id: string,
    event: RunEvent,
    patch: RunPatch = {},
    only: (run: StoredRun) => boolean = () => true,
  ): Promise<RunChange> {
    const at = await this.#house.now();
    let decision: RunDecision | null = null;
    const stored = await this.#runs.update(null, id, (before) => {
      decision =
        before === null
          ? null
          : only(before)
            ? decideRun(before, event)
            : { type: 'refused', status: before.status };
      if (before === null || decision?.type !== 'changed') return before;
      return afterChange({ ...before, ...patch }, { ...before, ...decision.run }, at);
    });
    if (stored === null || decision === null) return { type: 'absent' };
    const run = { id, ...stored };
    const { type } = decision as RunDecision;
    if (type === 'changed') this.#tell(run);
    return { type, run };
  }

  /**
   * The agent of a phase is at work.
   * @param secrets the digests of those that take the place of the agent's and of its programs'
   * @returns the run as it is now; null when that phase is not its any more
   */
  async agentSeen(
    id: string,
    digest: string,
    secrets: { readonly agent: string; readonly programs: string } | null = null,
  ): Promise<Run | null> {
    const at = await this.#house.now();
    let isIts = false;
    const stored = await this.#runs.update(null, id, (before) => {
      const { job = null } = before ?? {};
      isIts = job?.agent?.digest === digest;
      if (before === null || job?.agent === undefined || !isIts) return before;
      const agent = { ...job.agent, seenAt: at, digest: secrets?.agent ?? digest };
      return { ...before, job: { ...job, digest: secrets?.programs ?? job.digest, agent } };
    });
    return stored !== null && isIts ? { id, ...stored } : null;
  }

  /** Has another node look after a run, if nobody else was quicker. @returns the run; null if somebody was */
  async adopt({ id, node: from }: Run, node: string): Promise<Run | null> {
    let isMine = false;
    const stored = await this.#runs.update(null, id, (before) => {
      isMine = before !== null && before.node === from;
      return before !== null && isMine ? { ...before, node } : before;
    });
    return stored !== null && isMine ? { id, ...stored } : null;
  }

  /** The runs that are not over, those that others made among them. */
  async open(): Promise<readonly Run[]> {
    return (await this.unfinished()).filter((run) => !isFinal(run));
  }

  /** Those that are not over, and those that are, but were not cleared up after. */
  async unfinished(): Promise<readonly Run[]> {
    const now = await this.#house.now();
    const runs: Run[] = [];
    for await (const page of this.#open.pages()) {
      for (const { name, record } of page) {
        const run = await this.find(name);
        if (run !== null) runs.push(run);
        // Whoever was about to make it was killed, or is about to make it.
        else if (now - record.since > UNMADE) await this.#open.drop(null, name);
      }
    }
    return runs;
  }

  /** A run that is over was cleared up after: nobody needs to look after it any more. */
  async close(id: string): Promise<void> {
    await this.#open.drop(null, id);
  }

  /** The ids of a workspace's runs, newest first. */
  async idsOf(address: Address): Promise<readonly string[]> {
    const found: { id: string; createdAt: Instant }[] = [];
    for await (const page of this.#house.records(runsOf(formatAddress(address))).pages())
      found.push(...page.map(({ name, record }) => ({ id: name, createdAt: record.createdAt })));
    return found.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
  }

  /** Those that ended before a moment, and the configurations of all others. */
  async endedBefore(
    before: Instant,
  ): Promise<{ readonly ended: readonly Run[]; readonly configurations: ReadonlySet<string> }> {
    const ended: Run[] = [];
    const configurations = new Set<string>();
    for await (const page of this.#runs.pages())
      for (const { name, record } of page)
        if (isFinal(record) && (record.times[record.status] ?? record.createdAt) < before)
          ended.push({ id: name, ...record });
        else configurations.add(record.configuration);
    return { ended, configurations };
  }

  /** Keeps something beside a run, sealed. */
  async putPart(id: string, part: RunPart, bytes: Uint8Array): Promise<void> {
    await this.#house.records(partsOf(id)).put(null, part, { size: bytes.length }, this.#bodies.seal(bytes));
  }

  /** What was kept beside a run; null when nothing was. */
  async part(id: string, part: RunPart): Promise<Uint8Array | null> {
    const bodyId = await this.#house.records(partsOf(id)).bodyOf(part);
    return bodyId === null ? null : this.#bodies.read(bodyId);
  }

  /** Forgets a run and all that is kept beside it, but for its logs. */
  async drop({ id, address }: Run): Promise<void> {
    const parts = this.#house.records(partsOf(id));
    for await (const page of parts.pages()) await parts.drop(null, ...page.map(({ name }) => name));
    await this.#house.records(runsOf(formatAddress(address))).drop(null, id);
    await this.#runs.drop(null, id);
    await this.#open.drop(null, id);
  }

  /** Tells of every change that this node makes. @returns a function that ends it */
  listen(listener: (run: Run) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(run: Run): void {
    for (const listener of this.#listeners) listener(run);
  }
}

/** @param decided with what the rules changed */
function afterChange(patched: StoredRun, decided: StoredRun, at: Instant): StoredRun {
  const { kind, status, planEnd, applyEnd, hasChanges, asked } = decided;
  const times = status === patched.status ? patched.times : { ...patched.times, [status]: at };
  return { ...patched, kind, status, planEnd, applyEnd, hasChanges, asked, times };
}
