import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import type { LockInfo } from '../../../core/lock-info.ts';
import type {
  ClientTraits,
  Finding,
  HeldLock,
  LockAttempt,
  LockBreak,
  LockRelease,
  LockRequest,
  LockState,
  StateClient,
} from '../../../ports/state-client.ts';
import { BackendFault, COMMON_TRAITS } from '../../../ports/state-client.ts';
import { emptyState } from '../../empty-state.ts';
import type { PgConfig } from './config.ts';
import { PgSession } from './session.ts';
import { CREATION_LOCK, ID_SEQUENCE, quoteIdentifier, tofuCreationLock } from '../layout.ts';

/** A database session, as the server lists it. */
interface Session {
  readonly pid: number;
  readonly usename: string | null;
  readonly client: string | null;
  readonly application: string | null;
  readonly since: Date | null;
}

/** States in a PostgreSQL table, under advisory locks. */
export class PgClient implements StateClient {
  readonly backend = 'pg';
  readonly traits: ClientTraits = {
    ...COMMON_TRAITS,
    workspaces: 'listed',
    locks: 'process',
    showsHolder: false,
    madeByLock: true,
  };
  readonly history = null;
  readonly #config: PgConfig;
  readonly #session: PgSession;
  readonly #table: string;
  #prepared: Promise<void> | null = null;

  constructor(config: PgConfig) {
    this.#config = config;
    this.#session = new PgSession(config);
    this.#table = `${quoteIdentifier(config.schema)}.${quoteIdentifier(config.table)}`;
  }

  locate(workspace: string): string {
    const { connection, schema, table } = this.#config;
    return `postgres://${connection.host}:${connection.port}/${connection.database} ${schema}.${table} "${workspace}"`;
  }

