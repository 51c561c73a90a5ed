import type { Milliseconds } from '../core/instant.ts';
import { House } from '../house/house.ts';
import type { Log } from '../ports/log.ts';
import type { Configuration } from './configuration.ts';
import type { AuditDevices } from './audit-devices/devices.ts';
import { ThreadReader } from './api/content/thread-reader.ts';
import { openDevices } from './audit-devices/open.ts';
import { openEngine, type OpenEngine } from './engines.ts';
import { SharedClock } from './shared-clock.ts';
import { postWebhook } from './webhook-post.ts';
import { openLog, systemClock, systemEntropy } from './runtime.ts';

/** How often the audit devices are told where the audit log ends. */
const HEAD_MS: Milliseconds = 10 * 60 * 1_000;

/** A house on its engine, with its secrets opened, and without a port. */
export interface BuiltHouse extends OpenEngine {
  readonly house: House;
  readonly log: Log;
  /** null where none is configured. */
  readonly devices: AuditDevices | null;
  /** What time it is for the house and its doors. */
  readonly clock: Pick<SharedClock, 'now' | 'skew'>;
  /** Finishes what was begun, then closes signals and engine. */
  close(): Promise<void>;
}

/**
 * Builds a house from its parts.
 * @throws with words for the operator when it cannot
 */
export async function buildHouse(configuration: Configuration): Promise<BuiltHouse> {
  const log = openLog(configuration.logLevel);
  const opened = await openEngine(configuration, { clock: systemClock, log });
  const { engine, signals, keyring } = opened;
  const clock = await startClock(opened, log);
  const devices = openDevices(configuration.auditDevices, { required: configuration.auditRequired, log });
  const house = new House({
    ...configuration,
    engine,
    sealer: keyring,
    signals,
    clock,
    entropy: systemEntropy,
    log,
    sink: devices,
    postWebhook,
    contentReader: new ThreadReader(),
  });
  const telling = setInterval(() => void house.audit.tellHead().catch(() => undefined), HEAD_MS).unref();
  const close = async (): Promise<void> => {
    try {
      await opened.bodies?.keeper.close();
      await house.close();
      clearInterval(telling);
      clock[Symbol.dispose]();
      await tellAuditHead(house, opened, log);
    } finally {
      await devices?.close();
      await signals[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    }
  };
  try {
    // Opens every secret, so that a wrong master key shows before anything is done under it.
    await house.credentials.refresh();
  } catch (fault) {
    // What went wrong first is what the operator must read.
    await close().catch(() => undefined);
    throw fault;
  }
  await tellAuditHead(house, opened, log);
  return { ...opened, house, log, devices, clock, close };
}

async function startClock({ engine, signals }: OpenEngine, log: Log): Promise<SharedClock> {
  try {
    return await SharedClock.start({ clock: systemClock, engine, log });
  } catch (fault) {
    await signals[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    throw fault;
  }
}

/** Where the audit log ends goes where whoever writes the database cannot take it back. */
async function tellAuditHead(house: House, { engine }: Pick<OpenEngine, 'engine'>, log: Log): Promise<void> {
  await house.audit.tellHead().catch(() => undefined);
  const head = await engine.auditHead().catch(() => '');
  if (head !== '') log.info('the audit log ends here', { head });
}
