import { formatAddress, isAddress, parseAddress, type Address } from '../core/address.ts';
import { excessOf, limitsOf, sumOf } from '../core/quota.ts';
import { isFinal } from '../core/runs/status.ts';
import type { House } from '../house/house.ts';
import type { Records } from '../house/records/records.ts';
import type { Log } from '../ports/log.ts';
import type { Configurations } from './configurations.ts';
import { CURRENT_CONFIGURATIONS, type CurrentConfiguration } from './records.ts';
import type { Run, RunBook } from './run-book.ts';

/** The configuration of each workspace that was applied last, so that a run may be made of it again. One of each is kept. */
export class CurrentConfigurations {
  readonly #house: House;
  readonly #book: Pick<RunBook, 'unfinished'>;
  readonly #configurations: Configurations;
  readonly #log: Log;
  readonly #records: Records<CurrentConfiguration>;

  constructor(options: {
    house: House;
    book: Pick<RunBook, 'unfinished'>;
    configurations: Configurations;
    log: Log;
  }) {
    this.#house = options.house;
    this.#book = options.book;
    this.#configurations = options.configurations;
    this.#log = options.log;
    this.#records = options.house.records(CURRENT_CONFIGURATIONS);
  }

  /** That of a workspace; null where no run has applied one. For who has been let in already. */
  async of(address: Address): Promise<CurrentConfiguration | null> {
    // A run that is over may not have been cleared up after yet: whoever has seen it end counts on what it applied.
    const name = formatAddress(address);
    for (const run of await this.#book.unfinished())
      if (isFinal(run) && formatAddress(run.address) === name) await this.keep(run);
    return this.#records.one(name);
  }

  /**
   * Keeps the configuration of a run that is over, if the state is what it says now. Of two runs the later one counts,
   * whichever is told of first. What would be more than the project may keep is not kept, and nothing older in its place.
   */
  async keep(run: Run): Promise<void> {
    const at = appliedAt(run);
    if (at === null) return;
    const configuration = await this.#configurations.find(run.configuration);
    if (configuration === null || configuration.size === null) return;
    const name = formatAddress(run.address);
    const fits = await this.#fits(run.address, configuration.size);
    if (!fits)
      this.#log.warn('the configuration of a run is not kept: its project is above its quota', {
        run: run.id,
      });
    const { size } = configuration;
    const { id, program, version, directory, workspaceName } = run;
    await this.#records.update(null, name, (before) => {
      if (before !== null && before.at >= at) return before;
      return fits
        ? { configuration: run.configuration, size, run: id, at, program, version, directory, workspaceName }
        : null;
    });
  }

  /** The configurations that are kept, of workspaces that are still there. Those of others are forgotten. */
  async kept(): Promise<ReadonlySet<string>> {
    const kept = new Set<string>();
    for await (const page of this.#records.pages())
      for (const { name, record } of page) {
        const address = parseAddress(name);
        if (isAddress(address) && (await this.#house.workspaces.kept.isThere(address)))
          kept.add(record.configuration);
        else await this.#records.drop(null, name);
      }
    return kept;
  }

  /** Forgets that of a workspace. */
  async drop(address: Address): Promise<void> {
    await this.#records.drop(null, formatAddress(address));
  }

  async #fits(address: Address, size: number): Promise<boolean> {
    const { project } = address;
    const limits = limitsOf(await this.#house.projects.quotasOf(project));
    if (limits.bytes === undefined) return true;
    const own = formatAddress(address);
    let others = 0;
    for await (const page of this.#records.pages())
      for (const { name, record } of page)
        if (name !== own && name.startsWith(`${project}/`)) others += record.size;
    const usage = sumOf(await this.#house.projects.usageOf(project), {
      states: 0,
      versions: 0,
      bytes: others,
    });
    return excessOf(usage, { states: 0, versions: 0, bytes: size }, limits, { overdraft: false }) === null;
  }
}

/** When a run has made the state what its configuration says; null for one that has not. */
function appliedAt({ kind, status, task, times }: Run): number | null {
  // Bringing the state up to date with what is there applies nothing of the configuration.
  if (kind === 'plan' || task.refreshOnly) return null;
  if (status === 'applied') return times.applied ?? null;
  return status === 'planned_and_finished' ? (times.planned_and_finished ?? null) : null;
}
