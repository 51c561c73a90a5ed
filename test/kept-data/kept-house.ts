import { chmod, cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { parsePostgresUrl } from '../../src/engines/postgres/session/options.ts';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { House } from '../../src/house/house.ts';
import { LocalSignals } from '../../src/house/local-signals.ts';
import { readKeyFile } from '../../src/keyring/key-file.ts';
import { Keyring, sealedKeyId } from '../../src/keyring/keyring.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { Log } from '../../src/ports/log.ts';
import type { OpenRowKey } from '../../src/ports/row-key.ts';
import { DEFAULTS, type Store } from '../../src/server/configuration.ts';
import { openPort } from '../../src/server/open-port.ts';
import { rowKeyUnder } from '../../src/server/row-key.ts';
import { systemEntropy } from '../../src/server/runtime.ts';
import { eventually } from '../support/eventually.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** When a node looks for the first time whether others are dead; one that is alone looks as it starts. */
const BEAT_MS = 2_000;

/** What is known of one engine's kept data besides the bytes of its states. */
export interface Facts {
  /** The moment of the last change. */
  readonly at: number;
  /** Every address that was used, as `project/key@workspace`. */
  readonly addresses: readonly string[];
  readonly auditRecords: number;
  readonly credentials: Readonly<Record<'live' | 'expired' | 'revoked', Pair>>;
  /** An open upload; its first part has so many bytes of the state that it is for. */
  readonly upload: { readonly id: string; readonly etag: string; readonly firstBytes: number };
}

/** A copy of kept data, opened by the present program a second after its last change. */
export interface KeptHouse extends AsyncDisposable {
  readonly url: string;
  readonly engine: Engine;
  readonly clock: ManualClock;
  readonly facts: Facts;
}

export async function factsOf(data: string, engine: 'sqlite' | 'postgres'): Promise<Facts> {
  return JSON.parse(await readFile(join(data, engine, 'facts.json'), 'utf8')) as Facts;
}

/** The bytes of the versions of each address, oldest first. */
export async function statesOf(data: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const states = JSON.parse(await readFile(join(data, 'states.json'), 'utf8')) as Record<string, string[]>;
  return new Map(Object.entries(states));
}

/** A copy of the data directory, which goes with whoever removes it. */
export async function copyDirectory(data: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-kept-'));
  await cp(join(data, 'sqlite', 'data'), directory, { recursive: true });
  // A repository keeps no modes.
  await chmod(join(directory, 'master.key'), 0o600);
  return directory;
}

export async function openKeptDirectory(data: string): Promise<KeptHouse> {
  const facts = await factsOf(data, 'sqlite');
  const clock = new ManualClock(facts.at + 1_000);
  const directory = await copyDirectory(data);
  const keyPath = join(directory, 'master.key');
  const engine = await SqliteEngine.open({
    directory,
    clock,
    keyIdOf: sealedKeyId,
    openRowKey: adopting(keyPath),
  });
  const store: Store = { kind: 'directory', path: directory };
  return openHouse({ engine, clock, facts, store, keyPath }, () => rm(directory, { recursive: true }));
}

export async function openKeptSchema(data: string, server: PostgresServer): Promise<KeptHouse> {
  const facts = await factsOf(data, 'postgres');
  const clock = new ManualClock(facts.at + 1_000);
  const database = await server.createDatabase();
  await server.query(await readFile(join(data, 'postgres', 'statehouse.sql'), 'utf8'), database);
  const url = server.url(database);
  const keyPath = join(data, 'postgres', 'master.key');
  const engine = await PostgresEngine.open(parsePostgresUrl(url), {
    keyIdOf: sealedKeyId,
    clock: () => `${clock.now()}::bigint`,
    openRowKey: adopting(keyPath),
  });
  return openHouse({ engine, clock, facts, store: { kind: 'postgres', url }, keyPath }, async () => {});
}

/** What `--adopt-unauthenticated` does: these houses are older than the key of the rows. */
function adopting(keyPath: string): OpenRowKey {
  return ({ sealed }) => rowKeyUnder(new Keyring(readKeyFile(keyPath, true)!), sealed, true);
}

async function openHouse(
  from: { engine: Engine; clock: ManualClock; facts: Facts; store: Store; keyPath: string },
  remove: () => Promise<void>,
): Promise<KeptHouse> {
  const { engine, clock, facts, store, keyPath } = from;
  const keys = readKeyFile(keyPath, true);
  if (keys === null) throw new Error(`${keyPath} is missing`);
  const keyring = new Keyring(keys);
  const signals = new LocalSignals(SILENT);
  const parts = { engine, sealer: keyring, signals, clock, entropy: systemEntropy, log: SILENT };
  const house = new House({ ...DEFAULTS, ...parts });
  await house.join();
  if (engine.traits.shared) clock.advance(BEAT_MS);
  await eventually('it has cleared up after the dead', async () => {
    return (await engine.seats({ notNode: house.node })).length === 0;
  });
  const configuration = {
    ...DEFAULTS,
    store,
    port: 0,
    adminCredential: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
  };
  const open = await openPort(configuration, {
    house,
    engine,
    signals,
    clock: { now: Date.now, skew: 0 },
    keyring,
    bodies: null,
    keys: { keys, path: keyPath, isNew: false },
    failed: new Promise(() => undefined),
    wholeFile: null,
    devices: null,
    log: SILENT,
    async close() {
      await house.close();
      await signals[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  });
  return {
    url: open.url,
    engine,
    clock,
    facts,
    async [Symbol.asyncDispose]() {
      await open.close();
      await remove();
    },
  };
}
