import type { S3Settings } from '../protocols/door.ts';
import type { Milliseconds } from '../core/instant.ts';
import type { Environment } from '../ports/environment.ts';
import { isProblem, readBoolean, readWholeNumber, readWord, type Problem } from '../core/read-value.ts';
import { readDevices, type DeviceSetting } from './audit-devices/read-device.ts';
import { networkProblem } from './peer.ts';
import {
  mapLimits,
  readRetention,
  RETENTION_LIMITS,
  type Retention,
  type RetentionLimit,
} from '../core/retention.ts';
import type { ClientCertificates } from './listener.ts';
import { readSecretFile } from './secret-file.ts';

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
  /** The file of the authorities that sign certificates of clients; null where clients are not asked for one. */
  readonly clientCa: string | null;
  readonly clientCertificates: ClientCertificates;
  /** Text of the master keys; null to use the file. */
  readonly masterKeys: string | null;
  /** Path of the master key file; null for the one in the data directory. */
  readonly masterKeyFile: string | null;
  /** Whether a file with a secret may be one that other users of the machine can read. */
  readonly exposedSecrets: boolean;
  /** Where the house writes files of its own, if it keeps no data in a directory; null for the present one. */
  readonly directory: string | null;
  /** Rows that nobody has authenticated, because an older program wrote them, are taken as they are. */
  readonly adoptUnauthenticated: boolean;
  /** `id.secret` of an admin that must exist; null to make one at the first start. */
  readonly adminCredential: string | null;
  readonly stateBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly uploadBytesMax: number;
  /** Milliseconds. */
  readonly uploadIdle: number;
  readonly waitersMax: number;
  /** Requests a second of one credential; 0 for no limit. */
  readonly requestRate: number;
  readonly trustedProxies: readonly string[];
  readonly plansShare: boolean;
  /** How long a lock must have been held to be broken by who does not name it. */
  readonly breakGuard: Milliseconds;
  readonly s3: S3Settings;
  /** How long after its expiry a credential may bring home what it holds a lock for. */
  readonly expiryGrace: Milliseconds;
  /** How long revoked and expired credentials are kept. */
  readonly deadCredentialsKept: Milliseconds;
  readonly retention: Retention;
  /** Where records of the audit log are sent, besides being kept. */
  readonly auditDevices: readonly DeviceSetting[];
  /** Nothing is answered whose record no audit device has taken. */
  readonly auditRequired: boolean;
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
  /** Whether such a text is a secret, which every user of the machine reads when it stands on the command line. */
  readonly isSecret?: (text: string) => boolean;
}

/** What `statehouse serve` is told, option by option. */
export interface Settings extends Readonly<Record<RetentionLimit, number>> {
  readonly listen: Pick<Configuration, 'host' | 'port'>;
  readonly domain: string | null;
  readonly data: string | null;
  readonly database: string | null;
  readonly databaseFile: string | null;
  readonly masterKey: string | null;
  readonly masterKeyFile: string | null;
  readonly adoptUnauthenticated: boolean;
  readonly adminCredential: string | null;
  readonly adminCredentialFile: string | null;
  readonly exposedSecrets: boolean;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly tlsSelfSigned: boolean;
  readonly tlsClientCa: string | null;
  readonly tlsClientRequired: boolean;
  /** In MiB, as are the next two. */
  readonly stateLimit: number;
  readonly inFlightLimit: number;
  readonly uploadLimit: number;
  /** In minutes. */
  readonly uploadIdle: number;
  readonly waiterLimit: number;
  readonly requestRate: number;
  readonly trustedProxy: readonly string[];
  readonly noSharedPlans: boolean;
  /** In seconds. */
  readonly breakGuard: number;
  readonly strictS3: boolean;
  readonly allowUnsignedBodies: boolean;
  /** In seconds. */
  readonly expiryGrace: number;
  /** In days. */
  readonly keepDeadCredentials: number;
  readonly auditLog: readonly DeviceSetting[];
  readonly auditRequired: boolean;
  /** In seconds. */
  readonly shutdownTimeout: number;
  readonly logLevel: LogLevel;
}

