import { createHash } from 'node:crypto';
import { Client, Pool, type PoolClient, type QueryResult } from 'pg';
import type { Milliseconds } from '../../core/instant.ts';
import { ConnectionLost, faultFrom, isLost } from './faults.ts';
import { Gate } from './session/gate.ts';
import type { PostgresOptions } from './session/options.ts';

/** The longest that one statement may take on the server. */
const STATEMENT_MS_MAX: Milliseconds = 10_000;
/** The longest wait for a row that another node's transaction holds. */
const LOCK_MS_MAX: Milliseconds = 5_000;
/** How long a transaction whose node fell silent may keep its rows from the others. */
const SILENCE_MS_MAX: Milliseconds = 8_000;
const CONNECT_MS_MAX: Milliseconds = 5_000;
const IDLE_MS_MAX: Milliseconds = 30_000;
/** Reads that may wait for a connection. */
const READS_WAITING_MAX = 2_000;
/** A read that lost its connection so often is given up: the database is away. */
const READ_TRIES = 4;
/** Most of the pool reads; the rest writes, and a write transaction carries many commands. */
const WRITERS_SHARE = 0.4;
/** The server takes names of 63 bytes. */
const NAME_DIGITS = 32;

export type Row = Readonly<Record<string, unknown>>;

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /**
   * Whether the server keeps its plan for the connection: parsing and planning cost it more than doing. Only for texts of which there
   * are few, because each keeps memory at the server; and without `*`, because a plan does not outlive a new column.
   */
  readonly prepared?: true;
}

/**
 * What a transaction selects first, which is its settings. They go with every BEGIN and not with the connection, because a pooler gives each
 * transaction another one. A role or database may have `synchronous_commit` off, which rule 3 does not bear.
 */
export const SET_LIMITS: string = `set_config('statement_timeout', '${STATEMENT_MS_MAX}', true), set_config('lock_timeout', '${LOCK_MS_MAX}', true),
    set_config('idle_in_transaction_session_timeout', '${SILENCE_MS_MAX}', true),
    CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`;
export const LIMITS: Statement = { text: `SELECT ${SET_LIMITS}`, prepared: true };
const BEGIN_WRITE: Statement = { text: 'BEGIN ISOLATION LEVEL READ COMMITTED', prepared: true };
const BEGIN_READ: readonly Statement[] = [
  { text: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', prepared: true },
  LIMITS,
];
export const COMMIT: Statement = { text: 'COMMIT', prepared: true };
export const ROLLBACK: Statement = { text: 'ROLLBACK' };

/** The connections of one node: few, bounded, and thrown away at the first doubt. */
export class Connections implements AsyncDisposable {
  readonly writers: number;
  readonly #pool: Pool;
  readonly #reads: Gate;
  readonly #prepares: boolean;

  constructor(options: PostgresOptions) {
    this.#prepares = options.prepares;
    this.#pool = new Pool({
      ...clientConfig(options),
      max: options.poolSize,
      idleTimeoutMillis: IDLE_MS_MAX,
      connectionTimeoutMillis: CONNECT_MS_MAX,
    });
    // An idle connection that breaks is replaced when the next one is needed.
    this.#pool.on('error', ignore);
    this.writers = Math.max(1, Math.floor(options.poolSize * WRITERS_SHARE));
    // One is left for what must go through however busy the node is: its beat, and the question what a COMMIT became.
    this.#reads = new Gate(Math.max(1, options.poolSize - this.writers - 1), READS_WAITING_MAX);
  }

  /** A connection for a transaction that writes; no more than {@link writers} at a time may be asked for. */
  async write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#with(work);
  }

  /** Reads by one statement, which sees one moment. */
  async read(statement: Statement): Promise<readonly Row[]> {
    return this.#reading(async (session) => (await session.one(statement)).rows);
  }

  /** Reads by several statements that all see the same moment. */
  async readTogether(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    return this.#reading(async (session) => {
      const results = await session.all([...BEGIN_READ, ...statements, COMMIT]);
      return results.slice(BEGIN_READ.length, -1).map(({ rows }) => rows);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #reading<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#reads.through(async () => {
      try {
        for (let left = READ_TRIES; ; left -= 1) {
          // A read changes nothing, so one that lost its connection is simply asked again on another.
          const result = await this.#with(work).catch((error: unknown) => {
            if (left === 1 || !isLost(error)) throw error;
            return null;
          });
          if (result !== null) return result;
        }
      } catch (error) {
        throw faultFrom(error);
      }
    });
  }

  async #with<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw ConnectionLost.orRefusal(error);
    });
    // Without a listener a break between two statements would end the process.
    client.on('error', ignore);
    let broken = true;
    try {
      const result = await work(new Session(client, this.#prepares));
      broken = false;
      return result;
    } catch (error) {
      broken = isLost(error);
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(broken || client.getTransactionStatus() !== 'I');
    }
  }
}

/** A connection outside any pool, which the caller ends. */
export async function connectAlone(options: PostgresOptions): Promise<Client> {
  const client = new Client(clientConfig(options));
  // Whoever uses it hears of a break by its "end".
  client.on('error', ignore);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw faultFrom(ConnectionLost.orRefusal(error));
  }
}

/** One connection, while it is ours. */
export class Session {
  readonly #client: PoolClient;
  readonly #prepares: boolean;

  /** @param prepares whether statements may be prepared */
  constructor(client: PoolClient, prepares: boolean) {
    this.#client = client;
    this.#prepares = prepares;
  }

  async one({ text, values = [], prepared }: Statement): Promise<QueryResult<Row>> {
    const named = prepared === true && this.#prepares ? { name: nameOf(text) } : {};
    return this.#client.query<Row>({ text, values: [...values], ...named }).catch((error: unknown) => {
      throw ConnectionLost.orRefusal(error);
    });
  }

  /** Sends all at once, so that they cost one trip to the server. @throws the first error, after all have ended */
  async all(statements: readonly Statement[]): Promise<readonly QueryResult<Row>[]> {
    const ends = await Promise.allSettled(statements.map((statement) => this.one(statement)));
    return ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  }

  /** Begins a transaction that writes, and does its first statements, of which the first sets the limits ({@link SET_LIMITS}). */
  async begin(statements: readonly [Statement, ...Statement[]]): Promise<readonly QueryResult<Row>[]> {
    return (await this.all([BEGIN_WRITE, ...statements])).slice(1);
  }
}

const NAMES = new Map<string, string>();

/** What a prepared statement is called: a pooler may give a connection to programs that have others. */
function nameOf(text: string): string {
  let name = NAMES.get(text);
  if (name === undefined) {
    name = `statehouse ${createHash('sha256').update(text).digest('base64url').slice(0, NAME_DIGITS)}`;
    NAMES.set(text, name);
  }
  return name;
}

function clientConfig({ url }: PostgresOptions): {
  connectionString: string;
  application_name: string;
  keepAlive: boolean;
  pipeline: boolean;
  query_timeout: Milliseconds;
} {
  return {
    connectionString: url,
    application_name: 'statehouse',
    keepAlive: true,
    pipeline: true,
    // The server's own limit comes first; this one is for a server that is not there any more.
    query_timeout: STATEMENT_MS_MAX + 2_000,
  };
}

function ignore(): void {}
