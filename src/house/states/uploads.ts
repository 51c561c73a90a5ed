import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Busy, Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import type { InFlightBudget } from './in-flight.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { pieceKindOf, UPLOAD_KIND } from '../records/kinds.ts';
import type { RecordOwner, Records } from '../records/records.ts';
import { BodyPacker, openSegments } from './segments.ts';

/** Uploads that are open in one house at a time. */
export const UPLOADS_MAX = 64;
/** Bytes of one piece: AWS's own clients send 5 to 8 MiB. */
const PIECE_BYTES_MAX: number = 64 * 1024 * 1024;
/** Pieces of one upload, as at Amazon S3. */
export const PIECES_MAX = 10_000;
/** An upload that is not finished by then is dropped with what has come of it. */
export const UPLOAD_LIFE: Milliseconds = 24 * 60 * 60 * 1_000;
/** How long a finished upload is remembered, for a client that never heard that it is. */
export const FINISHED_LIFE: Milliseconds = 10 * 60 * 1_000;

/** A state that is being sent in pieces. Its pieces are kept by the engine, so that any node can take the next one. */
export interface Upload extends Omit<StoredUpload, 'attributes'> {
  readonly id: string;
  /** What it became; null until it is finished. */
  readonly became: UploadResult | null;
}

/** The version that a finished upload became, kept for a client that asks again. */
export interface UploadResult {
  /** Of the whole state, lower-case hex. */
  readonly md5: string;
  readonly version: number;
}

/** An upload as it is stored, under its id. */
interface StoredUpload {
  readonly address: Address;
  readonly subject: string;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  /** Empty until it is finished. */
  readonly attributes: Partial<UploadResult>;
}

const UPLOADS: RecordDefinition<StoredUpload> = defineRecords<StoredUpload>(
  UPLOAD_KIND,
  z.object({
    address: z.object({ project: z.string(), key: z.string(), workspace: z.string() }),
    subject: z.string(),
    startedAt: z.number(),
    finishedAt: z.number().nullable(),
    attributes: z.union([z.object({ md5: z.string(), version: z.number() }), z.strictObject({})]),
  }),
);

export interface Piece extends StoredPiece {
  readonly bodyId: string;
}

/** A piece as it is stored, under its number, beside its body. */
interface StoredPiece {
  readonly number: number;
  readonly size: number;
  /** Lower-case hex. */
  readonly md5: string;
  readonly sha256: string;
  readonly at: Instant;
}

const PIECE: z.ZodType<StoredPiece> = z.object({
  number: z.number(),
  size: z.number(),
  md5: z.string(),
  sha256: z.string(),
  at: z.number(),
});

/** What may be said to a piece. */
export type PieceAnswer =
  | { readonly type: 'kept'; readonly piece: Piece }
  | { readonly type: 'too-large'; readonly limit: number }
  | { readonly type: 'absent' }
  | Shut
  | Busy;

/** Bodies that come in pieces, before they are one. */
export class Uploads {
  readonly #engine: Engine;
  readonly #owner: RecordOwner;
  readonly #uploads: Records<StoredUpload>;
  readonly #sealer: Sealer;
  readonly #entropy: Entropy;
  readonly #sizeMax: number;
  readonly #inFlight: InFlightBudget;
  readonly #gate: Gate;

  /**
   * @param sizeMax bytes of the largest state, and so of all pieces of an upload together
   * @param inFlight what all bodies that are coming in hold together
   */
  constructor(options: {
    records: RecordOwner;
    sealer: Sealer;
    entropy: Entropy;
    sizeMax: number;
    inFlight: InFlightBudget;
    gate: Gate;
  }) {
    this.#engine = options.records.engine;
    this.#owner = options.records;
    this.#uploads = UPLOADS.of(options.records);
    this.#sealer = options.sealer;
    this.#entropy = options.entropy;
    this.#sizeMax = options.sizeMax;
    this.#inFlight = options.inFlight;
    this.#gate = options.gate;
  }

  async begin(caller: Caller, address: Address): Promise<{ type: 'begun'; upload: Upload } | Busy | Shut> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const open = (await this.#known()).filter(({ finishedAt }) => finishedAt === null);
    if (open.length >= UPLOADS_MAX) return { type: 'busy', retryAfterSeconds: 60 };
    const id = this.#entropy.uuid();
    const upload = {
      address,
      subject: caller.identity.subject,
      startedAt: await this.#engine.now(),
      finishedAt: null,
    };
    await this.#uploads.put(null, id, { ...upload, attributes: {} });
    return { type: 'begun', upload: { ...upload, id, became: null } };
  }

  /** An upload of this caller to this very address, open or lately finished. */
  async find(
    caller: Caller,
    address: Address,
    id: string,
  ): Promise<{ type: 'upload'; upload: Upload } | { type: 'absent' } | Shut> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const upload = (await this.#known()).find((known) => known.id === id);
    const own =
      upload?.subject === caller.identity.subject && formatAddress(upload.address) === formatAddress(address);
    return own ? { type: 'upload', upload } : { type: 'absent' };
  }

