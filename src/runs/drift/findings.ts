import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { House } from '../../house/house.ts';
import type { RecordBodies } from '../../house/records/bodies.ts';
import type { Records } from '../../house/records/records.ts';
import type { WebhookEvent } from '../../house/webhooks/records.ts';
import { eventOfCheck } from '../notifications/events.ts';
import type { Run, RunBook } from '../run-book.ts';
import { digestOfDrift, driftIn } from './drifted.ts';
import { DRIFTED, DRIFTS, type DriftedResource, type DriftFound, type StoredDrift } from './records.ts';

/** How old the number of drifted states may be that metrics tell. */
const COUNT_KEPT: Milliseconds = 60_000;

/** What is known of one workspace. */
export interface Finding extends StoredDrift {
  readonly resources: readonly DriftedResource[];
}

/** What checks have found, one finding a workspace. */
export class Findings {
  readonly #house: Pick<House, 'records' | 'now' | 'webhooks'>;
  readonly #book: Pick<RunBook, 'part'>;
  readonly #bodies: RecordBodies;
  readonly #records: Records<StoredDrift>;
  /** Told of what was found, and of what could not be looked at; the same again is told again. */
  readonly checked: (event: WebhookEvent) => void;
  #counted: { readonly at: Instant; readonly count: number } | null = null;

  constructor(options: {
    house: Pick<House, 'records' | 'now' | 'webhooks'>;
    book: Pick<RunBook, 'part'>;
    bodies: RecordBodies;
    checked: (event: WebhookEvent) => void;
  }) {
    this.checked = options.checked;
    this.#house = options.house;
    this.#book = options.book;
    this.#bodies = options.bodies;
    this.#records = options.house.records(DRIFTS);
  }

  /** What is known of a workspace; null where it was never looked at. */
  async of(address: Address): Promise<Finding | null> {
    const name = formatAddress(address);
    const record = await this.#records.one(name);
    return record === null ? null : { ...record, resources: await this.#resources(name) };
  }

  /** All that is known, by address, some at a time. @param from only what comes after this address */
  pages(from: string): ReturnType<Records<StoredDrift>['pages']> {
    return this.#records.pages(from);
  }

  /** How many workspaces have drifted, as far as is known. */
  async drifted(): Promise<number> {
    const now = await this.#house.now();
    if (this.#counted !== null && now - this.#counted.at < COUNT_KEPT) return this.#counted.count;
    let count = 0;
    for await (const page of this.#records.pages())
      count += page.filter(({ record }) => record.found?.drifted === true).length;
    this.#counted = { at: now, count };
    return count;
  }

  /** Takes note of a check that is over. The same one again changes nothing, and neither does an older one. */
  async settle(run: Run): Promise<void> {
    const name = formatAddress(run.address);
    const before = await this.#records.one(name);
    if (before !== null && (before.at > run.createdAt || before.run === run.id)) return;
    if (run.status !== 'planned_and_finished') {
      const problem = run.problem ?? `the check is ${run.status}: "statehouse run logs ${run.id}" says why`;
      await this.#fail(name, before, { run: run.id, at: run.createdAt, problem });
      return;
    }
    const json = run.hasChanges ? await this.#book.part(run.id, 'json') : null;
    const { resources, count } = json === null ? { resources: [], count: 0 } : driftIn(json);
    const found: DriftFound = {
      run: run.id,
      at: run.createdAt,
      version: run.plannedOn ?? 0,
      drifted: run.hasChanges,
      count,
      digest: digestOfDrift(resources),
    };
    // The same event told again is told once: who is stopped in between tells it again.
    await this.#tell(name, before?.found ?? null, found);
    const body = this.#bodies.seal(Buffer.from(JSON.stringify(resources)));
    await this.#records.put(null, name, { run: run.id, at: run.createdAt, problem: null, found }, body);
    this.#counted = null;
  }

  /** Takes note of a check that could not be made. */
  async failed(address: Address, problem: string): Promise<void> {
    const name = formatAddress(address);
    const at = await this.#house.now();
    await this.#fail(name, await this.#records.one(name), { run: null, at, problem });
  }

  async drop(name: string): Promise<void> {
    await this.#records.drop(null, name);
    this.#counted = null;
  }

  async #fail(
    name: string,
    before: StoredDrift | null,
    failed: { readonly run: string | null; readonly at: Instant; readonly problem: string },
  ): Promise<void> {
    const resources = await this.#resources(name);
    const body = this.#bodies.seal(Buffer.from(JSON.stringify(resources)));
    await this.#records.put(null, name, { ...failed, found: before?.found ?? null }, body);
    this.checked(eventOfCheck(name, { ...failed, resources: null }));
  }

  async #resources(name: string): Promise<readonly DriftedResource[]> {
    const bodyId = await this.#records.bodyOf(name);
    const bytes = bodyId === null ? null : await this.#bodies.read(bodyId);
    return bytes === null ? [] : DRIFTED.parse(JSON.parse(Buffer.from(bytes).toString()));
  }

  async #tell(
    name: string,
    before: DriftFound | null,
    { run, at, drifted, count, digest }: DriftFound,
  ): Promise<void> {
    const facts = { run, resources: count };
    if (drifted && !(before?.drifted === true && before.digest === digest)) {
      const what = count === 0 ? 'its outputs are' : `${count} of its resources are`;
      const message = `The state ${name} has drifted: ${what} not as it says. "statehouse drift show ${name}" tells more.`;
      const event = {
        id: `drift-found ${run}`,
        type: 'drift-found',
        at,
        address: name,
        message,
        facts,
      } as const;
      await this.#house.webhooks.tell(event, 'house:drift');
      this.checked(eventOfCheck(name, { run, at, resources: count }));
    }
    if (drifted || before?.drifted !== true) return;
    const message = `The state ${name} is again as what is there: its drift is gone.`;
    const event = { id: `drift-gone ${run}`, type: 'drift-gone', at, address: name, message, facts } as const;
    await this.#house.webhooks.tell(event, 'house:drift');
  }
}