const MEBIBYTE = 1_048_576;
const DAY_MS: Milliseconds = 86_400_000;
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
    hasPassword,
  ),
  databaseFile: optional('FILE', 'read the URL of the database from this file'),
  masterKey: optional(
    'KEYS',
    'the master key, base64 of 32 bytes; after a comma, former master keys that can still open data',
    () => true,
  ),
  masterKeyFile: optional('FILE', 'read the master key from this file'),
  adoptUnauthenticated: flag(
    'take data as it is that no server has authenticated, and authenticate it: once, after an upgrade from 0.1',
  ),
  adminCredential: optional('ID.SECRET', 'an admin credential that must exist, for automation', () => true),
  adminCredentialFile: optional('FILE', 'read that admin credential from this file'),
  exposedSecrets: flag('accept files with secrets that other users of this machine can read'),
  tlsCert: optional('FILE', 'certificate chain, PEM'),
  tlsKey: optional('FILE', 'private key, PEM'),
  tlsSelfSigned: flag('use a self-signed certificate, kept in the data directory and renewed before it ends'),
  tlsClientCa: optional('FILE', 'accept client certificates that these authorities signed, PEM'),
  tlsClientRequired: flag('refuse connections without such a certificate'),
  stateLimit: whole(512, { from: 1, to: 1_900 }, 'MIB', 'the largest state that is accepted'),
  inFlightLimit: whole(
    1_024,
    { from: 1, to: 65_536 },
    'MIB',
    'the total size of states that may be uploaded at one time',
  ),
  uploadLimit: whole(
    4_096,
    { from: 1, to: 1_048_576 },
    'MIB',
    'the total size of multipart uploads that are not completed',
  ),
  uploadIdle: whole(
    60,
    { from: 1, to: 1_440 },
    'MINUTES',
    'drop a multipart upload of which nothing has arrived for MINUTES',
  ),
  waiterLimit: whole(
    20_000,
    { from: 1, to: 1_000_000 },
    'N',
    'hold at most N lock requests open; one credential may have half of them',
  ),
  requestRate: whole(
    1_000,
    { from: 0, to: 1_000_000 },
    'N',
    'accept N requests per second from one credential; 0 sets no limit',
  ),
  trustedProxy: {
    placeholder: 'NETWORKS',
    help: 'the reverse proxies whose X-Forwarded-For is believed: addresses or networks (10.0.0.0/8), separated by commas',
    fallback: null,
    read: (text) => readNetworks(text),
  },
  noSharedPlans: flag('let each plan hold the lock alone'),
  breakGuard: whole(
    120,
    { from: 0, to: 86_400 },
    'SECONDS',
    'refuse to break a lock that is not named, as terraform force-unlock over http does, in its first SECONDS',
  ),
  strictS3: flag('refuse at the S3 door what it would only confirm: KMS and customer keys, policies, ACLs …'),
  allowUnsignedBodies: flag(
    'take S3 bodies that are not signed over plain HTTP from other machines, for a proxy that ends TLS',
  ),
  expiryGrace: whole(
    3_600,
    { from: 0, to: 604_800 },
    'SECONDS',
    'how long an expired credential may still write and release under a lock that it took before; 0 for not at all',
  ),
  keepDeadCredentials: whole(
    30,
    { from: 1, to: 3_650 },
    'DAYS',
    'how long revoked and expired credentials are listed; the audit log keeps them',
  ),
  ...mapLimits((limit) => {
    const { fallback, max, placeholder, says } = RETENTION_LIMITS[limit];
    return whole(fallback, { from: 0, to: max }, placeholder, says);
  }),
  auditLog: {
    placeholder: 'DEVICE,…',
    help: 'send the records of the audit log to these as well: file:PATH, syslog:HOST:PORT, syslog+tcp:…, syslog+tls:…, https://…',
    fallback: null,
    read: (text) => readDevices(text ?? null),
  },
  auditRequired: flag('answer nothing whose record no device of --audit-log has taken'),
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
  const admin = secretOf('admin-credential', given.adminCredential, given.adminCredentialFile, given);
  if (isProblem(admin)) return admin;
  const database = secretOf('database', given.database, given.databaseFile, given);
  if (isProblem(database)) return database;
  if (given.auditRequired && given.auditLog.length === 0) {
    return { problem: '--audit-log is missing: --audit-required needs a device' };
  }
  return {
    ...given.listen,
    domain: given.domain,
    store: storeOf({ database, data: given.data }, env),
    tls,
    clientCa: given.tlsClientCa,
    clientCertificates:
      given.tlsClientCa === null ? 'none' : given.tlsClientRequired ? 'required' : 'optional',
    masterKeys: given.masterKey,
    masterKeyFile: given.masterKeyFile,
    exposedSecrets: given.exposedSecrets,
    directory: given.data,
    adoptUnauthenticated: given.adoptUnauthenticated,
    adminCredential: admin,
    stateBytesMax: given.stateLimit * MEBIBYTE,
    inFlightBytesMax: given.inFlightLimit * MEBIBYTE,
    uploadBytesMax: given.uploadLimit * MEBIBYTE,
    waitersMax: given.waiterLimit,
    requestRate: given.requestRate,
    trustedProxies: given.trustedProxy,
    uploadIdle: given.uploadIdle * 60_000,
    plansShare: !given.noSharedPlans,
    breakGuard: given.breakGuard * 1_000,
    s3: { strict: given.strictS3, unsignedBodies: given.allowUnsignedBodies },
    expiryGrace: given.expiryGrace * 1_000,
    deadCredentialsKept: given.keepDeadCredentials * DAY_MS,
    retention: readRetention({ ...given }),
    auditDevices: given.auditLog,
    auditRequired: given.auditRequired,
    logLevel: given.logLevel,
    shutdownMs: given.shutdownTimeout * 1_000,
  };
}

