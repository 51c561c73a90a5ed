import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BackendFault } from '../../../ports/state-client.ts';
import { listOf, parseJson, textOf } from '../../wire/json-value.ts';
import { chunkPrefix } from '../layout.ts';
import type { Keys, Pair } from './keys.ts';

/** Where the parts of a state are that is too large for one key (terraform `consul/client.go`, `chunkedMode`). */
export interface Manifest {
  /** MD5 of the state, in hexadecimal. */
  readonly hash: string;
  readonly chunks: readonly string[];
}

/** What terraform cuts states into: the largest value that Consul takes unless it is told otherwise. */
const CHUNK_BYTES = 524_288;
/** A state that unpacks to more, or has more parts, is not read. */
const STATE_BYTES_MAX = 1024 * 1024 * 1024;
const CHUNKS_MAX: number = STATE_BYTES_MAX / CHUNK_BYTES;
/** How often a state is read anew that is replaced while its parts are read. */
const READS_MAX = 3;

/** Reads a state, from its parts where it has some, and unpacks it; null where there is none. */
export async function readState(keys: Keys, key: string): Promise<Uint8Array | null> {
  for (let reads = 1; ; reads += 1) {
    const pair = await keys.get(key);
    if (pair === null || pair.value.length === 0) return null;
    const manifest = manifestIn(pair);
    if (manifest === null) return unpack(pair.value, key);
    const value = await joined(keys, manifest);
    if (typeof value !== 'string') {
      const state = unpack(value, key);
      if (createHash('md5').update(state).digest('hex') === manifest.hash) return state;
      throw new BackendFault('corrupt', `the parts of ${key} do not match the hash that is kept with them`);
    }
    if (reads === READS_MAX)
      throw new BackendFault('corrupt', `${key} is kept in parts, and there is no ${value}`);
  }
}

/** What is to be kept of a state in one key. */
export function pack(state: Uint8Array, gzip: boolean): Uint8Array {
  return gzip ? gzipSync(state) : state;
}

/**
 * Keeps a state in parts.
 * @returns what is to be kept in its key; the refusal of a server that takes no parts
 */
export async function writeChunks(
  keys: Keys,
  key: string,
  state: Uint8Array,
  gzip: boolean,
): Promise<Uint8Array | BackendFault> {
  const hash = createHash('md5').update(state).digest('hex');
  const packed = pack(state, gzip);
  const chunks: string[] = [];
  for (let from = 0; from < packed.length; from += CHUNK_BYTES) {
    const chunk = chunkPrefix(key, hash) + String(chunks.length);
    const fault = await keys.put(chunk, packed.subarray(from, from + CHUNK_BYTES));
    if (fault !== null) return fault;
    chunks.push(chunk);
  }
  return Buffer.from(JSON.stringify({ chunks, 'current-hash': hash }));
}

/** The manifest in a key; null where the state itself is kept there. */
export function manifestIn({ value }: Pair): Manifest | null {
  // A state has no such field. What is packed is not JSON.
  const json = value[0] === 0x7b && value.length < CHUNK_BYTES ? parseJson(value) : null;
  const hash = textOf(json, 'current-hash');
  if (hash === null || !/^[0-9a-f]{32}$/.test(hash)) return null;
  return { hash, chunks: listOf(json, 'chunks').map(String) };
}

/** Takes the parts away that a manifest names by its hash. */
export async function dropChunks(keys: Keys, key: string, { hash }: Manifest): Promise<void> {
  await keys.dropAll(chunkPrefix(key, hash));
}

/** @returns the name of a part that is not there */
async function joined(keys: Keys, { chunks }: Manifest): Promise<Uint8Array | string> {
  if (chunks.length > CHUNKS_MAX)
    throw new BackendFault('corrupt', `a state in ${chunks.length} parts is too large`);
  const values: Uint8Array[] = [];
  for (const chunk of chunks) {
    const pair = await keys.get(chunk);
    if (pair === null) return chunk;
    values.push(pair.value);
  }
  return Buffer.concat(values);
}

function unpack(value: Uint8Array, key: string): Uint8Array {
  if (value[0] !== 0x1f) return value;
  try {
    return gunzipSync(value, { maxOutputLength: STATE_BYTES_MAX });
  } catch (fault) {
    throw new BackendFault(
      'corrupt',
      `${key} cannot be unpacked: it is cut, damaged or too large`,
      '',
      fault,
    );
  }
}
