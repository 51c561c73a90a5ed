import type { Milliseconds } from '../core/instant.ts';
import type { RecordBodies } from '../house/records/bodies.ts';
import type { Records } from '../house/records/records.ts';
import type { House } from '../house/house.ts';
import type { Clock } from '../ports/clock.ts';
import { logOf, PHASES, type LogPiece, type Phase } from './records.ts';

/** A log begins and ends with these, as clients of HCP expect it. */
const [STX, ETX] = [0x02, 0x03];
/** Bytes of the log of one phase: what comes after them is counted and not kept. */
export const LOG_BYTES_MAX: number = 16 * 1_024 * 1_024;
/** A piece is stored when it has so many bytes, soon after a silence, or after a pause that grows with the log's age. */
const PIECE_BYTES: number = 64 * 1_024;
const SOON: Milliseconds = 50;
const PAUSE: Milliseconds = 1_000;
const PAUSE_MAX: Milliseconds = 10_000;
/** Logs that are held in memory because somebody reads them, in bytes. */
const READ_BYTES_MAX: number = 64 * 1_024 * 1_024;
/** A log that another node writes is read again after so long. */
const STALE: Milliseconds = 300;

/** A stretch of a log. */
export interface LogStretch {
  readonly bytes: Uint8Array;
  /** Whether the log ends with it. */
  readonly ended: boolean;
}

/** Writes the log of one phase. */
export interface LogWriter {
  /** Adds what a program said. What is above the limit is dropped, and said once. */
  write(bytes: Uint8Array | string): void;
  /** Stores what is not stored yet, with the mark of the end. It can be called twice. */
  end(): Promise<void>;
}

/** The logs of runs: byte streams that are read while they are written, kept sealed in pieces. */
export class RunLogs {
  readonly #house: Pick<House, 'records'>;
  readonly #bodies: RecordBodies;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #held = new Map<string, HeldLog>();
  readonly #adding = new Map<string, Promise<unknown>>();

  /** @param options.max bytes of one log */
  constructor(options: { house: Pick<House, 'records'>; bodies: RecordBodies; clock: Clock; max?: number }) {
    this.#house = options.house;
    this.#bodies = options.bodies;
    this.#clock = options.clock;
    this.#max = options.max ?? LOG_BYTES_MAX;
  }

