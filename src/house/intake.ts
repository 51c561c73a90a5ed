import { createHash, type Hash } from 'node:crypto';
import { constants, createGzip, gzipSync, type Gzip } from 'node:zlib';
import type { SealedBody } from '../core/command.ts';
import { StateHeaderScanner, isStateHeader, type StateHeader } from '../core/state-header.ts';
import type { DataKey, Sealer } from '../ports/sealer.ts';
import type { Busy } from './caller.ts';
import { SegmentPacker } from './segments.ts';

/** Bodies up to here are compressed in one call, which costs less than a stream does. */
const AT_ONCE_BYTES = 128 * 1024;
const COMPRESSION_LEVEL = constants.Z_BEST_SPEED;

/** A body that was taken in whole and is a state. */
export interface TakenIn {
  readonly type: 'taken-in';
  readonly header: StateHeader;
  readonly size: number;
  readonly sha256: string;
  readonly md5: string;
  readonly body: SealedBody;
}

/** Why a body was not taken in. */
export type NotTakenIn =
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
export class Intake {
  readonly #sealer: Sealer;
  readonly #newId: () => string;
  readonly #sizeMax: number;
  readonly #inFlightMax: number;
  readonly #open = new Set<Promise<unknown>>();
  #inFlight = 0;

  /**
   * @param sizeMax bytes of the largest state
   * @param inFlightMax bytes of all the states that are being taken in at one time
   */
  constructor(options: { sealer: Sealer; newId: () => string; sizeMax: number; inFlightMax: number }) {
    this.#sealer = options.sealer;
    this.#newId = options.newId;
    this.#sizeMax = options.sizeMax;
    this.#inFlightMax = options.inFlightMax;
  }

  /** Reads the stream to its end, or as far as it may be read. */
  async take(stream: AsyncIterable<Uint8Array>, announced: Announced): Promise<TakenIn | NotTakenIn> {
    const taking = this.#take(stream, announced);
    this.#open.add(taking);
    try {
      return await taking;
    } finally {
      this.#open.delete(taking);
    }
  }

  /** Waits for the bodies that are being taken in now: the last that a former master key has sealed. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  async #take(stream: AsyncIterable<Uint8Array>, announced: Announced): Promise<TakenIn | NotTakenIn> {
    const tooLarge = { type: 'too-large', limit: this.#sizeMax } as const;
    if ((announced.contentLength ?? 0) > this.#sizeMax) return tooLarge;
    const id = this.#newId();
    const dataKey = this.#sealer.newDataKey(id);
    const reading = new Reading(dataKey);
    const reserved = announced.contentLength ?? 0;
    if (!this.#reserve(reserved)) return { type: 'busy', retryAfterSeconds: 1 };
    let counted = reserved;
    try {
      for await (const chunk of stream) {
        reading.size += chunk.length;
        if (reading.size > this.#sizeMax) return tooLarge;
        if (reading.size > counted) {
          if (!this.#reserve(reading.size - counted)) return { type: 'busy', retryAfterSeconds: 1 };
          counted = reading.size;
        }
        await reading.push(chunk);
      }
      return await this.#finish(id, dataKey.wrappedKey, reading, announced);
    } finally {
      this.#inFlight -= counted;
      reading.discard();
    }
  }

  async #finish(
    id: string,
    wrappedKey: Uint8Array,
    reading: Reading,
    announced: Announced,
  ): Promise<TakenIn | NotTakenIn> {
    const { size } = reading;
    if (announced.contentLength !== null && announced.contentLength !== size) {
      const problem = `${announced.contentLength} bytes were announced and ${size} came`;
      return { type: 'damaged', problem };
    }
    const { header, md5, sha256, segments } = await reading.finish();
    const mismatch = announced.verify?.({ md5, sha256 }) ?? null;
    if (mismatch !== null) return { type: 'damaged', problem: mismatch };
    if (!isStateHeader(header)) return { type: 'not-a-state', problem: header.problem };
    const body = { id, keyId: this.#sealer.keyId, wrappedKey, segments };
    return { type: 'taken-in', header, size, sha256, md5, body };
  }

  #reserve(bytes: number): boolean {
    // One body alone is always taken, so that the bound can be smaller than the largest state.
    if (this.#inFlight > 0 && this.#inFlight + bytes > this.#inFlightMax) return false;
    this.#inFlight += bytes;
    return true;
  }
}

/** One body while it comes in. */
class Reading {
  size = 0;
  readonly #md5: Hash = createHash('md5');
  readonly #sha256: Hash = createHash('sha256');
  readonly #scanner = new StateHeaderScanner();
  readonly #packer: SegmentPacker;
  #small: Uint8Array[] | null = [];
  #gzip: Gzip | null = null;
  #compressed: Promise<void> | null = null;

  constructor(dataKey: DataKey) {
    this.#packer = new SegmentPacker(dataKey);
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
    segments: SealedBody['segments'];
  }> {
    if (this.#small !== null) {
      this.#packer.push(gzipSync(Buffer.concat(this.#small), { level: COMPRESSION_LEVEL }));
    } else {
      this.#gzip?.end();
      await this.#compressed;
    }
    return {
      header: this.#scanner.finish(),
      md5: this.#md5.digest('hex'),
      sha256: this.#sha256.digest('hex'),
      segments: this.#packer.finish(),
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
