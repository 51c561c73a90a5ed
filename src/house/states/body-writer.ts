import { createHash, type Hash } from 'node:crypto';
import { constants, createGzip, gzipSync, type Gzip } from 'node:zlib';
import type { SealedBody } from '../../core/command.ts';
import { StateHeaderScanner, isStateHeader } from '../../core/state-header.ts';
import type { StateFacts } from '../../core/world.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Busy, Caller } from '../caller.ts';
import type { Budget } from '../budget.ts';
import { BodyPacker } from './segments.ts';
import { gzipStored } from './stored-gzip.ts';

/** Bodies up to here are compressed in one call, which costs less than a stream does. */
const AT_ONCE_BYTES = 128 * 1024;
const COMPRESSION_LEVEL = constants.Z_BEST_SPEED;
/** Smaller bodies are kept as they are: to compress and to expand one costs as much as all other work with it. */
const COMPRESSED_BYTES_MIN = 4 * 1024;

/** A body that was taken in whole and is a state. */
export interface TakenIn {
  readonly type: 'taken-in';
  /** What a write command says of the state. */
  readonly content: StateFacts & { readonly body: SealedBody };
}

/** Why a body was not taken in. */
export type BodyRefusal =
  | { readonly type: 'too-large'; readonly limit: number }
  | { readonly type: 'not-a-state'; readonly problem: string }
  /** Fewer or more bytes than announced, or a digest that does not match. */
  | { readonly type: 'damaged'; readonly problem: string }
  | Busy;

/** What the sender said of the body, to be checked against what came. */
export interface Announced {
  readonly contentLength: number | null;
  /** Called when all bytes have come, with their digests; says what is wrong with them, or null. */
  readonly verify?: (digests: { readonly md5: string; readonly sha256: string }) => string | null;
}

/**
 * Takes bodies in: hashes, scans, compresses and seals them as they come, so that no state is ever held whole in the clear.
 * What is held of all bodies at a time is bounded.
 */
export class StateBodyWriter {
  readonly #sealer: Sealer;
  readonly #newId: () => string;
  readonly #sizeMax: number;
  readonly #inFlight: Budget;

  /**
   * @param sizeMax bytes of the largest state
   * @param inFlight what all bodies that are coming in hold together
   */
  constructor(options: { sealer: Sealer; newId: () => string; sizeMax: number; inFlight: Budget }) {
    this.#sealer = options.sealer;
    this.#newId = options.newId;
    this.#sizeMax = options.sizeMax;
    this.#inFlight = options.inFlight;
  }

  /** Reads the stream to its end, or as far as it may be read. */
  async take(
    caller: Caller,
    stream: AsyncIterable<Uint8Array>,
    announced: Announced,
  ): Promise<TakenIn | BodyRefusal> {
    const tooLarge = { type: 'too-large', limit: this.#sizeMax } as const;
    if ((announced.contentLength ?? 0) > this.#sizeMax) return tooLarge;
    const reading = new BodyInProgress(new BodyPacker(this.#newId(), this.#sealer));
    const held = this.#inFlight.begin(caller);
    try {
      for await (const chunk of stream) {
        reading.size += chunk.length;
        if (reading.size > this.#sizeMax) return tooLarge;
        if (!held.take(chunk.length)) return { type: 'busy', retryAfterSeconds: 1 };
        await reading.push(chunk);
      }
      return await finish(reading, announced);
    } finally {
      held.release();
      reading.discard();
    }
  }
}

/** Looks at a body once all of it has come. */
async function finish(reading: BodyInProgress, announced: Announced): Promise<TakenIn | BodyRefusal> {
  const { size } = reading;
  if (announced.contentLength !== null && announced.contentLength !== size) {
    return { type: 'damaged', problem: `${announced.contentLength} bytes were announced and ${size} came` };
  }
  const { header, md5, sha256, body } = await reading.finish();
  const mismatch = announced.verify?.({ md5, sha256 }) ?? null;
  if (mismatch !== null) return { type: 'damaged', problem: mismatch };
  if (!isStateHeader(header)) return { type: 'not-a-state', problem: header.problem };
  const { serial, lineage, terraformVersion, encrypted } = header;
  return {
    type: 'taken-in',
    content: { serial, lineage, terraformVersion, encrypted, size, sha256, md5, body },
  };
}

/** One body while it comes in. */
class BodyInProgress {
  size = 0;
  readonly #md5: Hash = createHash('md5');
  readonly #sha256: Hash = createHash('sha256');
  readonly #scanner = new StateHeaderScanner();
  readonly #packer: BodyPacker;
  #small: Uint8Array[] | null = [];
  #gzip: Gzip | null = null;
  #compressed: Promise<void> | null = null;

  constructor(packer: BodyPacker) {
    this.#packer = packer;
  }

  async push(chunk: Uint8Array): Promise<void> {
    this.#md5.update(chunk);
    this.#sha256.update(chunk);
    this.#scanner.push(chunk);
    if (this.#small !== null) {
      this.#small.push(chunk);
      if (this.size <= AT_ONCE_BYTES) return;
      for (const early of this.#small) await this.#compress(early);
      this.#small = null;
      return;
    }
    await this.#compress(chunk);
  }

  async finish(): Promise<{
    header: ReturnType<StateHeaderScanner['finish']>;
    md5: string;
    sha256: string;
    body: SealedBody;
  }> {
    if (this.#small !== null) {
      const all = Buffer.concat(this.#small);
      this.#packer.push(
        all.length < COMPRESSED_BYTES_MIN ? gzipStored(all) : gzipSync(all, { level: COMPRESSION_LEVEL }),
      );
    } else {
      this.#gzip?.end();
      await this.#compressed;
    }
    return {
      header: this.#scanner.finish(),
      md5: this.#md5.digest('hex'),
      sha256: this.#sha256.digest('hex'),
      body: this.#packer.finish(),
    };
  }

  /** Frees what a body that ended early still holds. */
  discard(): void {
    this.#gzip?.destroy();
  }

  async #compress(chunk: Uint8Array): Promise<void> {
    const gzip = this.#gzip ?? this.#openGzip();
    if (!gzip.write(chunk)) await new Promise<void>((resolve) => void gzip.once('drain', resolve));
  }

  #openGzip(): Gzip {
    const gzip = createGzip({ level: COMPRESSION_LEVEL });
    this.#gzip = gzip;
    this.#compressed = new Promise<void>((resolve, reject) => {
      gzip.on('data', (piece: Buffer) => this.#packer.push(piece));
      gzip.once('end', resolve);
      gzip.once('error', reject);
    });
    return gzip;
  }
}
