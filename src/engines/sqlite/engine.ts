import type { GoneObject } from '../../ports/body-store.ts';
import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { Instant } from '../../core/instant.ts';
import type { Usage } from '../../core/quota.ts';
import type { Version, World } from '../../core/world.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type AuditFilter,
  type AuditQuery,
  type AuditStretch,
  type AuditRecord,
  type Changes,
  type Command,
  type CommandResult,
  type Engine,
  EngineFault,
  type EngineTraits,
  type Entry,
  type EntryPage,
  type WaitingRequest,
  type StateQuery,
  type StateSummary,
  type StoredBody,
  type StoredFigures,
  type Telling,
} from '../../ports/engine.ts';
import type { BodyMark, Resealed } from '../../ports/sealed-anew.ts';
import type { OpenRowKey } from '../../ports/row-key.ts';
import type { IndexPage, IndexQuery, IndexRow } from '../../ports/state-index.ts';
import { RowKeys } from '../row-keys.ts';
import { looksThroughAll, searched } from '../searched.ts';
import { prepareDatabase } from './adoption.ts';
import { AuditLog } from './audit.ts';
import { auditHead } from './audit-chain.ts';
import { BodyReader } from './bodies.ts';
import { openForReading } from './connection.ts';
import { DataDirectory } from './files/data-directory.ts';
import type { Database } from './files/driver.ts';
import { FileWatch } from './files/file-watch.ts';
import { readLogEnd } from './files/log-end.ts';
import { verifyLogFile } from './files/log-file.ts';
import { reading } from './faults.ts';
import { countStored } from './figures.ts';
import { Queries } from './queries.ts';
import { Pieces } from './reads/pieces.ts';
import { WriterHandle } from './writer/handle.ts';

export interface SqliteOptions {
  /** Made if it is not there; taken for this process alone. */
  readonly directory: string;
  /** Defaults to the system's. */
  readonly clock?: Pick<Clock, 'now'>;
  /** Reads the id of the master key that something small was sealed under. */
  readonly keyIdOf?: (sealed: Uint8Array) => string;
  /** Opens the key of the rows. Without one they are guarded against accidents alone. */
  readonly openRowKey?: OpenRowKey;
}

/**
 * The embedded engine: one SQLite database in a directory. A thread of its own writes, and makes all that waits durable
 * with one flush; reads are answered beside it, on the calling thread.
 */
export class SqliteEngine implements Engine {
  readonly traits: EngineTraits = { name: 'sqlite', shared: false };
  /** Settles if the engine has to stop (disk full, a failed flush): the process should then end. */
  readonly failed: Promise<EngineFault>;
  /** What the operator should know; null if it is nothing. */
  readonly warning: string | null;
  readonly #directory: DataDirectory;
  readonly #reader: Database;
  readonly #queries: Queries;
  readonly #bodies: BodyReader;
  readonly #audit: AuditLog;
  readonly #writer: WriterHandle;
  readonly #files: FileWatch;
  readonly #now: () => Instant;
  readonly #pieces = new Pieces();
  #closed: Promise<void> | null = null;

