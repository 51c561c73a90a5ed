import type { Retention } from '../../core/retention.ts';
import type { Configuration, Store, Tls } from '../../server/configuration.ts';
import type { OpenHouse } from '../../server/open.ts';
import type { UncaughtWatch } from '../../server/uncaught.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { openingFailure } from '../server/opening-failure.ts';
import { welcome } from '../server/welcome.ts';
import { flag, oneOf, text, textOr, wholeNumber } from '../options.ts';
import type { Terminal } from '../terminal.ts';

const MEBIBYTE = 1_048_576;
/** How much longer than open requests all of a shutdown may take, when the process ends because of a fault. */
const FAULT_GRACE_MS = 5_000;
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

const OPTIONS = {
  listen: textOr('127.0.0.1:7117', 'HOST:PORT', 'where to listen'),
  domain: text('NAME', 'the name under which the house is reached, so that bucket.NAME is a bucket of S3'),
  data: text('DIR', 'the data directory of the embedded engine, ./statehouse-data'),
  database: text('URL', 'keep everything in this PostgreSQL instead (postgres://…); or DATABASE_URL'),
  masterKey: text('KEYS', 'the master key, base64 of 32 bytes; after a comma, former ones that still open'),
  masterKeyFile: text('FILE', 'read the master key from this file'),
  adminCredential: text('ID.SECRET', 'an admin that must exist, for automation'),
  tlsCert: text('FILE', 'certificate chain, PEM'),
  tlsKey: text('FILE', 'private key, PEM'),
  tlsSelfSigned: flag('sign a certificate for this house ourselves, kept in the data directory'),
  stateLimit: wholeNumber(512, { from: 1, to: 1_900 }, 'MIB', 'the largest state that is taken'),
  inFlightLimit: wholeNumber(
    1_024,
    { from: 1, to: 65_536 },
    'MIB',
    'all states that may be coming in at one time',
  ),
  noSharedPlans: flag('let each plan hold the lock alone'),
  keepVersions: wholeNumber(
    0,
    { from: 0, to: 1_000_000 },
    'N',
    'keep the newest N versions of a state; 0 for all',
  ),
  keepDays: wholeNumber(0, { from: 0, to: 36_500 }, 'DAYS', 'keep superseded versions so long; 0 for ever'),
  shutdownTimeout: wholeNumber(
    20,
    { from: 0, to: 3_600 },
    'SECONDS',
    'how long open requests may take to end',
  ),
  logLevel: oneOf(LOG_LEVELS, 'info', 'what to log on standard error'),
} as const;

export const command: Command = defineCommand({
  description:
    'Runs the house: the state server that terraform and tofu reach through the backends they already have.',
  args: [],
  options: OPTIONS,
  examples: [
    { line: 'statehouse serve', says: 'on this machine alone, data in ./statehouse-data' },
    { line: 'statehouse serve --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem', says: 'for a team' },
    { line: 'statehouse serve --database postgres://house@db/house', says: 'one of many nodes' },
  ],
  run: async ({ options, terminal, env, stopped }) => {
    const { openHouse } = await import('../../server/open.ts');
    const { openLog } = await import('../../server/runtime.ts');
    const { watchUncaught } = await import('../../server/uncaught.ts');
    const configuration = readConfiguration(options, env);
    using uncaught = watchUncaught(openLog(configuration.logLevel));
    void uncaught.first.then(() => endBy(configuration.shutdownMs + FAULT_GRACE_MS));
    const open = await openHouse(configuration).catch((fault: unknown) => {
      throw openingFailure(fault, options.listen);
    });
    welcome(terminal, open, configuration.store, env);
    return await untilStopped(open, { terminal, stopped, uncaught });
  },
});

type Given = {
  readonly [K in keyof typeof OPTIONS]: ReturnType<(typeof OPTIONS)[K]['read']>;
};

function readConfiguration(given: Given, env: Readonly<Record<string, string | undefined>>): Configuration {
  const { host, port } = readListen(given.listen);
  return {
    host,
    port,
    domain: given.domain ?? null,
    store: storeOf(given, env),
    tls: tlsOf(given),
    masterKeys: given.masterKey ?? null,
    masterKeyFile: given.masterKeyFile ?? null,
    adminCredential: given.adminCredential ?? null,
    stateBytesMax: given.stateLimit * MEBIBYTE,
    inFlightBytesMax: given.inFlightLimit * MEBIBYTE,
    plansShare: !given.noSharedPlans,
    retention: retentionOf(given),
    logLevel: given.logLevel,
    shutdownMs: given.shutdownTimeout * 1_000,
  };
}

function readListen(listen: string): { host: string; port: number } {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw wrongUse(`"${listen}" is no HOST:PORT`, 'Write it like 127.0.0.1:7117.');
  return { host: match[1] ?? (match[2] === '' ? '0.0.0.0' : (match[2] ?? '')), port };
}

/** What many hosts call the database of a service. It counts where nothing else says where to keep things. */
const HOSTS_DATABASE = 'DATABASE_URL';

function storeOf({ database, data }: Given, env: Readonly<Record<string, string | undefined>>): Store {
  const url = database ?? (data === undefined ? env[HOSTS_DATABASE] : undefined);
  if (url !== undefined && url !== '') return { kind: 'postgres', url };
  return { kind: 'directory', path: data ?? './statehouse-data' };
}

function tlsOf({ tlsCert, tlsKey, tlsSelfSigned }: Given): Tls {
  if (tlsCert !== undefined && tlsKey !== undefined) return { kind: 'files', cert: tlsCert, key: tlsKey };
  if (tlsCert !== undefined || tlsKey !== undefined) throw wrongUse('--tls-cert and --tls-key go together');
  return { kind: tlsSelfSigned ? 'self-signed' : 'none' };
}

function retentionOf({ keepVersions, keepDays }: Given): Retention {
  return { ...(keepVersions > 0 ? { keepVersions } : {}), ...(keepDays > 0 ? { keepDays } : {}) };
}

async function untilStopped(
  open: OpenHouse,
  { terminal, stopped, uncaught }: { terminal: Terminal; stopped: AbortSignal; uncaught: UncaughtWatch },
): Promise<ExitCode> {
  const asked = new Promise<ExitCode>((resolve) => {
    if (stopped.aborted) resolve(DONE);
    else stopped.addEventListener('abort', () => resolve(DONE), { once: true });
  });
  const end = await Promise.race([open.failed, uncaught.first.then((): ExitCode => FAILED), asked]);
  if (typeof end !== 'number') {
    terminal.note(`The house stops, because it could not promise to keep what it answers: ${end.message}`);
    // Nothing may be flushed or answered any more: what was answered is on the disk already.
    process.exit(FAILED);
  }
  terminal.note('Closing: waiting requests are sent away, open ones are finished.');
  await open.close();
  return end;
}

/** Whatever a fault has left hanging, the process is gone by then. */
function endBy(milliseconds: number): void {
  setTimeout(() => process.exit(FAILED), milliseconds).unref();
}
