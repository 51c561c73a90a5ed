import { LocalSignals } from '../house/local-signals.ts';
import { sealedKeyId } from '../keyring/keyring.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, EngineFault } from '../ports/engine.ts';
import type { Signals } from '../ports/signals.ts';
import { backUpFrom, type BackUp } from './backup-copy.ts';
import type { Configuration } from './configuration.ts';
import { findMasterKeys, type KeySource } from './master-key.ts';

/** An engine that is open, and what goes with it. */
export interface OpenEngine {
  readonly engine: Engine;
  readonly signals: Signals;
  readonly keys: KeySource;
  /** Resolves when the engine cannot go on. */
  readonly failed: Promise<EngineFault>;
  /** null where the engine has means of its own. */
  readonly backUp: BackUp | null;
}

/**
 * Opens the engine that the configuration names; its code is loaded only then. The master key is looked for once the engine
 * is ours, so that two first starts at a time cannot each make one.
 */
export async function openEngine(configuration: Configuration, clock: Clock): Promise<OpenEngine> {
  const { engine, ...rest } = await openStore(configuration, clock);
  try {
    const isUnused = (await engine.credentials()).length === 0;
    return { engine, ...rest, keys: findMasterKeys(configuration, isUnused) };
  } catch (fault) {
    await rest.signals[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    throw fault;
  }
}

/** Opens the engine of a store, whatever key what it keeps is sealed under. */
export async function openStore(
  { store }: Pick<Configuration, 'store'>,
  clock: Clock,
): Promise<Omit<OpenEngine, 'keys'>> {
  switch (store.kind) {
    case 'directory': {
      const { SqliteEngine } = await import('../engines/sqlite/engine.ts');
      const engine = await SqliteEngine.open({ directory: store.path, clock, keyIdOf: sealedKeyId });
      return {
        engine,
        signals: new LocalSignals(),
        failed: engine.failed,
        backUp: backUpFrom(store.path),
      };
    }
    case 'memory': {
      const { MemoryEngine } = await import('../engines/memory/engine.ts');
      const engine = new MemoryEngine(clock, sealedKeyId);
      return { engine, signals: new LocalSignals(), failed: new Promise(() => undefined), backUp: null };
    }
    case 'postgres':
      return openPostgres(store.url);
  }
}

async function openPostgres(url: string): Promise<Omit<OpenEngine, 'keys'>> {
  const { PostgresEngine } = await import('../engines/postgres/engine.ts');
  const { parsePostgresUrl } = await import('../engines/postgres/options.ts');
  const { PostgresSignals } = await import('../engines/postgres/signals.ts');
  const options = parsePostgresUrl(url);
  const engine = await PostgresEngine.open(options, { keyIdOf: sealedKeyId });
  const signals = await PostgresSignals.open(options);
  return { engine, signals, failed: new Promise(() => undefined), backUp: null };
}
