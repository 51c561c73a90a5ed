import { readBodyPlace, type BodyPlace } from './bodies/place.ts';
import { ACCOUNT, DEFAULT_ACCOUNT } from '../protocols/aws/account.ts';
import { RUN_NETWORKS, type RunNetwork } from '../runs/executors/network.ts';
import { readWord, type Problem } from '../core/read-value.ts';
import { mapQuotas, QUOTAS, type Quota } from '../core/quota.ts';
import { mapLimits, RETENTION_LIMITS, type RetentionLimit } from '../core/retention.ts';
import { readDevices, type DeviceSetting } from './audit-devices/read-device.ts';
import { readPublicUrl } from './origin.ts';
import { flag, optional, readListen, readNetworks, whole, type Setting } from './setting.ts';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whether the server executes runs itself, and how they are kept apart from it. */
const RUN_MODES = ['off', 'sandbox', 'local', 'agents'] as const;
export type RunMode = (typeof RUN_MODES)[number];

/** What `statehouse serve` is told, option by option. */
export interface Settings extends Readonly<Record<RetentionLimit | Quota, number>> {
  readonly listen: { readonly host: string; readonly port: number };
  readonly domain: string | null;
  readonly publicUrl: string | null;
  readonly data: string | null;
  readonly database: string | null;
  readonly databaseFile: string | null;
  readonly bodies: BodyPlace | null;
  /** In KiB. */
  readonly bodiesFrom: number;
  /** In days. */
  readonly bodiesKeep: number;
  readonly takeBodies: boolean;
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
  readonly awsAccount: string;
  /** In seconds. */
  readonly breakGuard: number;
  readonly strictS3: boolean;
  readonly allowUnsignedBodies: boolean;
  readonly s3DeleteVersions: boolean;
  /** In seconds. */
  readonly expiryGrace: number;
  /** In minutes. */
  readonly pageIdle: number;
  /** In hours. */
  readonly pageSession: number;
  /** In days, as are the next two. */
  readonly keepDeadCredentials: number;
  readonly keepAuditDays: number;
  readonly keepRefused: number;
  /** In MiB. */
  readonly refusedLimit: number;
  readonly stuckFactor: number;
  /** In minutes. */
  readonly stuckFloor: number;
  /** In days. */
  readonly backupDays: number;
  readonly runs: RunMode;
  readonly runSlots: number;
  readonly runPrograms: string | null;
  readonly runDirectory: string | null;
  readonly runIssuer: string | null;
  /** In MiB. */
  readonly runMemory: number;
  readonly runNetwork: RunNetwork;
  /** In hours. */
  readonly runConfirm: number;
  /** In days. */
  readonly keepRuns: number;
  readonly auditLog: readonly DeviceSetting[];
  readonly auditRequired: boolean;
  /** In seconds. */
  readonly shutdownTimeout: number;
  readonly logLevel: LogLevel;
}

export const DEFAULT_LISTEN = '127.0.0.1:7117';
export const DEFAULT_DATA = './statehouse-data';
/** What many hosts call the database of a service. It counts where nothing else says where to keep things. */
export const HOSTS_DATABASE = 'DATABASE_URL';