  async workspaces(): Promise<readonly string[]> {
    const rows = await this.#session.query<{ name: string }>(
      `SELECT name FROM ${this.#table} WHERE name != $1 ORDER BY name`,
      [DEFAULT_WORKSPACE],
    );
    return [DEFAULT_WORKSPACE, ...rows.map(({ name }) => name)];
  }

  async createWorkspace(workspace: string, by: LockRequest): Promise<void> {
    const attempt = await this.lock(workspace, by);
    if (attempt.type !== 'locked') throw new BackendFault('refused', `${workspace}: ${attempt.message}`);
    try {
      if ((await this.read(workspace)) === null) await this.write(workspace, emptyState(by.id));
    } finally {
      await attempt.lock.release();
    }
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    await this.#session.query(`DELETE FROM ${this.#table} WHERE name = $1`, [workspace]);
    if (held !== null) await held.release();
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const query = `SELECT data FROM ${this.#table} WHERE name = $1`;
    const [row] = await this.#session.query<{ data: string | null }>(query, [workspace]);
    return row === undefined || row.data === null || row.data === '' ? null : Buffer.from(row.data);
  }

  async write(workspace: string, bytes: Uint8Array): Promise<void> {
    await this.#prepare();
    const name = quoteIdentifier(this.#config.table);
    await this.#session.query(
      `INSERT INTO ${this.#table} (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = $2 WHERE ${name}.name = $1`,
      [workspace, Buffer.from(bytes).toString()],
    );
  }

  async lock(workspace: string, request: LockRequest): Promise<LockAttempt> {
    await this.#prepare();
    const id = await this.#rowId(workspace);
    // Whoever makes a row holds the creation lock; who finds one only looks whether it is free, as terraform does.
    const creation = [CREATION_LOCK, tofuCreationLock(this.#config.schema, this.#config.table)];
    const wanted = id === null ? creation : [id, ...creation];
    const taken: bigint[] = [];
    for (const key of wanted) {
      if (await this.#try(key)) taken.push(key);
      else {
        await this.#unlock(taken);
        const message =
          key === id ? `workspace ${workspace} is locked` : 'another client is creating a workspace';
        return { type: 'held', holder: null, message: `${message}${await this.#describe(key)}` };
      }
    }
    if (id !== null) await this.#unlock(creation);
    const kept = id === null ? creation : [id];
    const info: LockInfo = { ...request, path: String(id ?? CREATION_LOCK) };
    const lock = { workspace, id: info.id, info, lost: this.#session.broken };
    return { type: 'locked', lock: { ...lock, release: () => this.#release(kept) } };
  }

  async inspectLock(workspace: string): Promise<LockState> {
    const id = await this.#rowId(workspace);
    for (const key of id === null ? [CREATION_LOCK] : [id, CREATION_LOCK]) {
      const session = await this.#holder(key);
      if (session !== null) {
        return { type: 'held', holder: null, waiting: null, note: `held by ${describeSession(session)}` };
      }
    }
    return { type: 'free' };
  }

  /** The lock ID is the number of the session that holds it: PostgreSQL keeps no other. */
  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const id = (await this.#rowId(workspace)) ?? CREATION_LOCK;
    const session = (await this.#holder(id)) ?? (await this.#holder(CREATION_LOCK));
    if (session === null) return { type: 'not-locked' };
    if (String(session.pid) !== lockId) {
      return {
        type: 'impossible',
        message:
          `the lock ends with the database session that took it: ${describeSession(session)}. ` +
          `"statehouse force-unlock ${session.pid}" ends that session.`,
      };
    }
    await this.#session.query('SELECT pg_terminate_backend($1)', [session.pid]);
    return { type: 'broken' };
  }

  async examine(): Promise<readonly Finding[]> {
    const { connection, schema, table } = this.#config;
    const findings: Finding[] = [
      { level: 'hint', topic: 'history', message: 'the pg backend keeps no old versions', next: '' },
      {
        level: 'hint',
        topic: 'locking',
        message: 'locks belong to database sessions: a pooler in transaction mode would lose them',
        next: 'Connect to PostgreSQL itself, or to a pooler in session mode.',
      },
    ];
    const remote =
      !['localhost', '127.0.0.1', '::1'].includes(connection.host) && !connection.host.startsWith('/');
    if (remote && connection.ssl === false) {
      findings.push({
        level: 'warning',
        topic: 'encryption',
        message: 'states and the password travel unencrypted',
        next: 'Use sslmode=verify-full.',
      });
    }
    const columns = await this.#session.query<{ name: string }>(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2',
      [schema, table],
    );
    const missing = ['id', 'name', 'data'].filter((name) => !columns.some((column) => column.name === name));
    if (missing.length > 0) {
      findings.push({
        level: 'problem',
        topic: 'table',
        message:
          columns.length === 0
            ? `there is no table ${schema}.${table}`
            : `${schema}.${table} lacks ${missing.join()}`,
        next: 'Run "terraform init" to create it.',
      });
    }
    return findings;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  async #release(keys: readonly bigint[]): Promise<LockRelease> {
    if (this.#session.broken.aborted)
      return { type: 'lost', message: 'the connection broke, and the lock ended with it' };
    const released = await this.#unlock(keys);
    return released
      ? { type: 'released' }
      : { type: 'lost', message: 'the database session did not hold the lock' };
  }

  async #unlock(keys: readonly bigint[]): Promise<boolean> {
    let all = true;
    for (const key of keys) {
      const query = 'SELECT pg_advisory_unlock($1::bigint) AS done';
      const [row] = await this.#session.query<{ done: boolean }>(query, [key.toString()]);
      all &&= row?.done === true;
    }
    return all;
  }

  async #try(key: bigint): Promise<boolean> {
    // The same session would get the same lock again and again.
    const query = `SELECT CASE WHEN EXISTS (${LOCKS} AND l.pid = pg_backend_pid()) THEN false ELSE pg_try_advisory_lock($1::bigint) END AS done`;
    const [row] = await this.#session.query<{ done: boolean }>(query, [key.toString()]);
    return row?.done === true;
  }

  async #rowId(workspace: string): Promise<bigint | null> {
    const query = `SELECT id::text AS id FROM ${this.#table} WHERE name = $1`;
    const [row] = await this.#session.query<{ id: string }>(query, [workspace]);
    return row === undefined ? null : BigInt(row.id);
  }

  async #holder(key: bigint): Promise<Session | null> {
    const [row] = await this.#session.query<Session>(
      `SELECT a.pid, a.usename, host(a.client_addr) AS client, a.application_name AS application, a.backend_start AS since
       FROM pg_stat_activity a WHERE a.pid IN (${LOCKS})`,
      [key.toString()],
    );
    return row ?? null;
  }

  async #describe(key: bigint): Promise<string> {
    const session = await this.#holder(key);
    return session === null ? '' : `, by ${describeSession(session)}`;
  }

  #prepare(): Promise<void> {
    this.#prepared ??= this.#makeTable();
    return this.#prepared;
  }

  /** Terraform's own definitions, at each command that writes. */
  async #makeTable(): Promise<void> {
    const { schema, index, skipSchemaCreation, skipTableCreation, skipIndexCreation } = this.#config;
    const run = (sql: string): Promise<unknown> => this.#session.query(sql);
    if (!skipSchemaCreation) {
      const query = 'SELECT count(1)::int AS found FROM information_schema.schemata WHERE schema_name = $1';
      const [row] = await this.#session.query<{ found: number }>(query, [schema]);
      if (row?.found === 0) await run(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
    }
    if (!skipTableCreation) {
      await run(`CREATE SEQUENCE IF NOT EXISTS ${ID_SEQUENCE} AS bigint`);
      await run(
        `CREATE TABLE IF NOT EXISTS ${this.#table} (id bigint NOT NULL DEFAULT nextval('${ID_SEQUENCE}') PRIMARY KEY, name text UNIQUE, data text)`,
      );
    }
    if (!skipIndexCreation) {
      const name = quoteIdentifier(index);
      await run(`CREATE UNIQUE INDEX IF NOT EXISTS ${name} ON ${this.#table} (name)`);
    }
  }
}

/** Sessions that hold the advisory lock of one 64-bit key in this database; the server keeps the key in two halves. */
const LOCKS = `SELECT l.pid FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid = (($1::bigint >> 32) & 4294967295)::oid AND l.objid = ($1::bigint & 4294967295)::oid`;

function describeSession({ pid, usename, client, application, since }: Session): string {
  const parts = [
    `database session ${pid}`,
    usename === null ? '' : `of ${usename}`,
    client === null ? '' : `from ${client}`,
    application === null || application === '' ? '' : `(${application})`,
    since === null ? '' : `since ${since.toISOString()}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}