  /** Begins the log of a phase. */
  begin(runId: string, phase: Phase): LogWriter {
    const log = new HeldLog(this.#max);
    const begunAt = this.#clock.now();
    this.#hold(keyOf(runId, phase), log, true);
    const pieces = this.#pieces(runId, phase);
    let stored = 0;
    let storedAt = -Infinity;
    let storing: Promise<void> = Promise.resolve();
    let cancel: (() => void) | null = null;
    const store = (): void => {
      cancel?.();
      cancel = null;
      const [from, to, last] = [stored, log.size, log.ended];
      if (from === to && !last) return;
      stored = to;
      storedAt = this.#clock.now();
      const bytes = log.slice(from, to);
      storing = storing.then(() =>
        pieces.put(null, nameOf(from), { offset: from, size: to - from, last }, this.#bodies.seal(bytes)),
      );
      // Told by the end of the log, which waits for it.
      storing.catch(() => undefined);
    };
    const soon = (): void => {
      if (log.size - stored >= PIECE_BYTES) store();
      const now = this.#clock.now();
      const pause = Math.min(PAUSE_MAX, Math.max(PAUSE, (now - begunAt) / 50));
      cancel ??= this.#clock.after(Math.max(SOON, storedAt + pause - now), store);
    };
    log.append(Uint8Array.of(STX));
    return {
      write: (bytes) => {
        if (log.ended) return;
        log.append(Buffer.from(bytes));
        soon();
      },
      end: async () => {
        if (!log.ended) {
          log.end();
          store();
        }
        await storing;
        this.#hold(keyOf(runId, phase), log, false);
      },
    };
  }

  /** Begins a log that a program elsewhere writes, unless it was begun. @returns its size */
  async open(runId: string, phase: Phase, words: string): Promise<number> {
    const { size } = await this.#load(runId, phase);
    return size > 0 ? size : this.add(runId, phase, { offset: 0, bytes: Buffer.from(`\u0002${words}`) });
  }

  /**
   * Adds a stretch that a program elsewhere has written, where that says that it stands: what is there already is not added
   * again, and neither is what would leave a gap.
   * @returns the size of the log then
   */
  async add(
    runId: string,
    phase: Phase,
    stretch: { readonly offset: number; readonly bytes: Uint8Array; readonly last?: boolean },
  ): Promise<number> {
    const key = keyOf(runId, phase);
    const adding = (this.#adding.get(key) ?? Promise.resolve()).then(() => this.#add(runId, phase, stretch));
    const settled = adding
      .catch(() => undefined)
      .finally(() => {
        if (this.#adding.get(key) === settled) this.#adding.delete(key);
      });
    this.#adding.set(key, settled);
    return adding;
  }

  async #add(
    runId: string,
    phase: Phase,
    { offset, bytes, last = false }: { offset: number; bytes: Uint8Array; last?: boolean },
  ): Promise<number> {
    let log = await this.#load(runId, phase);
    if (log.size < offset && !log.live) {
      log.readAt = -Infinity;
      log = await this.#load(runId, phase);
    }
    const from = log.size;
    if (log.ended || offset > from) return from;
    const room = Math.max(0, this.#max - from);
    const fresh = bytes.subarray(from - offset).subarray(0, room);
    const piece = last ? Buffer.concat([fresh, Uint8Array.of(ETX)]) : fresh;
    if (piece.length === 0) return from;
    const record = { offset: from, size: piece.length, last };
    await this.#pieces(runId, phase).put(null, nameOf(from), record, this.#bodies.seal(piece));
    log.adopt(piece, last);
    return log.size;
  }

  /** Ends a log whose writer is gone. */
  async close(runId: string, phase: Phase, words: string): Promise<void> {
    const log = await this.#load(runId, phase);
    if (log.ended) return;
    const from = log.size;
    if (from === 0) log.append(Uint8Array.of(STX));
    log.append(Buffer.from(words));
    log.end();
    const piece = { offset: from, size: log.size - from, last: true };
    const body = this.#bodies.seal(log.slice(from, log.size));
    await this.#pieces(runId, phase).put(null, nameOf(from), piece, body);
  }

  /**
   * A stretch of a log.
   * @param wait how long to wait for something where there is nothing yet
   * @param gone aborted when nobody waits for it any more
   */
  async read(
    runId: string,
    phase: Phase,
    at: { readonly offset: number; readonly limit: number },
    { wait = 0, gone }: { wait?: Milliseconds; gone?: AbortSignal } = {},
  ): Promise<LogStretch> {
    const until = this.#clock.now() + wait;
    for (;;) {
      const log = await this.#load(runId, phase);
      const left = until - this.#clock.now();
      if (log.size > at.offset || log.ended || left <= 0 || gone?.aborted === true) {
        const bytes = log.slice(at.offset, at.offset + at.limit);
        return { bytes, ended: log.ended && at.offset + bytes.length >= log.size };
      }
      await log.grown(log.live ? left : Math.min(left, STALE), this.#clock, gone);
    }
  }

  /** Forgets the logs of a run. */
  async drop(runId: string): Promise<void> {
    for (const phase of PHASES) {
      this.#held.delete(keyOf(runId, phase));
      const pieces = this.#pieces(runId, phase);
      for await (const page of pieces.pages()) await pieces.drop(null, ...page.map(({ name }) => name));
    }
  }

  /** What is known of a log, with what was stored since it was looked at. */
  async #load(runId: string, phase: Phase): Promise<HeldLog> {
    const key = keyOf(runId, phase);
    const held = this.#held.get(key);
    const now = this.#clock.now();
    if (held !== undefined && (held.live || held.ended || now - held.readAt < STALE)) {
      this.#hold(key, held, held.live);
      return held;
    }
    const log = held ?? new HeldLog(this.#max);
    log.readAt = now;
    const found: { record: LogPiece; bodyId: string | null }[] = [];
    for await (const page of this.#pieces(runId, phase).pages()) found.push(...page);
    for (const { record, bodyId } of found) {
      if (record.offset !== log.size || log.ended) continue;
      const bytes = bodyId === null ? null : await this.#bodies.read(bodyId);
      if (bytes === null) break;
      log.adopt(bytes, record.last);
    }
    this.#hold(key, log, false);
    return log;
  }

  /** Holds a log in memory as the one that was used last, and lets go of those that were not used for long. */
  #hold(key: string, log: HeldLog, live: boolean): void {
    log.live = live;
    this.#held.delete(key);
    this.#held.set(key, log);
    let bytes = [...this.#held.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [other, { size, live: busy }] of this.#held) {
      if (bytes <= READ_BYTES_MAX) return;
      if (busy || other === key) continue;
      this.#held.delete(other);
      bytes -= size;
    }
  }

  #pieces(runId: string, phase: Phase): Records<LogPiece> {
    return this.#house.records(logOf(runId, phase));
  }
}

/** A log in memory. */
class HeldLog {
  /** Written by this node, so that nothing of it is missing here. */
  live = false;
  readAt = -Infinity;
  readonly #max: number;
  /** Twice as large whenever it is full. */
  #bytes: Uint8Array = new Uint8Array(PIECE_BYTES);
  #size = 0;
  #ended = false;
  #isFull = false;
  #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  get ended(): boolean {
    return this.#ended;
  }

  append(bytes: Uint8Array): void {
    if (this.#isFull) return;
    const room = this.#max - this.#size;
    this.#push(bytes.subarray(0, room));
    if (bytes.length <= room) return;
    this.#isFull = true;
    this.#push(Buffer.from(`\nThe log is longer than ${this.#max} bytes: the rest is not kept.\n`));
  }

  end(): void {
    this.#push(Uint8Array.of(ETX));
    this.#ended = true;
    this.#wake();
  }

  /** Takes a piece as it was stored. */
  adopt(bytes: Uint8Array, last: boolean): void {
    this.#push(bytes);
    this.#ended = last;
  }

  slice(from: number, to: number): Uint8Array {
    return this.#bytes.slice(from, Math.min(to, this.#size));
  }

  /** Resolves when more has come, or after a while. */
  async grown(most: Milliseconds, clock: Clock, gone?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        gone?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.after(most, done);
      this.#waiting.add(done);
      gone?.addEventListener('abort', done);
    });
  }

  #push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const size = this.#size + bytes.length;
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#size);
    this.#size = size;
    this.#wake();
  }

  #wake(): void {
    for (const waiting of this.#waiting) waiting();
  }
}

function keyOf(runId: string, phase: Phase): string {
  return `${runId} ${phase}`;
}

/** Names are ordered byte by byte. */
function nameOf(offset: number): string {
  return String(offset).padStart(12, '0');
}
