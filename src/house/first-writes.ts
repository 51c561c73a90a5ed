import { z } from 'zod';
import { formatAddress, type Address } from '../core/address.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { OPERATION_EXEC } from '../core/lock-info.ts';
import type { Engine } from '../ports/engine.ts';
import type { Audit } from './audit.ts';
import type { Caller, Shut } from './caller.ts';
import type { Gate } from './gate.ts';
import type { Projects } from './projects.ts';
import { defineRecords, type RecordDefinition } from './records/define.ts';
import { ANNOUNCED_STATE_KIND } from './records/kinds.ts';
import type { Records } from './records/records.ts';

/** How long a state that was announced may take to come. */
const ANNOUNCED_FOR: Milliseconds = 24 * 3_600_000;
/** States that are announced and not there yet, at a time. */
const ANNOUNCED_MAX = 1_000;

/**
 * The operations of locks under which a run makes what is not in its state. Others bring a state that is there already: a push,
 * a migration, an import, a new workspace (terraform `internal/command`, `internal/backend/operation_type.go`).
 */
const RUNS: ReadonlySet<string> = new Set(['OperationTypeApply', 'OperationTypeRefresh', OPERATION_EXEC]);

/** A run would make the first version of a state that nobody has announced: maybe the state is elsewhere. */
export interface Unannounced {
  readonly type: 'unannounced';
  readonly address: Address;
  readonly at: Instant;
}

interface Announced {
  readonly at: Instant;
  readonly by: string;
}

/** The states that were announced, by their addresses. */
export const ANNOUNCED_STATES: RecordDefinition<Announced> = defineRecords<Announced>(
  ANNOUNCED_STATE_KIND,
  z.object({ at: z.number(), by: z.string() }),
);

/**
 * Guards projects that ask for it against an apply that comes before the states were moved, which would make everything twice: the
 * first version of a state comes by a push, a migration or an import, or is announced.
 */
export class FirstWrites {
  readonly #engine: Pick<Engine, 'world' | 'now'>;
  readonly #projects: Pick<Projects, 'find'>;
  readonly #records: Records<Announced>;
  readonly #gate: Gate;
  readonly #audit: Audit;

  constructor(options: {
    engine: Pick<Engine, 'world' | 'now'>;
    projects: Pick<Projects, 'find'>;
    records: Records<Announced>;
    gate: Gate;
    audit: Audit;
  }) {
    this.#engine = options.engine;
    this.#projects = options.projects;
    this.#records = options.records;
    this.#gate = options.gate;
    this.#audit = options.audit;
  }

  /** Lets the first write of a state come from a run, for a day. For whoever may write it. */
  async announce(
    caller: Caller,
    address: Address,
  ): Promise<
    | { readonly type: 'announced'; readonly until: Instant }
    | { readonly type: 'present' }
    | { readonly type: 'invalid'; readonly problem: string }
    | Shut
  > {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    if (await this.#isKnown(address)) return { type: 'present' };
    const at = await this.#engine.now();
    const all = await this.#records.list();
    const over = all.filter(({ record }) => record.at + ANNOUNCED_FOR <= at).map(({ name }) => name);
    if (over.length > 0) await this.#records.drop(null, ...over);
    if (all.length - over.length >= ANNOUNCED_MAX)
      return { type: 'invalid', problem: `${ANNOUNCED_MAX} states are announced already: write them first` };
    await this.#records.put(null, formatAddress(address), { at, by: caller.identity.subject });
    this.#audit.note(caller, 'announce', address);
    return { type: 'announced', until: at + ANNOUNCED_FOR };
  }

  /** Why a lock may not be granted for an operation; null if it may. */
  async stopsLock(address: Address, operation: string): Promise<Unannounced | null> {
    return RUNS.has(operation) ? this.#stops(address) : null;
  }

  /** The same for a write that names no lock; whoever holds one for a run has been let in. */
  async stopsWrite(address: Address): Promise<Unannounced | null> {
    const unannounced = await this.#stops(address);
    if (unannounced === null) return null;
    const { holders } = await this.#engine.world(address);
    return holders.some(({ operation }) => operation !== OPERATION_EXEC) ? null : unannounced;
  }

  async #stops(address: Address): Promise<Unannounced | null> {
    if ((await this.#projects.find(address.project))?.announceFirst !== true) return null;
    if (await this.#isKnown(address)) return null;
    const at = await this.#engine.now();
    const announced = await this.#records.find(formatAddress(address));
    if (announced !== null && announced.at + ANNOUNCED_FOR > at) return null;
    return { type: 'unannounced', address, at };
  }

  /** Whether there is a state, or a deleted one. */
  async #isKnown(address: Address): Promise<boolean> {
    return (await this.#engine.world(address)).record.head !== null;
  }
}
