import type { S3Settings } from '../protocols/door.ts';
import type { Milliseconds } from '../core/instant.ts';
import type { Environment } from '../ports/environment.ts';
import type { BodyPlace } from './bodies/place.ts';
import { isProblem, type Problem } from '../core/read-value.ts';
import { AGENT_GONE } from '../runs/agents/pools.ts';
import type { RunNetwork } from '../runs/executors/network.ts';
import { RUN_LIMITS, type RunLimits } from '../runs/limits.ts';
import type { DeviceSetting } from './audit-devices/read-device.ts';
import { readQuotas, type Quotas } from '../core/quota.ts';
import type { AlarmSettings } from '../house/webhooks/lookout.ts';
import { readRetention, type Retention } from '../core/retention.ts';
import {
  DEFAULT_DATA,
  HOSTS_DATABASE,
  SETTINGS,
  type LogLevel,
  type RunMode,
  type Settings,
} from './settings.ts';
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

/** How large bodies are kept beside the database. */
export interface BodySettings {
  readonly place: BodyPlace;
  /** Bodies of so many bytes, as they are stored, go there. */
  readonly least: number;
  /** How long the object of a body that was taken away is kept. */
  readonly kept: Milliseconds;
  /** Whether the place is taken, whosever it was. */
  readonly takesOver: boolean;
}

/** How the house executes runs itself. */
export interface RunSettings {
  readonly mode: RunMode;
  readonly slots: number;
  /** The directory of their programs; null for those on the path. */
  readonly programs: string | null;
  /** Where they are executed; null for a directory beside the house's own files. */
  readonly directory: string | null;
  /** How long a run may wait to be confirmed; 0 for ever. */
  readonly confirmWait: Milliseconds;
  readonly kept: Milliseconds;
  /** How long an agent may be silent before what it executes is taken for lost. */
  readonly agentGone: Milliseconds;
  readonly limits: RunLimits;
  /** What runs in the sandbox reach. */
  readonly network: RunNetwork;
  /** The address of the server as issuer of tokens for runs; null to issue none. */
  readonly issuer: string | null;
}

/** All that `statehouse serve` can be told, as its parts use it. */
export interface Configuration {
  readonly host: string;
  readonly port: number;
  /** The name under which clients reach the house, so that a name before it can be a bucket's; null if it has none. */
  readonly domain: string | null;
  /** Where people find it, where that was said. */
  readonly publicUrl: string | null;
  readonly store: Store;
  /** Where large bodies are kept beside the database; null for nowhere. */
  readonly bodies: BodySettings | null;
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
  /** How long a session of the page lasts in which nothing is asked. */
  readonly pageSessionIdle: Milliseconds;
  /** How long a session of the page lasts at most. */
  readonly pageSessionLength: Milliseconds;
  /** How long revoked and expired credentials are kept. */
  readonly deadCredentialsKept: Milliseconds;
  /** How long records of the audit log are kept; 0 for always. */
  readonly auditKept: Milliseconds;
  /** How long refused writes are kept; 0 for not at all. */
  readonly refusedKept: Milliseconds;
  readonly refusedBytesMax: number;
  /** When webhooks are told of something. */
  readonly alarms: AlarmSettings;
  readonly retention: Retention;
  /** How much a project may keep. */
  readonly quotas: Quotas;
  /** How the house executes runs itself. */
  readonly runs: RunSettings;
  /** Where records of the audit log are sent, besides being kept. */
  readonly auditDevices: readonly DeviceSetting[];
  /** Nothing is answered whose record no audit device has taken. */
  readonly auditRequired: boolean;
  readonly logLevel: LogLevel;
  /** How long open requests may take to end when the house is told to stop. */
  readonly shutdownMs: number;
}

const MEBIBYTE = 1_048_576;
const DAY_MS: Milliseconds = 86_400_000;
const HOUR_MS: Milliseconds = 3_600_000;

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
  if (given.runs === 'local' && given.runNetwork !== 'all')
    return {
      problem: '--run-network state needs --runs sandbox: with local, runs reach what the server reaches',
    };
  if (given.runs !== 'off' && given.tlsClientRequired)
    return {
      problem: '--runs and --tls-client-required exclude each other: programs of runs have no certificate',
    };
  const store = storeOf({ database, data: given.data }, env);
  return {
    ...given.listen,
    domain: given.domain,
    publicUrl: given.publicUrl,
    store,
    bodies: given.bodies === null ? null : bodySettings({ ...given, bodies: given.bodies }),
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
    s3: {
      account: given.awsAccount,
      strict: given.strictS3,
      unsignedBodies: given.allowUnsignedBodies,
      deleteVersions: given.s3DeleteVersions,
    },
    expiryGrace: given.expiryGrace * 1_000,
    pageSessionIdle: given.pageIdle * 60_000,
    pageSessionLength: given.pageSession * 3_600_000,
    deadCredentialsKept: given.keepDeadCredentials * DAY_MS,
    auditKept: given.keepAuditDays * DAY_MS,
    refusedKept: given.keepRefused * DAY_MS,
    refusedBytesMax: given.refusedLimit * MEBIBYTE,
    alarms: {
      stuckFactor: given.stuckFactor,
      stuckFloor: given.stuckFloor * 60_000,
      // What the database's own means keep, the server does not see.
      backupMaxAge: store.kind === 'postgres' ? 0 : given.backupDays * DAY_MS,
    },
    retention: readRetention({ ...given }),
    quotas: readQuotas({ ...given }),
    runs: {
      mode: given.runs,
      slots: given.runSlots,
      programs: given.runPrograms,
      directory: given.runDirectory,
      confirmWait: given.runConfirm * HOUR_MS,
      kept: given.keepRuns * DAY_MS,
      agentGone: AGENT_GONE,
      issuer: given.runIssuer,
      limits: { ...RUN_LIMITS, memory: given.runMemory * MEBIBYTE },
      network: given.runNetwork,
    },
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

/** How bodies are kept outside, as a server has it by default where nothing else is said. */
export function bodySettings({
  bodies,
  bodiesFrom = 64,
  bodiesKeep = 7,
  takeBodies = false,
}: { readonly bodies: BodyPlace } & Partial<
  Pick<Settings, 'bodiesFrom' | 'bodiesKeep' | 'takeBodies'>
>): BodySettings {
  return { place: bodies, least: bodiesFrom * 1_024, kept: bodiesKeep * DAY_MS, takesOver: takeBodies };
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
