import type { Address } from '../core/address.ts';
import type { Actor } from '../core/command.ts';
import type { Milliseconds } from '../core/instant.ts';
import { noteOf, type AuditNote } from '../core/effect.ts';
import type { AuditFilter, AuditQuery, AuditRecord, AuditStretch, Engine } from '../ports/engine.ts';
import type { AuditSink } from '../ports/audit-sink.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { Repeats, type Deed } from './repeats.ts';
import { noteBy, type Caller, type Shut } from './caller.ts';
import type { Gate } from './gate.ts';

/** Reads wait so long for others to be written down with them. */
const GATHER_MS = 100;
const GATHER_MAX = 256;
/** Records that are forgotten by a command, and commands of one sweep. */
const PRUNED_AT_ONCE = 1_000;
const PRUNINGS_MAX = 1_000;
/** Who forgets records that are older than they are kept. */
const NODE: Actor = { subject: 'house:node', door: 'house' };

interface Gathered {
  readonly type: 'audit';
  readonly address: Address | null;
  readonly note: AuditNote;
}

export type FollowAnswer = ({ readonly type: 'stretch' } & AuditStretch) | Shut;

export type AuditAnswer = { readonly type: 'records'; readonly records: readonly AuditRecord[] } | Shut;

/**
 * The audit log. What changes something is noted in the very transaction that changes it; what only reads, or was refused,
 * is gathered here for a moment, because a reader must not wait for a flush.
 */
export class Audit {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #gate: Gate;
  readonly #sink: AuditSink;
  readonly #repeats: Repeats;
  readonly #kept: Milliseconds;
  readonly #onRefusal: (address: Address | null, why: string) => void;
  #gathered: Gathered[] = [];
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param kept how long records are kept; 0, the default, for always */
  constructor(options: {
    engine: Engine;
    clock: Clock;
    log: Log;
    gate: Gate;
    sink: AuditSink;
    kept?: Milliseconds;
    /** Told of every refusal. */
    onRefusal?: (address: Address | null, why: string) => void;
  }) {
    this.#onRefusal = options.onRefusal ?? (() => undefined);
    this.#kept = options.kept ?? 0;
    this.#sink = options.sink;
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#gate = options.gate;
    this.#repeats = new Repeats({ clock: options.clock, write: (deed) => this.#gather(deed) });
  }

  /** Notes something that changes nothing. */
  note(caller: Caller, action: string, address: Address | null, detail: AuditNote['detail'] = {}): void {
    this.#gather({ address, note: noteBy(caller, action, detail) });
  }

  /** Notes that somebody looked at what is no state's content; more of the same within a minute is counted. */
  looked(caller: Caller, action: string, address: Address | null, detail: AuditNote['detail'] = {}): void {
    this.#repeats.note({ address, note: noteBy(caller, action, detail) });
  }

  /**
   * Notes a refusal; more of the same within a minute is counted.
   * @param why in one word, such as `forbidden`
   */
  refused(
    by: Caller | Actor,
    action: string,
    address: Address | null,
    why: string,
    detail: AuditNote['detail'] = {},
  ): void {
    const note = 'identity' in by ? noteBy(by, action, detail) : noteOf(by, action, detail);
    this.#onRefusal(address, why);
    this.#repeats.note({ address, note: { ...note, refused: why } });
  }

  #gather({ address, note }: Deed): void {
    this.#sink.write({ at: this.#clock.now(), address, note });
    this.#gathered.push({ type: 'audit', address, note });
    if (this.#gathered.length >= GATHER_MAX) this.#write();
    else this.#cancel ??= this.#clock.after(GATHER_MS, () => this.#write());
  }

  /** The newest records first. An admin of the house sees all, an admin of an address what concerns it. */
  async read(caller: Caller, query: AuditQuery): Promise<AuditAnswer> {
    const refusal =
      query.address === undefined
        ? this.#gate.inHouse(caller, 'read-audit')
        : await this.#gate.on(caller, 'read-audit', query.address);
    if (refusal !== null) return refusal;
    await this.flush();
    return { type: 'records', records: await this.#engine.audit(query) };
  }

  /** What was written after a position, oldest first; null for the present end. Asked again and again, it tells of every record once. */
  async follow(
    caller: Caller,
    { after, limit, ...filter }: AuditFilter & { readonly after: number | null; readonly limit: number },
  ): Promise<FollowAnswer> {
    const refusal =
      filter.address === undefined
        ? this.#gate.inHouse(caller, 'read-audit')
        : await this.#gate.on(caller, 'read-audit', filter.address);
    if (refusal !== null) return refusal;
    await this.flush();
    return { type: 'stretch', ...(await this.#engine.auditAfter(after, filter, limit)) };
  }

  /** Where the log ends, as far as this node has written it: kept elsewhere, it tells of a log that was cut. */
  async head(caller: Caller): Promise<{ readonly type: 'head'; readonly head: string } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'read-audit');
    if (refusal !== null) return refusal;
    await this.flush();
    return { type: 'head', head: await this.#engine.auditHead() };
  }

  /** Sends where the log ends to the audit devices, for whoever may compare it later. */
  async tellHead(): Promise<void> {
    const head = await this.#engine.auditHead();
    if (head === '') return;
    const note = noteOf(NODE, 'audit-head', { head });
    this.#sink.write({ at: this.#clock.now(), address: null, note });
  }

  /**
   * Forgets the records that are older than they are kept, some at a time, so that nobody waits long for it.
   * @throws {EngineFault} where one was changed: what shows it is not forgotten
   */
  async prune(): Promise<void> {
    if (this.#kept === 0) return;
    const before = (await this.#engine.now()) - this.#kept;
    const noted = noteOf(NODE, 'prune-audit', { before: new Date(before).toISOString() });
    for (let runs = 0; runs < PRUNINGS_MAX && !this.#isClosed; runs += 1) {
      const note = runs === 0 ? noted : null;
      const [result] = await this.#engine.apply([
        { type: 'prune-audit', before, limit: PRUNED_AT_ONCE, note },
      ]);
      const outcome = result?.outcome;
      if (outcome?.type !== 'audit-pruned' || outcome.records < PRUNED_AT_ONCE) return;
    }
  }

  /** @throws {EngineFault} where nothing may be answered now, because its record would reach no audit device */
  admit(): void {
    this.#sink.admit();
  }

  /** Waits until an audit device has all records, where one must. @throws {EngineFault} when none takes them */
  accepted(): Promise<void> {
    return this.#sink.accepted();
  }

  /** Waits until all that was noted is kept. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /** Notes what was only counted so far, and waits until all is kept. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#repeats.end();
    await this.flush();
  }

  #write(): void {
    this.#cancel?.();
    this.#cancel = null;
    const commands = this.#gathered;
    if (commands.length === 0) return;
    this.#gathered = [];
    this.#writing = Promise.all([this.#writing, this.#engine.apply(commands)]).then(
      () => undefined,
      (fault: unknown) =>
        this.#log.error('reads could not be written to the audit log', {
          count: commands.length,
          fault: String(fault),
        }),
    );
  }
}