  /** The caller's open uploads in a project. */
  async list(
    caller: Caller,
    project: string,
  ): Promise<{ type: 'uploads'; uploads: readonly Upload[] } | Shut> {
    const refusal = this.#gate.known(caller.identity);
    if (refusal !== null) return refusal;
    const { subject } = caller.identity;
    const uploads = (await this.#known()).filter(
      (upload) =>
        upload.finishedAt === null && upload.subject === subject && upload.address.project === project,
    );
    return { type: 'uploads', uploads };
  }

  /** Keeps a piece, in the place of one of the same number. Nothing is kept if the stream fails. */
  async put(
    caller: Caller,
    upload: Upload,
    number: number,
    stream: AsyncIterable<Uint8Array>,
  ): Promise<PieceAnswer> {
    const refusal = await this.#gate.on(caller, 'write', upload.address);
    if (refusal !== null) return refusal;
    return this.#gate.whileGood(caller, stream, (good) => this.#put(caller, upload, number, good));
  }

  async #put(
    caller: Caller,
    upload: Upload,
    number: number,
    stream: AsyncIterable<Uint8Array>,
  ): Promise<PieceAnswer> {
    const others = (await this.pieces(upload)).filter((piece) => piece.number !== number);
    const room = this.#sizeMax - others.reduce((sum, { size }) => sum + size, 0);
    const bodyId = this.#entropy.uuid();
    const packer = new BodyPacker(bodyId, this.#sealer);
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    const held = this.#inFlight.begin(caller);
    let size = 0;
    try {
      for await (const chunk of stream) {
        size += chunk.length;
        if (size > PIECE_BYTES_MAX) return { type: 'too-large', limit: PIECE_BYTES_MAX };
        if (size > room) return { type: 'too-large', limit: this.#sizeMax };
        if (!held.take(chunk.length)) return { type: 'busy', retryAfterSeconds: 1 };
        md5.update(chunk);
        sha256.update(chunk);
        packer.push(chunk);
      }
    } finally {
      held.release();
    }
    const piece = {
      number,
      size,
      md5: md5.digest('hex'),
      sha256: sha256.digest('hex'),
      at: await this.#engine.now(),
    };
    await this.#piecesOf(upload).put(null, String(number), piece, packer.finish());
    // Finished or given up while this piece came in: nothing else would ever drop it.
    const known = (await this.#known()).find(({ id }) => id === upload.id);
    if (known?.finishedAt === null) return { type: 'kept', piece: { ...piece, bodyId } };
    await this.#dropPieces(upload);
    return { type: 'absent' };
  }

  /** The pieces that have come, in the order of their numbers. */
  async pieces(upload: Upload): Promise<readonly Piece[]> {
    return (await this.#piecesOf(upload).list())
      .map(({ record, bodyId }) => ({ ...record, bodyId: bodyId ?? '' }))
      .sort((a, b) => a.number - b.number);
  }

  /** The bytes of pieces, one after the other. */
  async *read(pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
    for (const { bodyId } of pieces) {
      const stored = await this.#engine.body(bodyId);
      if (stored === null) throw new Error('a piece went while the upload was put together');
      yield* openSegments(stored, this.#sealer);
    }
  }

  /** Ends an upload that has become a state. What it became is remembered, in case the client asks again. */
  async finish(upload: Upload, attributes: UploadResult): Promise<void> {
    const { id, address, subject, startedAt } = upload;
    const finishedAt = await this.#engine.now();
    await this.#uploads.put(null, id, { address, subject, startedAt, finishedAt, attributes });
    await this.#dropPieces(upload);
  }

  /** Gives an upload up. */
  async drop(upload: Upload): Promise<void> {
    await this.#uploads.drop(null, upload.id);
    await this.#dropPieces(upload);
  }

  /** All uploads that are not too old; older ones are dropped on the way. */
  async #known(): Promise<readonly Upload[]> {
    const now = await this.#engine.now();
    const uploads = (await this.#uploads.list()).map(({ name, record }) => toUpload(name, record));
    const isOld = ({ startedAt, finishedAt }: Upload): boolean =>
      now - startedAt > UPLOAD_LIFE || (finishedAt !== null && now - finishedAt > FINISHED_LIFE);
    for (const old of uploads.filter(isOld)) await this.drop(old);
    return uploads.filter((upload) => !isOld(upload));
  }

  async #dropPieces(upload: Upload): Promise<void> {
    const pieces = this.#piecesOf(upload);
    await pieces.drop(null, ...(await pieces.list()).map(({ name }) => name));
  }

  #piecesOf({ id }: Upload): Records<StoredPiece> {
    return defineRecords(pieceKindOf(id), PIECE).of(this.#owner);
  }
}

function toUpload(id: string, { attributes: { md5, version }, ...upload }: StoredUpload): Upload {
  const became = md5 === undefined || version === undefined ? null : { md5, version };
  return { ...upload, id, became };
}
