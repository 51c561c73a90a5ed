import { LocalSignals } from '../house/local-signals.ts';
import { Keyring, sealedKeyId } from '../keyring/keyring.ts';
import { MessageKeys } from '../keyring/message-keys.ts';
import type { Clock } from '../ports/clock.ts';
import { type Engine, EngineFault } from '../ports/engine.ts';
import type { Log } from '../ports/log.ts';
import type { OpenRowKey } from '../ports/row-key.ts';
import type { MessageSealer } from '../ports/sealer.ts';
import type { Signals } from '../ports/signals.ts';
import type { OpenBodies } from './bodies/open.ts';
import { wholeFileOf, type WholeFile } from './backup-copy.ts';
import type { Configuration } from './configuration.ts';
import { findMasterKeys, type KeySource } from './master-key.ts';
import { rowKeyUnder } from './row-key.ts';

/** The engine of a store, and what goes with it. */
export interface OpenStore {
  readonly engine: Engine;
  /** Resolves when the engine cannot go on. */
  readonly failed: Promise<EngineFault>;
  /** null where the engine has means of its own. */
  readonly wholeFile: WholeFile | null;
  /** What the operator should know of how the store is reached; null if it is nothing. */
  readonly warning: string | null;
  /** What carries signals between the nodes of the store. Must be closed before the engine. */
  openSignals(options: { readonly sealer: MessageSealer; readonly log: Log }): Promise<Signals>;
}

/** An engine that is open for a house. */
export interface OpenEngine extends Omit<OpenStore, 'openSignals' | 'warning'> {
  readonly signals: Signals;
  readonly keys: KeySource;
  readonly keyring: Keyring;
  /** Where large bodies are kept beside the engine; null for nowhere. */
  readonly bodies: OpenBodies | null;
}

/**
 * Opens the engine that the configuration names; its code is loaded only then. The master key is looked for once the engine
 * is ours, so that two first starts at a time cannot each make one.
 */
export async function openEngine(
  configuration: Configuration,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<OpenEngine> {
  let found: { readonly keys: KeySource; readonly keyring: Keyring } | undefined;
  const find = (mayMake: boolean): { readonly keys: KeySource; readonly keyring: Keyring } => {
    const keys = findMasterKeys(configuration, mayMake);
    found ??= { keys, keyring: new Keyring(keys.keys) };
    return found;
  };
  const { engine, openSignals, warning, ...rest } = await openStore(
    configuration,
    clock,
    ({ sealed, used }) => rowKeyUnder(find(!used).keyring, sealed, configuration.adoptUnauthenticated),
  );
  if (warning !== null) log.warn(warning);
  try {
    const { keys, keyring } = found ?? find(true);
    const bodies = await bodiesBeside(configuration, engine, { clock, log });
    const signals = await openSignals({ sealer: new MessageKeys(keyring), log });
    return { engine: bodies?.engine ?? engine, ...rest, signals, keys, keyring, bodies };
  } catch (fault) {
    await engine[Symbol.asyncDispose]();
    throw fault;
  }
}

async function bodiesBeside(
  { bodies, ...limits }: Configuration,
  engine: Engine,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<OpenBodies | null> {
  if (bodies !== null) {
    const { openBodies } = await import('./bodies/open.ts');
    return openBodies({ ...limits, bodies }, engine, parts);
  }
  if ((await engine.objects(null, 1)).length === 0) return null;
  throw new EngineFault(
    'large states of this server are in an object store outside the database: say where with --bodies, as it was',
  );
}

/**
 * Opens the engine of a store.
 * @param openRowKey asked once the engine is ours
 */
export async function openStore(
  { store }: Pick<Configuration, 'store'>,
  clock: Clock,
  openRowKey: OpenRowKey,
): Promise<OpenStore> {
  switch (store.kind) {
    case 'directory': {
      const { SqliteEngine } = await import('../engines/sqlite/engine.ts');
      const engine = await SqliteEngine.open({
        directory: store.path,
        clock,
        keyIdOf: sealedKeyId,
        openRowKey,
      });
      return {
        engine,
        failed: engine.failed,
        wholeFile: wholeFileOf(store.path),
        warning: engine.warning,
        openSignals: openLocalSignals,
      };
    }
    case 'memory': {
      const { MemoryEngine } = await import('../engines/memory/engine.ts');
      const engine = new MemoryEngine(clock, sealedKeyId);
      return {
        engine,
        failed: new Promise(() => undefined),
        wholeFile: null,
        warning: null,
        openSignals: openLocalSignals,
      };
    }
    case 'postgres':
      return openPostgres(store.url, openRowKey);
  }
}

async function openLocalSignals({ log }: { readonly log: Log }): Promise<Signals> {
  return new LocalSignals(log);
}

async function openPostgres(url: string, openRowKey: OpenRowKey): Promise<OpenStore> {
  const { PostgresEngine } = await import('../engines/postgres/engine.ts');
  const { parsePostgresUrl } = await import('../engines/postgres/session/options.ts');
  const { transportWarning } = await import('../engines/postgres/session/transport.ts');
  const { PostgresSignals } = await import('../engines/postgres/signals/signals.ts');
  const options = parsePostgresUrl(url);
  const engine = await PostgresEngine.open(options, { keyIdOf: sealedKeyId, openRowKey });
  return {
    engine,
    failed: new Promise(() => undefined),
    wholeFile: null,
    warning: transportWarning(options.url),
    openSignals: (how) => PostgresSignals.open(options, how),
  };
}
