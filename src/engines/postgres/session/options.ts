import { EngineFault } from '../../../ports/engine.ts';

/** Where the database is, and how it is used. */
export interface PostgresOptions {
  /** As `pg` and libpq read it, without what is ours. */
  readonly url: string;
  /** The schema of all our tables, so that a database can be shared with other programs. */
  readonly schema: string;
  /** Connections of one node, besides one that listens. */
  readonly poolSize: number;
  /** Whether statements are prepared; a pooler may not keep them. */
  readonly prepares: boolean;
}

const SCHEMA_DEFAULT = 'statehouse';
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;
const POOL_SIZE_DEFAULT = 10;
const POOL_SIZE_MIN = 2;
const POOL_SIZE_MAX = 100;

/**
 * Reads `postgres://user@host/database?schema=…&pool=…&prepared=…`; what else the query says goes to the driver.
 * @throws {EngineFault} when it cannot be meant
 */
export function parsePostgresUrl(text: string): PostgresOptions {
  if (!URL.canParse(text) || !/^postgres(?:ql)?:/.test(text)) {
    throw new EngineFault('a database URL is written postgres://user@host/database');
  }
  const url = new URL(text);
  const schema = url.searchParams.get('schema') ?? SCHEMA_DEFAULT;
  if (!SCHEMA.test(schema)) {
    throw new EngineFault('the schema of a database URL is made of lower-case letters, digits and "_"');
  }
  const poolSize = Number(url.searchParams.get('pool') ?? POOL_SIZE_DEFAULT);
  if (!Number.isInteger(poolSize) || poolSize < POOL_SIZE_MIN || poolSize > POOL_SIZE_MAX) {
    throw new EngineFault(`the pool of a database URL has ${POOL_SIZE_MIN} to ${POOL_SIZE_MAX} connections`);
  }
  const prepared = url.searchParams.get('prepared') ?? 'on';
  if (prepared !== 'on' && prepared !== 'off') {
    throw new EngineFault('"prepared" of a database URL is "on" or "off"');
  }
  for (const name of ['schema', 'pool', 'prepared']) url.searchParams.delete(name);
  return { url: url.href, schema, poolSize, prepares: prepared === 'on' };
}
