import { setMaxListeners } from 'node:events';
import { EventHub } from './api/events/hub.ts';
import { ExploredCsv } from './api/explored-csv.ts';
import { SnapshotWorker } from './api/content/snapshot-worker.ts';
import type { ApiParts } from './api/parts.ts';
import { ensureAdmin, type FirstCredentials } from './first-start.ts';
import { Certificate } from './certificate.ts';
import { toldOf, type Configuration } from './configuration.ts';
import { openDoors } from './doors.ts';
import { Deliveries } from './deliveries.ts';
import { descriptorsMax } from './descriptors.ts';
import { dispatch } from './dispatch.ts';
import type { BuiltHouse } from './build.ts';
import type { House } from '../house/house.ts';
import type { Runs } from '../runs/runs.ts';
import type { EngineFault } from '../ports/engine.ts';
import { listen } from './listener.ts';
import { machineOf } from './machine.ts';
import { Metrics } from './metrics.ts';
import { systemClock, systemEntropy } from './runtime.ts';
import { KeyRotation } from './rotate-key.ts';
import { Traffic } from './traffic.ts';
import { openServerRuns, programsReach } from './server-runs.ts';
import { readVersion } from './version.ts';

/** A house with its port open. */
export interface OpenHouse {
  readonly url: string;
  readonly house: House;
  /** null where the house executes none. */
  readonly runs: Runs | null;
  /** Told once, at the first start. */
  readonly first: FirstCredentials | null;
  /** Where a master key was made just now: without a copy of it, no backup can be read. */
  readonly newKeyPath: string | null;
  /** The certificate that clients must be told to trust, when the house signed its own. */
  readonly certPath: string | null;
  /** Reads the certificate again, as SIGHUP asks. Never throws. */
  reload(): Promise<void>;
  /** Resolves when something failed after which nothing can be trusted: stop the process. */
  readonly failed: Promise<EngineFault>;
  /** Finishes what was begun and closes everything, in the order in which nothing answered is lost. */
  close(): Promise<void>;
}

/** Opens the port of a house that was built. */
export async function openPort(configuration: Configuration, built: BuiltHouse): Promise<OpenHouse> {
  const { house, engine, log, keyring, keys, clock } = built;
  const certificate = await Certificate.open(configuration, log);
  const traffic = new Traffic(configuration, { clock: systemClock, log });
  const metrics = new Metrics(house, certificate, built.devices, clock);
  metrics.add(built.bodies?.store.metrics ?? []);
  const closing = new AbortController();
  // Every request that is held open listens for it, and there may be many.
  setMaxListeners(0, closing.signal);
  const snapshotWorker = new SnapshotWorker();
  const openedRuns = await openServerRuns(configuration, built);
  if (openedRuns !== null) metrics.measureRuns(openedRuns.runs);
  const api: ApiParts = {
    house,
    runs: openedRuns?.runs ?? null,
    log,
    snapshotWorker,
    machine: machineOf(configuration, certificate),
    events: new EventHub(house, closing.signal, log),
    exploredCsv: new ExploredCsv(house),
    rotation: new KeyRotation({ house, keyring, source: keys }),
    wholeFile: built.wholeFile,
    about: { version: readVersion(), retention: configuration.retention, ...toldOf(configuration) },
  };
  const { domain, publicUrl, s3 } = configuration;
  const doors = await openDoors({
    house,
    metrics,
    bodies: built.bodies?.store ?? null,
    api,
    clock,
    domain,
    s3,
    runs: openedRuns?.runs ?? null,
    closing: closing.signal,
  });
  let fail: (fault: EngineFault) => void = () => undefined;
  const failed = new Promise<EngineFault>((resolve) => {
    fail = resolve;
  });
  void built.failed.then(fail);
  const deliveries = new Deliveries({ clock: systemClock, log });
  const handler = dispatch({
    doors,
    log,
    metrics,
    entropy: systemEntropy,
    traffic,
    reach: { publicUrl, domain },
    deliveries,
    fatal: fail,
  });
  const { host, port, clientCertificates } = configuration;
  const limits = {
    isProxy: (address: string) => traffic.peers.isTrusted(address),
    descriptors: descriptorsMax(),
  };
  const tls = certificate?.material ?? null;
  const listener = await listen(handler, { host, port, tls, clientCertificates, ...limits });
  // The programs of runs cannot tell that a certificate is the server's by its address on this machine, and need not there.
  const near =
    tls === null || openedRuns?.runs.executesHere !== true
      ? null
      : await listen(handler, {
          host: '127.0.0.1',
          port: 0,
          tls: null,
          clientCertificates: 'none',
          ...limits,
        });
  certificate?.watch((material) => listener.changeTls(material));
  // Not before the port is open: a credential that is told once must not be made by a start that then fails.
  const first = await ensureAdmin(house, configuration).catch(async (fault: unknown) => {
    await Promise.all([listener.close(0), near?.close(0)]);
    throw fault;
  });
  await openedRuns?.start(programsReach((near ?? listener).url));
  if (first !== null) log.info('the first admin credential was made', { file: first.admin.path });
  log.info('the server is running', { url: listener.url, engine: engine.traits.name });
  return {
    url: listener.url,
    house,
    runs: openedRuns?.runs ?? null,
    first,
    newKeyPath: keys.isNew ? keys.path : null,
    certPath: certificate?.trusted ?? null,
    failed,
    reload: async () => certificate?.reload(),
    async close() {
      closing.abort();
      log.info('the server is stopping', { parked: house.parked });
      // What is at work brings its state home by the port.
      await openedRuns?.close(configuration.shutdownMs);
      house.closeLine();
      certificate?.[Symbol.dispose]();
      await Promise.all([listener, near].map((open) => open?.close(configuration.shutdownMs)));
      deliveries[Symbol.dispose]();
      await snapshotWorker[Symbol.asyncDispose]();
      await built.close();
      log.info('the server has stopped');
    },
  };
}
