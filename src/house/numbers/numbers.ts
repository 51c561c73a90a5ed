import { isAddress, parseAddress } from '../../core/address.ts';
import type { Identity } from '../../core/grant.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Usage } from '../../core/quota.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { ProjectView } from '../project-view.ts';
import type { Records } from '../records/records.ts';
import { activityOf, NO_COUNTS, refusalsIn, sumOfCounts, type Counts, type HourCounts } from './counts.ts';
import { hourIn, hourOf, type Tally } from './tally.ts';

/** How long hours are kept, and how many records at most: nodes that start often have more than one an hour. */
const KEPT: Milliseconds = 35 * 86_400_000;
const RECORDS_MAX = 5_000;
const BUSIEST_MAX = 20;
const PROJECTS_MAX = 200;

/** What happened in one hour. */
export interface HourTold {
  readonly at: Instant;
  readonly applies: number;
  readonly plans: number;
  readonly writes: number;
  readonly refused: number;
}

/** What happened in a stretch of time, and what is kept, as far as the caller may know. */
export interface NumbersTold {
  readonly type: 'numbers';
  readonly since: Instant;
  /** Those in which something happened. */
  readonly hours: readonly HourTold[];
  readonly total: Counts;
  readonly busiest: readonly { readonly name: string; readonly counts: Counts }[];
  readonly storage: readonly ({ readonly project: string } & Usage)[];
}

/** Tells how much happens. What happened to a state is told to who may read it; what is of no state, to who manages the house. */
export class Numbers {
  readonly #engine: Engine;
  readonly #records: Records<HourCounts>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #gate: Gate;
  readonly #tally: Tally;

  constructor(options: {
    engine: Engine;
    records: Records<HourCounts>;
    clock: Pick<Clock, 'now'>;
    gate: Gate;
    tally: Tally;
  }) {
    this.#engine = options.engine;
    this.#records = options.records;
    this.#clock = options.clock;
    this.#gate = options.gate;
    this.#tally = options.tally;
  }

  /** @param project null for all @param since of what is kept, which is some weeks */
  async tell(caller: Caller, project: string | null, since: Instant): Promise<NumbersTold | Shut> {
    const refusal = this.#gate.somewhere(caller, 'read');
    if (refusal !== null) return refusal;
    const isSeen = this.#sight(caller, project);
    const hours = new Map<Instant, Counts>();
    const states = new Map<string, Counts>();
    const present = this.#tally.present;
    const take = (name: string, { states: counted }: HourCounts): void => {
      for (const [state, counts] of Object.entries(counted)) {
        if (!isSeen(state)) continue;
        const at = hourIn(name);
        hours.set(at, sumOfCounts(hours.get(at) ?? NO_COUNTS, counts));
        if (state !== '') states.set(state, sumOfCounts(states.get(state) ?? NO_COUNTS, counts));
      }
    };
    for await (const page of this.#records.pages(hourOf(since)))
      for (const { name, record } of page) if (name !== present.name) take(name, record);
    take(present.name, present.record);
    return {
      type: 'numbers',
      since,
      hours: [...hours].toSorted(([a], [b]) => a - b).map(([at, counts]) => hourTold(at, counts)),
      total: [...hours.values()].reduce(sumOfCounts, NO_COUNTS),
      busiest: [...states]
        .map(([name, counts]) => ({ name, counts }))
        .toSorted((a, b) => activityOf(b.counts) - activityOf(a.counts))
        .slice(0, BUSIEST_MAX),
      storage: await this.#storage(caller, project),
    };
  }

  /** Forgets what is too old. */
  async prune(): Promise<void> {
    const names: string[] = [];
    for await (const page of this.#records.pages()) names.push(...page.map(({ name }) => name));
    const oldest = hourOf(this.#clock.now() - KEPT);
    const surplus = names.length - RECORDS_MAX;
    const old = names.filter((name, index) => name < oldest || index < surplus);
    if (old.length > 0) await this.#records.drop(null, ...old);
  }

  /** Whether the caller may be told of a state, by its name; each is looked at once. */
  #sight({ identity }: Caller, project: string | null): (name: string) => boolean {
    const known = new Map<string, boolean>();
    return (name) => {
      const before = known.get(name);
      if (before !== undefined) return before;
      const isSeen =
        name === '' ? project === null && this.#seesAll(identity) : this.#sees(identity, project, name);
      known.set(name, isSeen);
      return isSeen;
    };
  }

  #sees(identity: Identity, project: string | null, name: string): boolean {
    const address = parseAddress(name);
    if (!isAddress(address) || (project !== null && address.project !== project)) return false;
    return this.#gate.shows(identity, 'read', address);
  }

  #seesAll(identity: Identity): boolean {
    return this.#gate.rights(identity).onServer.includes('manage');
  }

  /** What projects keep whose names the caller's grants have in them, or that it manages. */
  async #storage(caller: Caller, only: string | null): Promise<NumbersTold['storage']> {
    const view = new ProjectView(this.#engine, this.#gate, caller);
    const projects = new Set(view.named);
    for await (const { address } of view.projects()) {
      if (projects.size >= PROJECTS_MAX) break;
      projects.add(address.project);
    }
    const storage: ({ project: string } & Usage)[] = [];
    for (const project of projects) {
      if ((only !== null && project !== only) || !view.knows(project, null)) continue;
      const usage = await this.#engine.usage(project);
      if (usage.versions > 0) storage.push({ project, ...usage });
    }
    return storage.toSorted((a, b) => b.bytes - a.bytes);
  }
}

function hourTold(at: Instant, counts: Counts): HourTold {
  const { applies, plans, writes } = counts;
  return { at, applies, plans, writes, refused: refusalsIn(counts) };
}
