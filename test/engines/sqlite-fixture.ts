import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../src/core/address.ts';
import type { WriteCommand } from '../../src/core/command.ts';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { bodyOf, writeOf } from '../../src/contract/engine-commands.ts';
import type { EngineOptions, EngineUnderTest } from '../../src/contract/engine-contract.ts';
import { reopenable } from './reopenable.ts';

/** A new directory for one test, and a way to be rid of it. */
export async function newDirectory(): Promise<{ directory: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-sqlite-'));
  return { directory, remove: () => rm(directory, { recursive: true }) };
}

/** A SQLite engine in a new directory, which goes when the engine is disposed of. */
export async function openInNewDirectory(options: EngineOptions): Promise<EngineUnderTest> {
  const { directory, remove } = await newDirectory();
  return reopenable(() => SqliteEngine.open({ directory, ...options }), remove);
}

export function addressOf(key: string): Address {
  return { project: 'acme', key, workspace: 'default' };
}

/** A write of a body of many segments, each filled with the key's own text, so that it can be found in the file. */
export function largeWrite(key: string, serial = 1n): WriteCommand {
  const segments = Array.from({ length: 4 }, () => Buffer.alloc(100_000, `[${key}]`));
  return writeOf(addressOf(key), serial, { body: bodyOf(segments) });
}

/** The bytes of a body, or the fault that came instead. */
export async function readBody(engine: SqliteEngine, id: string): Promise<Buffer | Error> {
  try {
    const body = await engine.body(id);
    const segments: Uint8Array[] = [];
    for await (const segment of body?.segments() ?? []) segments.push(segment);
    return Buffer.concat(segments);
  } catch (error) {
    return error as Error;
  }
}
