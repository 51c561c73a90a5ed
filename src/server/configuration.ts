import type { Environment } from '../ports/environment.ts';
import { isProblem, readBoolean, readWholeNumber, readWord, type Problem } from '../core/read-value.ts';
import {
  mapLimits,
  readRetention,
  RETENTION_LIMITS,
  type Retention,
  type RetentionLimit,
} from '../core/retention.ts';

/** Where the house keeps everything. */
export type Store =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }
  /** Kept in memory and gone with the process: for tests and demonstrations. */
  | { readonly kind: 'memory' };

export type Tls =
  | { readonly kind: 'none' }
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  | { readonly kind: 'self-signed' };

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** All that `statehouse serve` can be told, as its parts use it. */
export interface Configuration {
  readonly host: string;
  readonly port: number;
  /** The name under which clients reach the house, so that a name before it can be a bucket's; null if it has none. */
  readonly domain: string | null;
  readonly store: Store;
  readonly tls: Tls;
  /** Text of the master keys; null to use the file. */
  readonly masterKeys: string | null;
  /** Path of the master key file; null for the one in the data directory. */
  readonly masterKeyFile: string | null;
  /** Rows that nobody has authenticated, because an older program wrote them, are taken as they are. */
  readonly adoptUnauthenticated: boolean;
  /** `id.secret` of an admin that must exist; null to make one at the first start. */
  readonly adminCredential: string | null;
  readonly stateBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly plansShare: boolean;
  readonly retention: Retention;
  readonly logLevel: LogLevel;
  /** How long open requests may take to end when the house is told to stop. */
  readonly shutdownMs: number;
}

/** One setting, as the command line, the environment and the documents have it. The key names it: `stateLimit`. */
export interface Setting<T> {
  /** Shown after the option's name in the help; empty for a setting that is on when it is named. */
  readonly placeholder: string;
  readonly help: string;
  /** The default as the help shows it; null where there is none. */
  readonly fallback: string | null;
  /** Reads the text that was given, else the default. */
  readonly read: (text: string | undefined) => T | Problem;
}

/** What `statehouse serve` is told, option by option. */
export interface Settings extends Readonly<Record<RetentionLimit, number>> {
  readonly listen: Pick<Configuration, 'host' | 'port'>;
  readonly domain: string | null;
  readonly data: string | null;
  readonly database: string | null;
  readonly masterKey: string | null;
  readonly masterKeyFile: string | null;
  readonly adoptUnauthenticated: boolean;
  readonly adminCredential: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly tlsSelfSigned: boolean;
  /** In MiB, as is the next one. */
  readonly stateLimit: number;
  readonly inFlightLimit: number;
  readonly noSharedPlans: boolean;
  /** In seconds. */
  readonly shutdownTimeout: number;
  readonly logLevel: LogLevel;
}

const MEBIBYTE = 1_048_576;
export const DEFAULT_LISTEN = '127.0.0.1:7117';
export const DEFAULT_DATA = './statehouse-data';
/** What many hosts call the database of a service. It counts where nothing else says where to keep things. */
const HOSTS_DATABASE = 'DATABASE_URL';

/** Every setting of `statehouse serve`. What it takes and its default are written here and nowhere else. */
export const SETTINGS: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  listen: {
    placeholder: 'HOST:PORT',
    help: 'listen at this address',
    fallback: DEFAULT_LISTEN,
    read: (text = DEFAULT_LISTEN) => readListen(text),
  },
  domain: optional('NAME', 'the name under which clients reach the server: bucket.NAME is then an S3 bucket'),
  data: optional('DIR', `the data directory of the embedded engine (default: ${DEFAULT_DATA})`),
  database: optional(
    'URL',
    `keep everything in this PostgreSQL database instead (postgres://…); ${HOSTS_DATABASE} does the same`,
  ),
  masterKey: optional(
    'KEYS',
    'the master key, base64 of 32 bytes; after a comma, former master keys that can still open data',
  ),
  masterKeyFile: optional('FILE', 'read the master key from this file'),
  adoptUnauthenticated: flag(
    'take data as it is that no server has authenticated, and authenticate it: once, after an upgrade from 0.1',
  ),
  adminCredential: optional('ID.SECRET', 'an admin credential that must exist, for automation'),
  tlsCert: optional('FILE', 'certificate chain, PEM'),
  tlsKey: optional('FILE', 'private key, PEM'),
  tlsSelfSigned: flag('use a self-signed certificate, kept in the data directory'),
  stateLimit: whole(512, { from: 1, to: 1_900 }, 'MIB', 'the largest state that is accepted'),
  inFlightLimit: whole(
    1_024,
    { from: 1, to: 65_536 },
    'MIB',
    'the total size of states that may be uploaded at one time',
  ),
  noSharedPlans: flag('let each plan hold the lock alone'),
  ...mapLimits((limit) => {
    const { keeps, max, placeholder } = RETENTION_LIMITS[limit];
    return whole(0, { from: 0, to: max }, placeholder, `keep ${keeps}; 0 keeps all`);
  }),
  shutdownTimeout: whole(
    20,
    { from: 0, to: 3_600 },
    'SECONDS',
    'wait at most SECONDS for open requests to end',
  ),
  logLevel: {
    placeholder: LOG_LEVELS.join('|'),
    help: 'what to log on standard error',
    fallback: 'info',
    read: (text = 'info') => readWord(text, LOG_LEVELS),
  },
};

