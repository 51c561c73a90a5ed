import type { GoneObject } from '../../../src/ports/body-store.ts';
import type { Address } from '../../../src/core/address.ts';
import type { Credential } from '../../../src/core/credential.ts';
import type { Instant } from '../../../src/core/instant.ts';
import type { Usage } from '../../../src/core/quota.ts';
import type { Version, World } from '../../../src/core/world.ts';
import { MemoryEngine } from '../../../src/engines/memory/engine.ts';
import { sealedKeyId } from '../../../src/keyring/keyring.ts';
import type {
  AuditFilter,
  AuditQuery,
  AuditRecord,
  AuditStretch,
  Changes,
  Command,
  CommandResult,
  Engine,
  EngineTraits,
  Entry,
  StateQuery,
  StateSummary,
  StoredBody,
  StoredFigures,
  WaitingRequest,
} from '../../../src/ports/engine.ts';
import type { BodyMark, Resealed } from '../../../src/ports/sealed-anew.ts';

import type { IndexPage, IndexQuery, IndexRow } from '../../../src/ports/state-index.ts';

/** Told of every command that became durable, one by one, in their order. */
export type CommitListener = (command: Command, result: CommandResult) => void | Promise<void>;

/** What is stored for good: it outlives every process. Whatever is in it is durable. */
export class Store {
  readonly kept: MemoryEngine;
  readonly #listener: CommitListener;

  constructor(now: () => Instant, listener: CommitListener) {
    this.kept = new MemoryEngine({ now, after: () => () => undefined }, sealedKeyId);
    this.#listener = listener;
  }

  async commit(commands: readonly Command[]): Promise<CommandResult[]> {
    const results: CommandResult[] = [];
    for (const command of commands) {
      const [result] = await this.kept.apply([command]);
      results.push(result as CommandResult);
      await this.#listener(command, result as CommandResult);
    }
    return results;
  }
}

/** The engine of a simulated node: what it reads and stores takes time, and may fail on its way. */
export abstract class SimulatedEngine implements Engine {
  abstract readonly traits: EngineTraits;
  protected readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  abstract apply(commands: readonly Command[]): Promise<readonly CommandResult[]>;
  abstract beat(node: string): Promise<readonly string[]>;
  /** Reads what is stored, in the time that it takes. */
  protected abstract read<T>(look: (kept: MemoryEngine) => Promise<T>): Promise<T>;
  /** How a body is read: a disk may give other bytes than it was given. */
  protected abstract segmentRead(segment: Uint8Array): Uint8Array;

  world(address: Address): Promise<World> {
    return this.read((kept) => kept.world(address));
  }
  versions(address: Address, query: { before?: number; limit: number }): Promise<readonly Version[]> {
    return this.read((kept) => kept.versions(address, query));
  }
  version(address: Address, number: number): Promise<Version | null> {
    return this.read((kept) => kept.version(address, number));
  }
  states(query: StateQuery): Promise<readonly StateSummary[]> {
    return this.read((kept) => kept.states(query));
  }
  ending(limit: number): Promise<readonly Address[]> {
    return this.read((kept) => kept.ending(limit));
  }
  async body(bodyId: string): Promise<StoredBody | null> {
    const body = await this.read((kept) => kept.body(bodyId));
    if (body === null) return null;
    const readSegment = (segment: Uint8Array): Uint8Array => this.segmentRead(segment);
    return {
      ...body,
      async *segments() {
        for await (const segment of body.segments()) yield readSegment(segment);
      },
    };
  }
  credentials(): Promise<readonly Credential[]> {
    return this.read((kept) => kept.credentials());
  }
  entries(kind: string | null): Promise<readonly Entry[]> {
    return this.read((kept) => kept.entries(kind));
  }
  entry(kind: string, name: string): Promise<Entry | null> {
    return this.read((kept) => kept.entry(kind, name));
  }
  indexed(query: IndexQuery): Promise<IndexPage> {
    return this.read((kept) => kept.indexed(query));
  }
  indexRows(names: readonly string[]): Promise<readonly IndexRow[]> {
    return this.read((kept) => kept.indexRows(names));
  }
  audit(query: AuditQuery): Promise<readonly AuditRecord[]> {
    return this.read((kept) => kept.audit(query));
  }
  auditAfter(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    return this.read((kept) => kept.auditAfter(after, filter, limit));
  }
  usage(project: string): Promise<Usage> {
    return this.read((kept) => kept.usage(project));
  }
  figures(): Promise<StoredFigures> {
    return this.read((kept) => kept.figures());
  }
  bodies(after: string | null, limit: number): Promise<readonly BodyMark[]> {
    return this.read((kept) => kept.bodies(after, limit));
  }
  objects(after: string | null, limit: number): Promise<readonly string[]> {
    return this.read((kept) => kept.objects(after, limit));
  }
  goneObjects(after: string | null, limit: number): Promise<readonly GoneObject[]> {
    return this.read((kept) => kept.goneObjects(after, limit));
  }
  changes(after: number | null, limit: number): Promise<Changes> {
    return this.read((kept) => kept.changes(after, limit));
  }
  auditHead(): Promise<string> {
    return this.read((kept) => kept.auditHead());
  }
  seats(query: { node: string } | { notNode: string }): Promise<readonly WaitingRequest[]> {
    return this.read((kept) => kept.seats(query));
  }
  sealedUnderOther(keyId: string, limit: number): Promise<readonly Resealed[]> {
    return this.read((kept) => kept.sealedUnderOther(keyId, limit));
  }
  now(): Promise<Instant> {
    return this.read((kept) => kept.now());
  }
  check(): Promise<void> {
    return this.read((kept) => kept.check());
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}
