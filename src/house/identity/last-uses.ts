import { z } from 'zod';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Origin } from '../../core/origin.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { LAST_USE_KIND } from '../records/kinds.ts';
import type { Records } from '../records/records.ts';

/** When and where somebody last came with a credential. */
export interface LastUse {
  readonly at: Instant;
  readonly door: string;
  /** The network address; null where none is known. */
  readonly peer: string | null;
}

/** The last use of each credential, under its id. */
export const LAST_USES: RecordDefinition<LastUse> = defineRecords<LastUse>(
  LAST_USE_KIND,
  z.object({ at: z.number(), door: z.string(), peer: z.string().nullable() }),
);

/** A use is stored with the others of so long: nobody waits for it, and a busy credential costs no more than a quiet one. */
const GATHER: Milliseconds = 60_000;
const EXACT: Milliseconds = 1_000;

/** Remembers when each credential was last used: on this node at once, on others and after a restart within a minute. */
export class LastUses {
  readonly #records: Records<LastUse>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #gathered = new Map<string, LastUse>();
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(options: { records: Records<LastUse>; clock: Clock; log: Log }) {
    this.#records = options.records;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Notes that somebody came with a credential. @param source read only where it is a second or more since the last time */
  note(credential: string, source: { readonly door: string; readonly origin: Origin }): void {
    const at = this.#clock.now();
    if (at - (this.#gathered.get(credential)?.at ?? -Infinity) < EXACT) return;
    this.#gathered.set(credential, { at, door: source.door, peer: source.origin.peer ?? null });
    if (this.#closed) return;
    this.#cancel ??= this.#clock.after(GATHER, () => {
      this.#cancel = null;
      void this.#store();
    });
  }

  /** The last use of every credential that was ever used. */
  async all(): Promise<ReadonlyMap<string, LastUse>> {
    const stored = (await this.#records.list()).map(({ name, record }) => [name, record] as const);
    return new Map([...stored, ...this.#gathered]);
  }

  /** Forgets those of credentials that are not kept any more. */
  async prune(kept: ReadonlySet<string>): Promise<void> {
    const gone = (await this.#records.list()).map(({ name }) => name).filter((name) => !kept.has(name));
    if (gone.length > 0) await this.#records.drop(null, ...gone);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#store();
  }

  async #store(): Promise<void> {
    const uses = [...this.#gathered];
    this.#gathered.clear();
    try {
      await this.#records.putAll(uses.map(([name, record]) => ({ name, record })));
    } catch (fault) {
      this.#log.warn('the last uses of credentials could not be stored', { fault: String(fault) });
    }
  }
}
