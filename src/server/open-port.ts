import { EventHub } from './api/events/hub.ts';
import { SnapshotWorker } from './api/content/snapshot-worker.ts';
import type { ApiParts } from './api/parts.ts';
import type { AdminGrant } from './first-start.ts';
import { ensureAdmin } from './first-start.ts';
import { toldOf, type Configuration } from './configuration.ts';
import { openDoors } from './doors.ts';
import { dispatch } from './dispatch.ts';
import type { BuiltHouse } from './build.ts';
import type { House } from '../house/house.ts';
import type { EngineFault } from '../ports/engine.ts';
import { listen, type TlsMaterial } from './listener.ts';
import { Metrics } from './metrics.ts';
import { systemClock, systemEntropy } from './runtime.ts';
import { KeyRotation } from './rotate-key.ts';
import { readTls, selfSignedTls } from './tls.ts';
import { readVersion } from './version.ts';

/** A house with its port open. */
export interface OpenHouse {
  readonly url: string;
  readonly house: House;
  /** Told once, at the first start: nobody can read it later. */
  readonly admin: AdminGrant | null;
  /** Where a master key was made just now: without a copy of it, no backup can be read. */
  readonly newKeyPath: string | null;
  /** The certificate that clients must be told to trust, when the house signed its own. */
  readonly certPath: string | null;
  /** Resolves when something failed after which nothing can be trusted: stop the process. */
  readonly failed: Promise<EngineFault>;
  /** Finishes what was begun and closes everything, in the order in which nothing answered is lost. */
  close(): Promise<void>;
}

/** Opens the port of a house that was built. */
export async function openPort(configuration: Configuration, built: BuiltHouse): Promise<OpenHouse> {
  const { house, engine, log, keyring, keys } = built;
  const { tls, certPath } = await tlsOf(configuration);
  const metrics = new Metrics(house);
  const closing = new AbortController();
  const snapshotWorker = new SnapshotWorker();
  const api: ApiParts = {
    house,
    log,
    snapshotWorker,
    events: new EventHub(house, closing.signal, log),
    rotation: new KeyRotation({ house, keyring, source: keys }),
    backUp: built.backUp,
    about: { version: readVersion(), retention: configuration.retention, ...toldOf(configuration) },
  };
  const { domain } = configuration;
  const doors = await openDoors({ house, metrics, api, clock: systemClock, domain, closing: closing.signal });
  let fail: (fault: EngineFault) => void = () => undefined;
  const failed = new Promise<EngineFault>((resolve) => {
    fail = resolve;
  });
  void built.failed.then(fail);
  const handler = dispatch({ doors, log, metrics, entropy: systemEntropy, fatal: fail });
  const listener = await listen(handler, { host: configuration.host, port: configuration.port, tls });
  // Not before the port is open: a credential that is told once must not be made by a start that then fails.
  const admin = await ensureAdmin(house, configuration.adminCredential).catch(async (fault: unknown) => {
    await listener.close(0);
    throw fault;
  });
  log.info('the server is running', { url: listener.url, engine: engine.traits.name });
  return {
    url: listener.url,
    house,
    admin,
    newKeyPath: keys.isNew ? keys.path : null,
    certPath,
    failed,
    async close() {
      closing.abort();
      log.info('the server is stopping', { parked: house.parked });
      house.closeLine();
      await listener.close(configuration.shutdownMs);
      await snapshotWorker[Symbol.asyncDispose]();
      await built.close();
      log.info('the server has stopped');
    },
  };
}

async function tlsOf({
  tls,
  store,
  host,
}: Configuration): Promise<{ tls: TlsMaterial | null; certPath: string | null }> {
  if (tls.kind === 'none') return { tls: null, certPath: null };
  if (tls.kind === 'files') return { tls: readTls(tls.cert, tls.key), certPath: null };
  const { certPath, ...material } = await selfSignedTls(store.kind === 'directory' ? store.path : '.', [
    host,
  ]);
  return { tls: material, certPath };
}
