import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import type { EngineOptions, EngineUnderTest } from '../../src/testing/engine-contract.ts';

/** A SQLite engine in a new directory, which goes when the engine is disposed of. */
export async function openInNewDirectory(options: EngineOptions): Promise<EngineUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-sqlite-'));
  const open = (): Promise<SqliteEngine> => SqliteEngine.open({ directory, ...options });
  const engine = await open();
  let current = engine;
  return {
    engine,
    reopen: async () => {
      await current[Symbol.asyncDispose]();
      current = await open();
      return current;
    },
    dispose: async () => {
      await current[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