/** The part of the configuration that every user of the API may read in `/info`: numbers and truth values. */
export type ShownSettings = Pick<Configuration, 'stateBytesMax' | 'plansShare'>;

/** What each of it means. */
export const SHOWN_SETTINGS: { readonly [K in keyof ShownSettings]: string } = {
  stateBytesMax: 'Bytes of the largest state that is accepted.',
  plansShare: 'Whether plans hold the lock together where a door can tell them apart.',
};

/** What of a configuration every user may know. */
export function toldOf(configuration: Configuration): ShownSettings {
  const entries = Object.keys(SHOWN_SETTINGS).map((field) => [
    field,
    configuration[field as keyof ShownSettings],
  ]);
  return Object.fromEntries(entries) as ShownSettings;
}

/** The configuration that follows from the settings. */
export function configure(given: Settings, env: Environment = {}): Configuration | Problem {
  const tls = tlsOf(given);
  if (isProblem(tls)) return tls;
  return {
    ...given.listen,
    domain: given.domain,
    store: storeOf(given, env),
    tls,
    masterKeys: given.masterKey,
    masterKeyFile: given.masterKeyFile,
    adoptUnauthenticated: given.adoptUnauthenticated,
    adminCredential: given.adminCredential,
    stateBytesMax: given.stateLimit * MEBIBYTE,
    inFlightBytesMax: given.inFlightLimit * MEBIBYTE,
    plansShare: !given.noSharedPlans,
    retention: readRetention({ ...given }),
    logLevel: given.logLevel,
    shutdownMs: given.shutdownTimeout * 1_000,
  };
}

/** The configuration of a house to which nothing is said. */
export const DEFAULTS: Configuration = standard();

function standard(): Configuration {
  const values = Object.entries(SETTINGS).map(([name, { read }]) => [name, read(undefined)]);
  const configuration = configure(Object.fromEntries(values) as Settings);
  if (isProblem(configuration)) throw new Error(configuration.problem);
  return configuration;
}

function readListen(listen: string): { readonly host: string; readonly port: number } | Problem {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    return { problem: `invalid address "${listen}": expected HOST:PORT, for example 127.0.0.1:7117` };
  return { host: match[1] ?? (match[2] === '' ? '0.0.0.0' : (match[2] ?? '')), port };
}

function storeOf({ database, data }: Pick<Settings, 'database' | 'data'>, env: Environment): Store {
  const url = database ?? (data === null ? env[HOSTS_DATABASE] : undefined) ?? '';
  return url === '' ? { kind: 'directory', path: data ?? DEFAULT_DATA } : { kind: 'postgres', url };
}

function tlsOf({ tlsCert, tlsKey, tlsSelfSigned }: Settings): Tls | Problem {
  if (tlsCert !== null && tlsKey !== null) return { kind: 'files', cert: tlsCert, key: tlsKey };
  if (tlsCert === null && tlsKey === null) return { kind: tlsSelfSigned ? 'self-signed' : 'none' };
  const missing = tlsCert === null ? '--tls-cert' : '--tls-key';
  return { problem: `${missing} is missing: --tls-cert and --tls-key go together` };
}

function optional(placeholder: string, help: string): Setting<string | null> {
  return { placeholder, help, fallback: null, read: (text) => text ?? null };
}

function flag(help: string): Setting<boolean> {
  return { placeholder: '', help, fallback: null, read: (text = '') => readBoolean(text) };
}

function whole(
  fallback: number,
  bounds: { readonly from: number; readonly to: number },
  placeholder: string,
  help: string,
): Setting<number> {
  const read = (text: string | undefined): number | Problem =>
    text === undefined ? fallback : readWholeNumber(text, bounds);
  return { placeholder, help, fallback: String(fallback), read };
}
