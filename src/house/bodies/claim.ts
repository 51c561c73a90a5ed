import { z } from 'zod';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { BodyStore } from '../../ports/body-store.ts';
import type { Clock } from '../../ports/clock.ts';
import { EngineFault } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { BODY_STORE_KIND } from '../records/kinds.ts';
import type { Records } from '../records/records.ts';

/** What the database knows of the store that its large bodies are in. */
export interface BodyStoreState {
  /** What stands in the store's mark, or shall. It changes again and again, so that a copy of the database soon has a former one. */
  readonly token: string;
  /** What stood there before: between two writes either may be there. */
  readonly former: string | null;
  /** Whether the mark was ever put. */
  readonly marked: boolean;
  /** Which node looks after the store, and until when it does unless it says so again. */
  readonly node: string;
  readonly until: Instant;
  /** When all objects were last looked at, by the engine's clock; null for never. */
  readonly sweptAt: Instant | null;
}

export const BODY_STORE: RecordDefinition<BodyStoreState> = defineRecords<BodyStoreState>(
  BODY_STORE_KIND,
  z.object({
    token: z.string(),
    former: z.string().nullable(),
    marked: z.boolean(),
    node: z.string(),
    until: z.number(),
    sweptAt: z.number().nullable(),
  }),
);
export const BODY_STORE_RECORD = 'state';

/** The object by which a server knows its store again. It begins like no body's. */
const MARK = 'statehouse-mark';
const MARK_BYTES_MAX = 100;
/** How long a look at the mark is good for. */
const GOOD_FOR: Milliseconds = 10 * 60_000;
/** How often the database and the store are read again where they differ, because another node may have changed both meanwhile. */
const TRIES = 3;

/**
 * Says whether a store of bodies belongs to this server: an object in it has a token that the database has, too. Two servers at one
 * place would delete each other's bodies, because neither database names those of the other; and so would a copy of a database.
 */
export class BodyStoreClaim {
  readonly #store: BodyStore;
  readonly #records: Records<BodyStoreState>;
  readonly #clock: Clock;
  readonly #entropy: Pick<Entropy, 'uuid'>;
  #goodUntil: Instant = -Infinity;
  #takesOver: boolean;
  #looking: Promise<void> | null = null;

  /** @param options.takesOver whether it takes the store, whosever it was, when it first looks */
  constructor(options: {
    store: BodyStore;
    records: Records<BodyStoreState>;
    clock: Clock;
    entropy: Pick<Entropy, 'uuid'>;
    takesOver: boolean;
  }) {
    this.#store = options.store;
    this.#records = options.records;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#takesOver = options.takesOver;
  }

  /** @throws {EngineFault} unless the store is this server's, as it was known within ten minutes */
  async require(): Promise<void> {
    if (this.#clock.now() < this.#goodUntil) return;
    await this.look();
  }

  /** The same, as it is now. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  /** Puts another token into the mark, so that a copy of the database is no longer taken for this one. */
  async renew(): Promise<void> {
    await this.look();
    const token = this.#entropy.uuid();
    const stored = await this.#records.update(null, BODY_STORE_RECORD, (before) =>
      before === null ? null : { ...before, token, former: before.token },
    );
    if (stored !== null) await this.#mark(stored.token);
  }

  async #look(): Promise<void> {
    this.#goodUntil = -Infinity;
    for (let tries = 1; ; tries += 1) {
      if (this.#takesOver) await this.#takeOver();
      const known = await this.#known();
      if (!known.marked) await this.#firstMark(known.token);
      const found = await this.#read();
      if (found !== null && (found === known.token || found === known.former)) break;
      if (tries === TRIES) throw new EngineFault(problemOf(this.#store.place, found));
    }
    this.#goodUntil = this.#clock.now() + GOOD_FOR;
  }

  async #known(): Promise<BodyStoreState> {
    const unkept = { node: '', until: 0, sweptAt: null };
    const token = this.#entropy.uuid();
    const first = { token, former: null, marked: false, ...unkept };
    const known = await this.#records.update(null, BODY_STORE_RECORD, (before) => before ?? first);
    return known ?? first;
  }

  /** Marks a store, whosever it was: with a new token, since the server that had it may know the present one. */
  async #takeOver(): Promise<void> {
    const state = await this.#known();
    const token = this.#entropy.uuid();
    await this.#mark(token);
    await this.#records.update(null, BODY_STORE_RECORD, () => ({
      ...state,
      marked: true,
      token,
      former: null,
    }));
    this.#takesOver = false;
  }

  /** Marks a store that has no mark yet. */
  async #firstMark(token: string): Promise<void> {
    if ((await this.#read()) === null) await this.#mark(token);
    if ((await this.#read()) !== token) return;
    await this.#records.update(null, BODY_STORE_RECORD, (before) =>
      before === null || before.token !== token ? before : { ...before, marked: true },
    );
  }

  async #mark(token: string): Promise<void> {
    await this.#store.put(MARK, [Buffer.from(token)]);
  }

  async #read(): Promise<string | null> {
    const bytes = await this.#store.get(MARK, 0, MARK_BYTES_MAX);
    return bytes === null ? null : Buffer.from(bytes).toString();
  }
}

function problemOf(place: string, found: string | null): string {
  const next =
    'Correct --bodies; or, if the other server will never run again, start once with --take-bodies.';
  return found === null
    ? `${place} does not have the mark that this server put there: it is another place, or was emptied. ${next}`
    : `${place} belongs to another server, or to the one that this database is a copy of. ${next}`;
}
