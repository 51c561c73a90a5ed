import type { GoneObject } from '../../ports/body-store.ts';
import { randomUUID } from 'node:crypto';
import { formatAddress, type Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Usage } from '../../core/quota.ts';
import type { Version, World } from '../../core/world.ts';
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
  type WholeLog,
} from '../../ports/engine.ts';
import type { BodyMark, Resealed } from '../../ports/sealed-anew.ts';
import type { IndexPage, IndexQuery, IndexRow } from '../../ports/state-index.ts';
import type { OpenRowKey } from '../../ports/row-key.ts';
import type { RowKeys } from '../row-keys.ts';
import { findRowKeys, verifyAll } from './adoption.ts';
import { Batches, type PendingCall } from './session/batches.ts';
import { AuditLog } from './audit.ts';
import { AuditChains, type AuditChain } from './audit-chain.ts';
import { BodyReader } from './bodies.ts';
import { Connections, type Row, type Statement } from './connection.ts';
import { wasCommitted } from './session/doubt.ts';
import { faultFrom, isLost, mayPass } from './faults.ts';
import { countStored } from './figures.ts';
import { migrate, programVersion, requireKnown, schemaVersionStatement } from './migrate.ts';
import { beatStatements } from './session/nodes.ts';
import type { PostgresOptions } from './session/options.ts';
import { Queries } from './queries.ts';
import { addressesOf } from './records.ts';
import type { KeyIdOf } from './columns.ts';
import { adoptedBodies, CommitInDoubt, sizeOf, transact } from './session/transaction.ts';
import { databaseClock, type ClockSql } from './world.ts';

/** How long a transaction is tried again while the database fails over, before its callers are told. */
const PATIENCE_MS: Milliseconds = 5_000;
const PAUSE_MS_MIN: Milliseconds = 20;
const PAUSE_MS_MAX: Milliseconds = 500;

/** What an engine is told besides where its database is. */
export interface PostgresEngineOptions {
  /** Reads the id of the master key that something small was sealed under. */
  readonly keyIdOf: KeyIdOf;
  /** Opens the key of the rows. Without one they are guarded against accidents alone. */
  readonly openRowKey?: OpenRowKey;
  /** The SQL that tells the time; the database's clock unless a test has one of its own. */
  readonly clock?: ClockSql;
}

/** The house on PostgreSQL: any number of nodes on one database, each address decided under a lock on its row. */
export class PostgresEngine implements Engine {
  readonly traits: EngineTraits = { name: 'postgres', shared: true };
  readonly #connections: Connections;
  readonly #place: PostgresOptions;
  readonly #schema: string;
  readonly #keyIdOf: KeyIdOf;
  readonly #keys: RowKeys;
  readonly #clock: ClockSql;
  readonly #queries: Queries;
  readonly #bodies: BodyReader;
  readonly #audit: AuditLog;
  readonly #batches: Batches;
  readonly #chains = new AuditChains();
  readonly #program: number;
  #closing = false;

  private constructor(
    connections: Connections,
    place: PostgresOptions,
    program: number,
    keys: RowKeys,
    { keyIdOf, clock = databaseClock }: PostgresEngineOptions,
  ) {
    this.#connections = connections;
    const { schema } = place;
    this.#place = place;
    this.#schema = schema;
    this.#program = program;
    this.#keyIdOf = keyIdOf;
    this.#keys = keys;
    this.#clock = clock;
    this.#queries = new Queries(connections, schema, keys);
    this.#bodies = new BodyReader(connections, schema);
    this.#audit = new AuditLog(connections, schema);
    this.#batches = new Batches(connections.writers, (calls) => this.#run(calls), Date.now);
  }

  /**
   * Opens the database, and makes or brings up to date the schema.
   * @throws {UnauthenticatedRows} when there are rows without a key
   */
  static async open(place: PostgresOptions, options: PostgresEngineOptions): Promise<PostgresEngine> {
    const connections = new Connections(place);
    try {
      await migrate(place);
      const keys = await findRowKeys(place, options);
      return new PostgresEngine(connections, place, await programVersion(), keys, options);
    } catch (error) {
      await connections[Symbol.asyncDispose]();
      throw error;
    }
  }