/** Where the house writes files of its own. */
export function ownDirectory({ store, directory }: Pick<Configuration, 'store' | 'directory'>): string {
  return store.kind === 'directory' ? store.path : (directory ?? '.');
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

function readNetworks(text = ''): readonly string[] | Problem {
  const networks = text
    .split(',')
    .map((network) => network.trim())
    .filter((network) => network !== '');
  const problem = networks.map((network) => networkProblem(network)).find((found) => found !== null);
  return problem === undefined ? networks : { problem };
}

function storeOf({ database, data }: Pick<Settings, 'database' | 'data'>, env: Environment): Store {
  const url = database ?? (data === null ? env[HOSTS_DATABASE] : undefined) ?? '';
  return url === '' ? { kind: 'directory', path: data ?? DEFAULT_DATA } : { kind: 'postgres', url };
}

/** A secret that is given as it is, or in a file. */
function secretOf(
  option: string,
  text: string | null,
  file: string | null,
  { exposedSecrets }: Pick<Settings, 'exposedSecrets'>,
): string | null | Problem {
  if (file === null || text !== null) return text;
  const secret = readSecretFile(file, exposedSecrets);
  return isProblem(secret) ? { problem: `--${option}-file: ${secret.problem}` } : secret;
}

/** Whether a database's URL has a password in it. */
export function hasPassword(url: string): boolean {
  return !URL.canParse(url) || new URL(url).password !== '' || new URL(url).searchParams.has('password');
}

function tlsOf(given: Settings): Tls | Problem {
  const { tlsCert, tlsKey, tlsSelfSigned, tlsClientCa, tlsClientRequired } = given;
  if (tlsClientRequired && tlsClientCa === null)
    return { problem: '--tls-client-ca is missing: --tls-client-required needs it' };
  if (tlsClientCa !== null && tlsCert === null && tlsKey === null && !tlsSelfSigned)
    return { problem: '--tls-client-ca needs TLS: add --tls-cert and --tls-key, or --tls-self-signed' };
  if (tlsCert !== null && tlsKey !== null) return { kind: 'files', cert: tlsCert, key: tlsKey };
  if (tlsCert === null && tlsKey === null) return { kind: tlsSelfSigned ? 'self-signed' : 'none' };
  const missing = tlsCert === null ? '--tls-cert' : '--tls-key';
  return { problem: `${missing} is missing: --tls-cert and --tls-key go together` };
}

function optional(
  placeholder: string,
  help: string,
  isSecret: (text: string) => boolean = () => false,
): Setting<string | null> {
  return { placeholder, help, fallback: null, read: (text) => text ?? null, isSecret };
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
