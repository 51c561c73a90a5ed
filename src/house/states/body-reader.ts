import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import type { Version } from '../../core/world.ts';
import { EngineFault, type Engine } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { openSegments } from './segments.ts';
import { storedIn } from './stored-gzip.ts';

/** States up to this size are given whole rather than as a stream. */
const AT_ONCE_BYTES = 256 * 1024;

/** The bytes of one version, in the clear, as they came or still compressed. */
export interface StateBytes {
  /** The state, byte for byte as it was sent. */
  plain(): AsyncIterable<Uint8Array> | Uint8Array;
  /** The same as one gzip member, for a client that takes it so. */
  gzip(): AsyncIterable<Uint8Array> | Uint8Array;
}

/** A state whose bytes are kept: a version, or a write that was refused. */
export interface KeptState extends Pick<Version, 'bodyId' | 'size' | 'sha256'> {
  /** Of the version; null for a write that was refused. */
  readonly number: number | null;
}

/** Reads bodies: opens their segments and gives the state's own bytes. */
export class StateBodyReader {
  readonly #engine: Pick<Engine, 'body'>;
  readonly #sealer: Sealer;

  constructor(engine: Pick<Engine, 'body'>, sealer: Sealer) {
    this.#engine = engine;
    this.#sealer = sealer;
  }

  /** The bytes of a version or of a refused write; null when it was dropped since its description was read. */
  async open(version: KeptState): Promise<StateBytes | null> {
    const stored = await this.#engine.body(version.bodyId);
    if (stored === null) return null;
    const pieces = openSegments(stored, this.#sealer, (id) => this.#engine.body(id));
    // Whether an object can be had shows with its first piece: before an answer has begun.
    const opened = stored.object === undefined ? pieces : await begun(pieces);
    if (version.size > AT_ONCE_BYTES) {
      return { gzip: () => opened, plain: () => compared(version, inflate(opened)) };
    }
    const gzip = await whole(opened);
    return {
      gzip: () => gzip,
      plain: () => {
        const plain = storedIn(gzip) ?? gunzipSync(gzip, { maxOutputLength: version.size });
        requireSame(version, plain.length, createHash('sha256').update(plain).digest('hex'));
        return plain;
      },
    };
  }

  /** A version's bytes in one piece: only for what must see a state whole, such as a restore or a diff. */
  async whole(version: Version): Promise<Uint8Array | null> {
    const bytes = (await this.open(version))?.plain() ?? null;
    return bytes === null || bytes instanceof Uint8Array ? bytes : await whole(bytes);
  }
}

/** The same, of which the first piece is there already. */
async function begun(pieces: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await pieces.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* pieces;
  })();
}

/** `stream/consumers` makes a Blob on its way, which costs more than all else that a small read does. */
async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/**
 * The same bytes, which come to an end only if they are those that the version was made of. As gzip they are not looked
 * at: there the seal of the segments alone says that they are what was stored.
 */
async function* compared(version: KeptState, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    hash.update(chunk);
    yield chunk;
  }
  requireSame(version, size, hash.digest('hex'));
}

function requireSame({ number, size, sha256 }: KeptState, found: number, digest: string): void {
  if (found === size && digest === sha256) return;
  const what = number === null ? 'a refused write' : `version ${number}`;
  throw new EngineFault(
    `the bytes of ${what} are not those that it was made of: restore a backup with "statehouse restore-backup"`,
  );
}

/** A failure of the source reaches the reader as an error of the stream, so that a state never just ends early. */
function inflate(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return pipeline(Readable.from(compressed), createGunzip(), () => undefined);
}