  private constructor(
    directory: DataDirectory,
    writer: WriterHandle,
    now: () => Instant,
    rowKey: Uint8Array,
    { keyIdOf = () => '' }: SqliteOptions,
  ) {
    this.#directory = directory;
    this.#writer = writer;
    this.#now = now;
    this.failed = writer.stopped;
    this.warning = directory.warning;
    this.#reader = openForReading(directory.databasePath);
    this.#files = new FileWatch(directory.watched);
    // The writer may have found a file gone that a read looked at a moment before.
    void this.failed.then(() => this.#files.doubt());
    this.#queries = new Queries(this.#reader, keyIdOf, new RowKeys(rowKey));
    this.#bodies = new BodyReader(this.#reader);
    this.#audit = new AuditLog(this.#reader, this.#pieces);
  }

  /**
   * @throws {EngineFault} when the directory is in use, cannot be used, or was used by a newer program
   * @throws {UnauthenticatedRows} when there are rows without a key
   */
  static async open(options: SqliteOptions): Promise<SqliteEngine> {
    const directory = DataDirectory.take(options.directory, { needsDatabase: true });
    try {
      const now = neverBackwards(options.clock);
      reading(() => verifyLogFile(directory.databasePath, readLogEnd(directory.databasePath)));
      const rowKey = prepareDatabase(directory.databasePath, options.openRowKey);
      const writer = await WriterHandle.start(directory.databasePath, {
        now,
        rowKey,
        watched: directory.watched,
      });
      try {
        return reading(() => new SqliteEngine(directory, writer, now, rowKey, options));
      } catch (error) {
        await writer.close();
        throw error;
      }
    } catch (error) {
      directory[Symbol.dispose]();
      throw error;
    }
  }

  async apply(commands: readonly Command[], telling: Telling = {}): Promise<readonly CommandResult[]> {
    const replies = await this.#writer.perform(commands, telling);
    return replies.map((reply) => {
      if ('fault' in reply) throw new EngineFault(reply.fault, { busy: reply.busy });
      return reply;
    });
  }

  async world(address: Address): Promise<World> {
    return this.#read(() => this.#queries.world(address));
  }

  async versions(address: Address, query: { before?: number; limit: number }): Promise<readonly Version[]> {
    return this.#read(() => this.#queries.versions(address, query));
  }

  async version(address: Address, number: number | null): Promise<Version | null> {
    return this.#read(() => this.#queries.version(address, number));
  }

  async states(query: StateQuery): Promise<readonly StateSummary[]> {
    if (!looksThroughAll(query)) return this.#read(() => this.#queries.states(query));
    return searched(
      {
        states: (stretch) => this.#read(() => this.#queries.states(stretch)),
        boundary: (stretch, addresses) => this.#read(() => this.#queries.boundary(stretch, addresses)),
        pause: () => this.#pieces.pause(),
      },
      query,
    );
  }

  async body(bodyId: string): Promise<StoredBody | null> {
    return this.#read(() => this.#bodies.read(bodyId));
  }

  async credentials(): Promise<readonly Credential[]> {
    return this.#read(() => this.#queries.credentials());
  }

  async entries(kind: string | null, page?: EntryPage): Promise<readonly Entry[]> {
    return this.#read(() => this.#queries.entries(kind, page));
  }

  async entry(kind: string, name: string): Promise<Entry | null> {
    return this.#read(() => this.#queries.entry(kind, name));
  }

  async indexed(query: IndexQuery): Promise<IndexPage> {
    return this.#read(() => this.#queries.indexed(query));
  }

  async indexRows(names: readonly string[]): Promise<readonly IndexRow[]> {
    return this.#read(() => this.#queries.indexRows(names));
  }

  async usage(project: string): Promise<Usage> {
    return this.#read(() => this.#queries.usage(project));
  }

  async audit(query: AuditQuery): Promise<readonly AuditRecord[]> {
    return this.#read(() => this.#audit.read(query));
  }

  async auditAfter(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    return this.#read(() => this.#audit.after(after, filter, limit));
  }

  async changes(after: number | null, limit: number): Promise<Changes> {
    return this.#read(() => this.#audit.changes(after, limit));
  }

  async auditHead(): Promise<string> {
    return this.#read(() => auditHead(this.#reader));
  }

  async beat(node: string): Promise<readonly string[]> {
    return [node];
  }

  async seats(query: { node: string } | { notNode: string }): Promise<readonly WaitingRequest[]> {
    return this.#read(() => this.#queries.seats(query));
  }

  async ending(limit: number): Promise<readonly Address[]> {
    return this.#read(() => this.#queries.ending(this.#now(), limit));
  }

  async figures(): Promise<StoredFigures> {
    try {
      return await countStored(this.#reader);
    } catch (error) {
      return reading(() => {
        throw error;
      });
    }
  }

  async sealedUnderOther(keyId: string, limit: number): Promise<readonly Resealed[]> {
    return this.#read(() => this.#queries.sealedUnderOther(keyId, limit));
  }

  async bodies(after: string | null, limit: number): Promise<readonly BodyMark[]> {
    return this.#read(() => this.#bodies.marks(after, limit));
  }

  async objects(after: string | null, limit: number): Promise<readonly string[]> {
    return this.#read(() => this.#bodies.objects(after, limit));
  }

  async goneObjects(after: string | null, limit: number): Promise<readonly GoneObject[]> {
    return this.#read(() => this.#bodies.goneObjects(after, limit));
  }

  async now(): Promise<Instant> {
    return this.#now();
  }

  async check(): Promise<void> {
    // Nothing to reseal: a transaction that changes nothing, so that a busy disk is left alone.
    await this.apply([{ type: 'reseal', items: [] }]);
    await this.entries('');
  }

  /** Stores what was given to it, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  #read<T>(read: () => T): T {
    return reading(() => {
      this.#files.lookAfterPause();
      return read();
    });
  }

  async #close(): Promise<void> {
    // The reader goes first: whoever closes last takes the log into the database, and that is the writer's work.
    this.#reader.close();
    await this.#writer.close();
    this.#directory[Symbol.dispose]();
  }
}

/** Time stands still rather than going backwards, whatever the clock does. */
function neverBackwards(clock: Pick<Clock, 'now'> = { now: Date.now }): () => Instant {
  let last: Instant = 0;
  return () => {
    last = Math.max(last, clock.now());
    return last;
  };
}
