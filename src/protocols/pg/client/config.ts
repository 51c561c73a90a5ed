import type { Environment } from '../../../ports/environment.ts';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { BackendFault } from '../../../ports/state-client.ts';
import type { BackendAttributes } from '../../attributes.ts';
import { readBoolean, readText } from '../../attributes.ts';
import { DEFAULT_INDEX, DEFAULT_SCHEMA, DEFAULT_TABLE } from '../layout.ts';

export interface PgConfig {
  readonly connection: PgConnection;
  readonly schema: string;
  readonly table: string;
  readonly index: string;
  readonly skipSchemaCreation: boolean;
  readonly skipTableCreation: boolean;
  readonly skipIndexCreation: boolean;
}

/** What the driver is given. */
export interface PgConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
  readonly connectionTimeoutMillis: number;
}

const CONNECT_MS_MAX = 30_000;

export function readPgConfig(attributes: BackendAttributes, env: Environment): PgConfig {
  const skip = (what: string): boolean =>
    readBoolean(attributes, `skip_${what}_creation`, env, `PG_SKIP_${what.toUpperCase()}_CREATION`);
  return {
    connection: readConnection(readText(attributes, 'conn_str', env, 'PG_CONN_STR') ?? '', env),
    schema: readText(attributes, 'schema_name', env, 'PG_SCHEMA_NAME') ?? DEFAULT_SCHEMA,
    table: readText(attributes, 'table_name', env, 'PG_TABLE_NAME') ?? DEFAULT_TABLE,
    index: readText(attributes, 'index_name', env, 'PG_INDEX_NAME') ?? DEFAULT_INDEX,
    skipSchemaCreation: skip('schema'),
    skipTableCreation: skip('table'),
    skipIndexCreation: skip('index'),
  };
}

/** Reads a connection string, a URL or `key=value` pairs, with libpq's variables for what it leaves out, as lib/pq does. */
export function readConnection(text: string, env: Environment): PgConnection {
  const given = /^postgres(?:ql)?:\/\//.test(text) ? readUrl(text) : readPairs(text);
  const setting = (name: string, variable: string): string | undefined => {
    const value = given.get(name) ?? env[variable];
    return value === '' ? undefined : value;
  };
  const user = setting('user', 'PGUSER') ?? userInfo().username;
  const port = setting('port', 'PGPORT') ?? '5432';
  if (!/^\d{1,5}$/.test(port)) throw invalid('its port is not a number');
  const timeout = Number(setting('connect_timeout', 'PGCONNECT_TIMEOUT') ?? 0) * 1_000;
  const host = setting('host', 'PGHOST') ?? 'localhost';
  return {
    host,
    port: Number(port),
    user,
    password: setting('password', 'PGPASSWORD'),
    database: setting('dbname', 'PGDATABASE') ?? user,
    ssl: readTls(host, setting),
    connectionTimeoutMillis: timeout > 0 ? timeout : CONNECT_MS_MAX,
  };
}

function readUrl(text: string): ReadonlyMap<string, string> {
  if (!URL.canParse(text)) throw invalid('it is not a valid URL');
  const url = new URL(text);
  const parts: readonly (readonly [string, string])[] = [
    ['host', url.hostname.replace(/^\[|\]$/g, '')],
    ['port', url.port],
    ['user', url.username],
    ['password', url.password],
    ['dbname', url.pathname.slice(1)],
  ];
  const found = new Map(
    parts.filter(([, value]) => value !== '').map(([name, value]) => [name, unescape(value)]),
  );
  for (const [name, value] of url.searchParams) found.set(name, value);
  return found;
}

/** `host=db user='my user'`: values may be quoted, and a backslash escapes. */
function readPairs(text: string): ReadonlyMap<string, string> {
  const pair = /\s*([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))\s*/y;
  const found = new Map<string, string>();
  while (pair.lastIndex < text.trimEnd().length) {
    const match = pair.exec(text);
    if (match === null) throw invalid('it is neither a postgres:// URL nor key=value pairs');
    found.set(match[1] ?? '', (match[2] ?? match[3] ?? '').replace(/\\(.)/g, '$1'));
  }
  return found;
}

/** lib/pq asks for TLS unless told otherwise, and verifies only when told to. */
function readTls(
  host: string,
  setting: (name: string, variable: string) => string | undefined,
): false | ConnectionOptions {
  const mode = setting('sslmode', 'PGSSLMODE') ?? 'require';
  if (mode === 'disable' || host.startsWith('/')) return false;
  if (!['require', 'verify-ca', 'verify-full'].includes(mode)) {
    throw invalid(`invalid sslmode "${mode}": expected require, verify-ca, verify-full or disable`);
  }
  const root = setting('sslrootcert', 'PGSSLROOTCERT');
  const [certificate, key] = [setting('sslcert', 'PGSSLCERT'), setting('sslkey', 'PGSSLKEY')];
  return {
    // As in libpq: a root certificate makes even "require" verify the chain.
    rejectUnauthorized: mode !== 'require' || root !== undefined,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(root === undefined ? {} : { ca: readPem(root) }),
    ...(certificate === undefined ? {} : { cert: readPem(certificate) }),
    ...(key === undefined ? {} : { key: readPem(key) }),
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    throw invalid(`its certificate file ${path} cannot be read`, fault);
  }
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('it has an invalid percent-encoding');
  }
}

/** Never with the connection string itself, which has a password in it. */
function invalid(why: string, cause?: unknown): BackendFault {
  return new BackendFault(
    'configuration',
    `the pg backend's connection string is not valid: ${why}`,
    'Write it like postgres://user:password@host:5432/database?sslmode=require (PG_CONN_STR).',
    cause,
  );
}
