import type { Client, QueryResultRow } from 'pg';
import { BackendFault } from '../../../ports/state-client.ts';
import { whoAmI } from '../../lock-request.ts';
import type { PgConfig } from './config.ts';

/** PostgreSQL cuts longer names. */
const NAME_LENGTH_MAX = 63;

/**
 * One connection, opened when it is first needed. Advisory locks belong to it: when it breaks, they are gone.
 */
export class PgSession {
  readonly #config: PgConfig;
  readonly #broken = new AbortController();
  #client: Promise<Client> | null = null;
  /** Settles when the last query is answered: a connection answers one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #closing = false;

  constructor(config: PgConfig) {
    this.#config = config;
  }

  /** Aborted when the connection, and every lock on it, is lost. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  async query<R extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<readonly R[]> {
    this.#client ??= this.#connect();
    const connected = this.#client;
    const answer = this.#last.then(async () => (await connected).query<R>(text, [...values]));
    this.#last = answer.catch(() => undefined);
    try {
      return (await answer).rows;
    } catch (fault) {
      throw explain(fault, this.#config);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    await client?.end();
  }

  async #connect(): Promise<Client> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      ...this.#config.connection,
      // PostgreSQL keeps no lock info: this is all that others see of who holds a lock.
      application_name: `statehouse ${whoAmI()}`.slice(0, NAME_LENGTH_MAX),
      keepAlive: true,
    });
    const lose = (): void => {
      if (!this.#closing) this.#broken.abort();
    };
    client.on('error', lose);
    client.on('end', lose);
    await client.connect();
    return client;
  }
}

function explain(fault: unknown, { connection, schema, table }: PgConfig): unknown {
  if (fault instanceof BackendFault || !(fault instanceof Error)) return fault;
  const code = 'code' in fault ? String(fault.code) : '';
  const where = `${connection.host}:${connection.port}`;
  if (code === '42P01' || code === '3F000') {
    return new BackendFault(
      'missing',
      `there is no table ${schema}.${table} in database ${connection.database}`,
      'Run "terraform init" to create it, or check schema_name (PG_SCHEMA_NAME).',
      fault,
    );
  }
  if (code === '3D000') {
    return new BackendFault('missing', `there is no database ${connection.database} at ${where}`, '', fault);
  }
  if (code.startsWith('28') || code === '42501') {
    const next = 'Check user and password in the connection string (PG_CONN_STR, PGUSER, PGPASSWORD).';
    return new BackendFault(
      'denied',
      `PostgreSQL at ${where} refused the connection: ${fault.message}`,
      next,
      fault,
    );
  }
  if (fault.message.includes('does not support SSL')) {
    const next = 'Put sslmode=disable into the connection string if you trust the network.';
    return new BackendFault('configuration', `PostgreSQL at ${where} does not support TLS`, next, fault);
  }
  if (/^[0-9A-Z]{5}$/.test(code) && !code.startsWith('08') && !code.startsWith('57')) {
    return new BackendFault('other', `PostgreSQL: ${fault.message}`, '', fault);
  }
  const why = fault.message === '' ? code : fault.message;
  return new BackendFault(
    'unreachable',
    `PostgreSQL does not answer at ${where}: ${why}`,
    'Check the address, and whether PostgreSQL runs.',
    fault,
  );
}