  async apply(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    if (commands.length === 0) return [];
    if (this.#closing) throw new EngineFault('the engine is closed');
    return new Promise((resolve, reject) => {
      this.#batches.add({
        commands,
        names: new Set(commands.flatMap(addressesTouched).map(formatAddress)),
        bytes: commands.reduce((sum, command) => sum + bodyBytes(command), 0),
        // What is sealed anew must not be written over by what another call read before; and what forgets takes its time.
        alone: commands.some(({ type }) => type === 'reseal' || type === 'prune-audit'),
        since: Date.now(),
        resolve,
        reject,
      });
    });
  }

  async world(address: Address): Promise<World> {
    return this.#queries.world(address);
  }

  async versions(address: Address, query: { before?: number; limit: number }): Promise<readonly Version[]> {
    return this.#queries.versions(address, query);
  }

  async version(address: Address, number: number | null): Promise<Version | null> {
    return this.#queries.version(address, number);
  }

  async states(query: StateQuery): Promise<readonly StateSummary[]> {
    return this.#queries.states(query);
  }

  async body(bodyId: string): Promise<StoredBody | null> {
    return this.#bodies.read(bodyId);
  }

  async credentials(): Promise<readonly Credential[]> {
    return this.#queries.credentials();
  }

  async entries(kind: string | null, page?: EntryPage): Promise<readonly Entry[]> {
    return this.#queries.entries(kind, page);
  }

  async entry(kind: string, name: string): Promise<Entry | null> {
    return this.#queries.entry(kind, name);
  }

  async indexed(query: IndexQuery): Promise<IndexPage> {
    return this.#queries.indexed(query);
  }

  async indexRows(names: readonly string[]): Promise<readonly IndexRow[]> {
    return this.#queries.indexRows(names);
  }

  async usage(project: string): Promise<Usage> {
    return this.#queries.usage(project);
  }

  async audit(query: AuditQuery): Promise<readonly AuditRecord[]> {
    return this.#audit.read(query);
  }

  async auditAfter(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    return this.#audit.after(after, filter, limit);
  }

  async changes(after: number | null, limit: number): Promise<Changes> {
    return this.#audit.changes(after, limit);
  }

  async auditHead(): Promise<string> {
    return this.#chains.heads.join(' ');
  }

  async beat(node: string): Promise<readonly string[]> {
    const [, living] = await this.#write(beatStatements(this.#schema, node));
    return (living ?? []).map((row) => row['id'] as string);
  }

  async seats(query: { node: string } | { notNode: string }): Promise<readonly WaitingRequest[]> {
    return this.#queries.seats(query);
  }

  async ending(limit: number): Promise<readonly Address[]> {
    return this.#queries.ending(this.#clock(), limit);
  }

  async figures(): Promise<StoredFigures> {
    return countStored(this.#connections, this.#schema);
  }

  async sealedUnderOther(keyId: string, limit: number): Promise<readonly Resealed[]> {
    return this.#queries.sealedUnderOther(keyId, limit);
  }

  async bodies(after: string | null, limit: number): Promise<readonly BodyMark[]> {
    return this.#bodies.marks(after, limit);
  }

  async objects(after: string | null, limit: number): Promise<readonly string[]> {
    return this.#bodies.objects(after, limit);
  }

  async goneObjects(after: string | null, limit: number): Promise<readonly GoneObject[]> {
    return this.#bodies.goneObjects(after, limit);
  }

  async now(): Promise<Instant> {
    const [row] = await this.#connections.read({ text: `SELECT ${this.#clock()} AS now` });
    return Number(row?.['now']);
  }

  async check(): Promise<void> {
    const [versions] = await this.#write([
      { text: schemaVersionStatement(this.#schema) },
      // A row that is really written: only that shows a full disk or a standby.
      {
        text: `INSERT INTO ${this.#schema}.commit_mark (id, done) VALUES ($1, true)`,
        values: [randomUUID()],
      },
    ]);
    const row = versions?.[0];
    requireKnown(
      { number: Number(row?.['number']), leastProgram: Number(row?.['least_program']) },
      this.#program,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#batches.settle();
    await this.#connections[Symbol.asyncDispose]();
  }

  /** Walks through the audit log. @throws {EngineFault} where it was changed, or does not go on from a former head */
  async verifyLog(heads: readonly string[]): Promise<WholeLog> {
    return verifyAll(this.#place, this.#keys, heads);
  }

  /** Statements outside the rules, each a transaction of its own that may be done twice without harm. */
  async #write(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    try {
      return (await this.#connections.write((session) => session.all(statements))).map(({ rows }) => rows);
    } catch (error) {
      throw faultFrom(error);
    }
  }

  async #run(calls: readonly PendingCall[]): Promise<void> {
    try {
      const results = await this.#chains.with((chain) =>
        this.#attempt(
          calls.flatMap(({ commands }) => commands),
          chain,
        ),
      );
      let from = 0;
      for (const { commands, resolve } of calls) {
        resolve(results.slice(from, from + commands.length));
        from += commands.length;
      }
    } catch (error) {
      if (calls.length === 1 || error instanceof EngineFault || isLost(error)) {
        for (const { reject } of calls) reject(faultFrom(error));
        return;
      }
      // One of them is at fault: the others shall not suffer for it.
      for (const call of calls) await this.#run([call]);
    }
  }

  /** Does commands in a transaction, again and again while the database fails over or two stand in each other's way. */
  async #attempt(commands: readonly Command[], chain: AuditChain): Promise<readonly CommandResult[]> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let pause = PAUSE_MS_MIN; ; pause = Math.min(2 * pause, PAUSE_MS_MAX)) {
      const context = {
        schema: this.#schema,
        keyIdOf: this.#keyIdOf,
        keys: this.#keys,
        clock: this.#clock,
        mark: randomUUID(),
        chain,
      };
      try {
        const results = await this.#connections.write((session) => transact(session, context, commands));
        chain.committed();
        return results;
      } catch (error) {
        let trouble = error;
        if (error instanceof CommitInDoubt) {
          if (await wasCommitted(this.#connections, this.#schema, context.mark)) {
            chain.committed();
            return error.results;
          }
          trouble = error.cause;
        }
        if (!mayPass(trouble) || Date.now() + pause > deadline) throw trouble;
        await new Promise((resolve) => {
          setTimeout(resolve, pause);
        });
      }
    }
  }
}

function addressesTouched(command: Command): readonly Address[] {
  return 'actor' in command ? [command.address] : addressesOf(command);
}

function bodyBytes(command: Command): number {
  if (command.type === 'adopt') return adoptedBodies(command).reduce((sum, body) => sum + sizeOf(body), 0);
  if (command.type === 'replace-bodies')
    return command.bodies.reduce((sum, { body }) => sum + sizeOf(body), 0);
  const carries = command.type === 'write' || command.type === 'put-entry';
  return carries && command.body !== undefined ? sizeOf(command.body) : 0;
}
