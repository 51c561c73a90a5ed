import type { Address } from '../core/address.ts';
import type { AuditNote } from '../core/effect.ts';
import type { AuditQuery, AuditRecord, Engine } from '../ports/engine.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { noteBy, refuseInHouse, refuseOn, type Caller, type Forbidden } from './caller.ts';

/** Reads wait so long for others to be written down with them. */
const GATHER_MS = 100;
const GATHER_MAX = 256;

interface Gathered {
  readonly type: 'audit';
  readonly address: Address | null;
  readonly note: AuditNote;
}

export type AuditAnswer = { readonly type: 'records'; readonly records: readonly AuditRecord[] } | Forbidden;

/**
 * The audit log. What changes something is noted in the very transaction that changes it; what only reads, or was refused,
 * is gathered here for a moment, because a reader must not wait for a flush.
 */
export class Audit {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #log: Log;
  #gathered: Gathered[] = [];
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { engine: Engine; clock: Clock; log: Log }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Notes something that changes nothing. */
  note(caller: Caller, action: string, address: Address | null, detail: AuditNote['detail'] = {}): void {
    this.#gathered.push({ type: 'audit', address, note: noteBy(caller, action, detail) });
    if (this.#gathered.length >= GATHER_MAX) this.#write();
    else this.#cancel ??= this.#clock.after(GATHER_MS, () => this.#write());
  }

  /** The newest records first. An admin of the house sees all, an admin of an address what concerns it. */
  async read(caller: Caller, query: AuditQuery): Promise<AuditAnswer> {
    const refusal =
      query.address === undefined
        ? refuseInHouse(caller, 'read-audit')
        : refuseOn(caller, 'read-audit', query.address);
    if (refusal !== null) return refusal;
    await this.flush();
    return { type: 'records', records: await this.#engine.audit(query) };
  }

  /** Waits until all that was noted is kept. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
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
