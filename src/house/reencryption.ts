import { setImmediate } from 'node:timers/promises';
import type { SealedBody } from '../core/command.ts';
import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import { EngineFault, type Engine, type Entry } from '../ports/engine.ts';
import type { ReplacedBody } from '../ports/sealed-anew.ts';
import type { Log } from '../ports/log.ts';
import { SealError, type Sealer } from '../ports/sealer.ts';
import type { Budget, Payer } from './budget.ts';
import { REFUSED_WRITE_KIND, UPLOAD_KIND, pieceKindOf } from './records/kinds.ts';
import { resealFacts } from './states/body-facts.ts';
import { openSegments } from './states/segments.ts';

/** Bodies that are looked at in one go. */
const PAGE = 500;
/** Bodies that are stored in one transaction: so many, or so many bytes. */
const BATCH_BODIES = 32;
const BATCH_BYTES = 4 * 1_024 * 1_024;

/** What was done of it, and what is left. */
export interface Reencrypted {
  /** Bodies under new data keys. */
  readonly done: number;
  /** Bodies that could not be opened, and were left as they are. */
  readonly damaged: number;
  /** What to go on after; null once all were looked at. */
  readonly next: string | null;
  /** How many are left after this, counted where it begins at the beginning; else null. */
  readonly left: number | null;
}

/**
 * Encrypts bodies anew whose data keys were made under a former master key: whoever had that key could know these. Only one
 * body at a time is held, each is put in the place of its former self if nothing else has done so, and whatever reads one
 * meanwhile goes on in the new one. A refused write and a piece of an upload have facts that are sealed with the body, so the
 * record is put anew with it.
 */
export class Reencryption {
  readonly #engine: Engine;
  readonly #sealer: Sealer;
  readonly #inFlight: Budget;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(options: { engine: Engine; sealer: Sealer; inFlight: Budget; clock: Clock; log: Log }) {
    this.#engine = options.engine;
    this.#sealer = options.sealer;
    this.#inFlight = options.inFlight;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Goes on for some time.
   * @param payer who holds the memory that it takes
   * @param after where the last time ended; null to begin
   * @throws {EngineFault} busy, when there is no memory for a body
   */
  async run(payer: Payer, after: string | null, time: Milliseconds): Promise<Reencrypted> {
    const beside = await this.#besideBodies();
    const total = after === null ? await this.#count() : null;
    const until = this.#clock.now() + time;
    let [done, damaged, place] = [0, 0, after];
    for (;;) {
      const page = await this.#engine.bodies(place, PAGE);
      const batch = new Batch(this.#engine, this.#inFlight, payer);
      try {
        for (const { id, place: here, madeUnder } of page) {
          if (madeUnder !== this.#sealer.keyId) {
            const isWhole = await this.#encryptAnew(id, batch, beside.get(id) ?? null);
            if (isWhole) done += 1;
            else damaged += 1;
          }
          place = here;
          if (this.#clock.now() < until) continue;
          await batch.store();
          return { done, damaged, next: place, left: total === null ? null : total - done - damaged };
        }
        await batch.store();
      } finally {
        batch.release();
      }
      if (page.length < PAGE) return { done, damaged, next: null, left: total === null ? null : 0 };
      await setImmediate();
    }
  }

  /** @returns whether it could be opened; one that has gone meanwhile needs nothing */
  async #encryptAnew(id: string, batch: Batch, record: Entry | null): Promise<boolean> {
    const stored = await this.#engine.body(id);
    if (stored === null) return true;
    const dataKey = this.#sealer.newDataKey(id);
    const segments: Uint8Array[] = [];
    try {
      let waiting: Uint8Array | null = null;
      for await (const plain of openSegments(stored, this.#sealer)) {
        batch.take(plain.length);
        if (waiting !== null) segments.push(dataKey.sealSegment(waiting, segments.length, false));
        waiting = plain;
      }
      if (waiting !== null) segments.push(dataKey.sealSegment(waiting, segments.length, true));
    } catch (fault) {
      if (!(fault instanceof SealError)) throw fault;
      this.#log.error('a body could not be encrypted anew', { body: id, fault: fault.message });
      return false;
    }
    const keyId = this.#sealer.keyIdOf(dataKey.wrappedKey);
    const body: SealedBody = { id, keyId, wrappedKey: dataKey.wrappedKey, segments };
    if (record === null) {
      await batch.add({ body, replaces: stored.wrappedKey });
      return true;
    }
    const { attributes } = record;
    const entry = { ...record, attributes: resealFacts(this.#sealer, stored, body, attributes) };
    // One that was dropped meanwhile is not put again.
    await this.#engine.apply([{ type: 'put-entry', entry, body, expects: attributes, note: null }]);
    return true;
  }

  async #count(): Promise<number> {
    let [count, place] = [0, null as string | null];
    for (;;) {
      const page = await this.#engine.bodies(place, PAGE);
      count += page.filter(({ madeUnder }) => madeUnder !== this.#sealer.keyId).length;
      place = page.at(-1)?.place ?? null;
      if (page.length < PAGE) return count;
      await setImmediate();
    }
  }

  /** The records that have facts beside their bodies, by these. */
  async #besideBodies(): Promise<ReadonlyMap<string, Entry>> {
    const byBody = new Map<string, Entry>();
    const keep = (entry: Entry): void => {
      if (entry.bodyId !== undefined) byBody.set(entry.bodyId, entry);
    };
    const uploads: string[] = [];
    await this.#entriesOf(REFUSED_WRITE_KIND, keep);
    await this.#entriesOf(UPLOAD_KIND, ({ name }) => uploads.push(name));
    for (const upload of uploads) await this.#entriesOf(pieceKindOf(upload), keep);
    return byBody;
  }

  async #entriesOf(kind: string, each: (entry: Entry) => void): Promise<void> {
    for (let page = await this.#engine.entries(kind, { limit: PAGE }); ;) {
      for (const entry of page) each(entry);
      const after = page.at(-1);
      if (after === undefined || page.length < PAGE) return;
      page = await this.#engine.entries(kind, { after, limit: PAGE });
      await setImmediate();
    }
  }
}

/** Bodies that wait to be stored together, and the memory that they hold. */
class Batch {
  readonly #engine: Engine;
  readonly #inFlight: Budget;
  readonly #payer: Payer;
  #held: ReturnType<Budget['begin']>;
  #bodies: ReplacedBody[] = [];
  #bytes = 0;

  constructor(engine: Engine, inFlight: Budget, payer: Payer) {
    this.#engine = engine;
    this.#inFlight = inFlight;
    this.#payer = payer;
    this.#held = inFlight.begin(payer);
  }

  /** Takes memory for a body that is being made. @throws {EngineFault} busy, where there is none */
  take(bytes: number): void {
    if (this.#held.take(bytes)) return;
    throw new EngineFault('too many states are being written at once: try again later', { busy: true });
  }

  async add(replaced: ReplacedBody): Promise<void> {
    this.#bodies.push(replaced);
    this.#bytes += replaced.body.segments.reduce((sum, { length }) => sum + length, 0);
    if (this.#bodies.length >= BATCH_BODIES || this.#bytes >= BATCH_BYTES) await this.store();
  }

  async store(): Promise<void> {
    const bodies = this.#bodies;
    [this.#bodies, this.#bytes] = [[], 0];
    if (bodies.length > 0) await this.#engine.apply([{ type: 'replace-bodies', bodies }]);
    this.#held.release();
    this.#held = this.#inFlight.begin(this.#payer);
  }

  release(): void {
    this.#held.release();
  }
}