/** Every setting of `statehouse serve`. What it takes and its default are written here and nowhere else. */
export const SETTINGS: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
  listen: {
    placeholder: 'HOST:PORT',
    help: 'listen at this address',
    fallback: DEFAULT_LISTEN,
    read: (text = DEFAULT_LISTEN) => readListen(text),
  },
  domain: optional(
    'NAME',
    'the name under which clients reach the server: bucket.NAME is then an S3 bucket, ACCOUNT.blob.NAME an account of Azure',
  ),
  publicUrl: {
    placeholder: 'URL',
    help: 'where people find the server in a browser, for links in what is told them; by default as they have asked it',
    fallback: null,
    read: readPublicUrl,
  },
  trustedProxy: {
    placeholder: 'NETWORKS',
    help: 'the reverse proxies whose X-Forwarded-For is believed: addresses or networks (10.0.0.0/8), separated by commas',
    fallback: null,
    read: (text) => readNetworks(text),
  },
  data: optional('DIR', `the data directory of the embedded engine (default: ${DEFAULT_DATA})`),
  database: optional(
    'URL',
    `keep everything in this PostgreSQL database instead (postgres://…); ${HOSTS_DATABASE} does the same`,
    hasPassword,
  ),
  databaseFile: optional('FILE', 'read the URL of the database from this file'),
  bodies: {
    placeholder: 'PLACE',
    help: 'keep large states, encrypted, in an object store beside the database: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or azblob://CONTAINER/PREFIX?account=ACCOUNT',
    fallback: null,
    read: readBodyPlace,
  },
  bodiesFrom: whole(
    64,
    { from: 1, to: 1_048_576 },
    'KIB',
    'keep states there that take KIB or more once compressed',
  ),
  bodiesKeep: whole(
    7,
    { from: 0, to: 3_650 },
    'DAYS',
    'keep the object of a state that was removed for DAYS, as long as backups of the database are to be of use',
  ),
  takeBodies: flag(
    'take the place of --bodies from the server that had it, which must never run again: once, after a restore or a move',
  ),
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
  noSharedPlans: flag('let each plan hold the lock alone'),
  breakGuard: whole(
    120,
    { from: 0, to: 86_400 },
    'SECONDS',
    'refuse to break a lock that is not named, as terraform force-unlock over http does, in its first SECONDS',
  ),
  expiryGrace: whole(
    3_600,
    { from: 0, to: 604_800 },
    'SECONDS',
    'how long an expired credential may still write and release under a lock that it took before; 0 for not at all',
  ),
  awsAccount: {
    placeholder: 'NUMBER',
    help: 'the account that AWS clients are told everything belongs to, as in allowed_account_ids',
    fallback: DEFAULT_ACCOUNT,
    read: (text = DEFAULT_ACCOUNT) =>
      ACCOUNT.test(text) ? text : { problem: `invalid account "${text}": expected 12 digits` },
  },
  strictS3: flag('refuse at the S3 door what it would only confirm: KMS and customer keys, policies, ACLs …'),
  allowUnsignedBodies: flag(
    'take S3 bodies that are not signed over plain HTTP from other machines, for a proxy that ends TLS',
  ),
  s3DeleteVersions: flag('let admins delete single versions at the S3 door, and so empty a bucket'),
  pageIdle: whole(
    60,
    { from: 1, to: 10_080 },
    'MINUTES',
    'sign out at the page whoever has asked for nothing for MINUTES',
  ),
  pageSession: whole(
    12,
    { from: 1, to: 720 },
    'HOURS',
    'sign out at the page HOURS after the sign-in, whatever was asked',
  ),
  ...mapLimits((limit) => {
    const { fallback, max, placeholder, says } = RETENTION_LIMITS[limit];
    return whole(fallback, { from: 0, to: max }, placeholder, says);
  }),
  keepRefused: whole(
    14,
    { from: 0, to: 3_650 },
    'DAYS',
    'keep the state of a refused write for DAYS; 0 for not at all',
  ),
  refusedLimit: whole(
    1_024,
    { from: 1, to: 1_048_576 },
    'MIB',
    'the total size of refused writes that are kept',
  ),
  keepAuditDays: whole(
    0,
    { from: 0, to: 36_500 },
    'DAYS',
    'forget records of the audit log after DAYS; 0 keeps all',
  ),
  keepDeadCredentials: whole(
    30,
    { from: 1, to: 3_650 },
    'DAYS',
    'how long revoked and expired credentials are listed; the audit log keeps them',
  ),
  ...mapQuotas((quota) => {
    const { fallback, max, placeholder, counts } = QUOTAS[quota];
    return whole(
      fallback,
      { from: 0, to: max },
      placeholder,
      `keep at most so many ${counts}; 0 sets no quota`,
    );
  }),
  stuckFactor: whole(
    10,
    { from: 1, to: 10_000 },
    'N',
    'tell webhooks of a lock that is held for N times its usual hold',
  ),
  stuckFloor: whole(30, { from: 1, to: 100_000 }, 'MINUTES', 'and for MINUTES at least'),
  backupDays: whole(
    7,
    { from: 0, to: 3_650 },
    'DAYS',
    'tell webhooks that no backup was taken for DAYS; 0 for never. PostgreSQL is backed up by its own means',
  ),
  runs: {
    placeholder: RUN_MODES.join('|'),
    help: 'execute plans and applies: sandbox on the server, kept apart by bubblewrap; local on the server, not kept apart; agents by "statehouse agent" elsewhere alone, which the others allow as well',
    fallback: 'off',
    read: (text = 'off') => readWord(text, RUN_MODES),
  },
  runSlots: whole(2, { from: 1, to: 1_000 }, 'N', 'execute at most N plans and applies at a time'),
  runPrograms: optional(
    'DIR',
    'where the programs of runs are, called terraform_1.11.4 or tofu_1.9.0; by default those on PATH',
  ),
  runDirectory: optional('DIR', 'where runs are executed (default: runs in the data directory)'),
  runIssuer: {
    placeholder: 'URL',
    help: 'the https address by which clouds reach this server: it issues tokens for runs then, which prove to a cloud what they are',
    fallback: null,
    read: (text) => readIssuer(text ?? null),
  },
  runMemory: whole(4_096, { from: 64, to: 1_048_576 }, 'MIB', 'end a run that uses more than MIB of memory'),
  runNetwork: {
    placeholder: RUN_NETWORKS.join('|'),
    help: 'what runs in the sandbox reach: all that this machine reaches, or the state of their workspace alone, for which no provider is downloaded',
    fallback: 'all',
    read: (text = 'all') => readWord(text, RUN_NETWORKS),
  },
  runConfirm: whole(
    24,
    { from: 0, to: 8_760 },
    'HOURS',
    'discard a run that waits to be confirmed for HOURS; 0 for never',
  ),
  keepRuns: whole(
    30,
    { from: 1, to: 3_650 },
    'DAYS',
    'how long runs, their plans and their logs are kept after their end',
  ),
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

/** Where a topic of the help begins: each goes on to the next. */
export const SETTING_TOPICS: Readonly<Partial<Record<keyof Settings, string>>> = {
  listen: 'Where it is reached',
  data: 'Where data is kept',
  masterKey: 'Keys, and the first credential',
  tlsCert: 'TLS',
  stateLimit: 'Limits',
  noSharedPlans: 'Locks',
  awsAccount: 'The doors for AWS clients',
  pageIdle: 'The page',
  keepVersions: 'How long things are kept',
  quotaStates: 'What a project may keep',
  stuckFactor: 'What webhooks are told',
  runs: 'Plans and applies that the server executes',
  auditLog: 'The audit log, elsewhere',
  shutdownTimeout: 'The process',
};

/** An address as tokens name it, which verifiers compare letter by letter. */
function readIssuer(text: string | null): string | null | Problem {
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (url === null || !isPlain || url.pathname !== '/' || url.username !== '')
    return { problem: `invalid URL "${text}": expected for example https://state.example.com` };
  return url.origin;
}

/** Whether a database's URL has a password in it. */
export function hasPassword(url: string): boolean {
  return !URL.canParse(url) || new URL(url).password !== '' || new URL(url).searchParams.has('password');
}
