import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { isSameAddress, type Address } from '../../core/address.ts';
import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine, Entry } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Audit } from '../audit.ts';
import type { Budget } from '../budget.ts';
import type { Busy, Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { RecordBodies } from '../records/bodies.ts';
import { defineRecords } from '../records/define.ts';
import { pieceKindOf, uploadOfPieceKind } from '../records/kinds.ts';
import type { NamedRecord, RecordOwner, Records } from '../records/records.ts';
import { openFacts, sealFacts } from './body-facts.ts';
import { BodyPacker, openSegments } from './segments.ts';
import { hasRoom, isOver, mayBegin, type UploadSettings } from './upload-limits.ts';
import {
  PIECE,
  PIECE_FACTS,
  toUpload,
  UPLOAD_RESULT,
  UPLOADS,
  type Notes,
  type Piece,
  type StoredPiece,
  type StoredUpload,
  type Upload,
  type UploadResult,
} from './upload-records.ts';

/** Bytes of one piece: AWS's own clients send 5 to 8 MiB. */
const PIECE_BYTES_MAX: number = 64 * 1024 * 1024;
/** Pieces of one upload, as at Amazon S3. */
export const PIECES_MAX = 10_000;
/** How often uploads that are over are looked for. */
export const SWEEP_MS: Milliseconds = 5 * 60 * 1_000;
/** Entries that the search for left pieces looks at in one go. */
const SWEPT_AT_ONCE = 500;
/** A full share empties as uploads end, which takes a while. */
const FULL: Busy = { type: 'busy', full: 'uploads', retryAfterSeconds: 60 };

/** Who ends what nobody finished. */
const NODE: Caller = { identity: { subject: 'house:node', grants: [] }, door: 'house' };

/** What may be said to a piece. */
export type PieceAnswer =
  | { readonly type: 'kept'; readonly piece: Piece }
  | { readonly type: 'too-large'; readonly limit: number }
  | { readonly type: 'absent' }
  | Shut
  | Busy;

/** An upload that somebody asks for by its id. */
export type UploadAnswer =
  | { readonly type: 'upload'; readonly upload: Upload }
  | { readonly type: 'absent' }
  | Shut;

/** Bodies that come in pieces, before they are one. */
export class Uploads {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #owner: RecordOwner;
  readonly #uploads: Records<StoredUpload>;
  readonly #bodies: RecordBodies;
  readonly #sealer: Sealer;
  readonly #entropy: Entropy;
  readonly #audit: Audit;
  readonly #log: Log;
  readonly #limits: UploadSettings & { readonly sizeMax: number };
  readonly #inFlight: Budget;
  readonly #gate: Gate;
  /** What counts all that is open takes turns, so that a crowd of requests does not slip in between. */
  #turn: Promise<unknown> = Promise.resolve();
  #endSweeping: () => void = () => undefined;

  /**
   * @param sizeMax bytes of the largest state, and so of all pieces of an upload together
   * @param inFlight what all bodies that are coming in hold together
   */
  constructor(options: {
    records: RecordOwner;
    sealer: Sealer;
    entropy: Entropy;
    audit: Audit;
    log: Log;
    sizeMax: number;
    settings: UploadSettings;
    inFlight: Budget;
    gate: Gate;
  }) {
    this.#engine = options.records.engine;
    this.#clock = options.records.clock;
    this.#owner = options.records;
    this.#uploads = UPLOADS.of(options.records);
    this.#bodies = new RecordBodies({ ...options, engine: options.records.engine });
    this.#sealer = options.sealer;
    this.#entropy = options.entropy;
    this.#audit = options.audit;
    this.#log = options.log;
    this.#limits = { ...options.settings, sizeMax: options.sizeMax };
    this.#inFlight = options.inFlight;
    this.#gate = options.gate;
  }

  async begin(
    caller: Caller,
    address: Address,
    notes?: Notes,
  ): Promise<{ type: 'begun'; upload: Upload } | Busy | Shut> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const { subject } = caller.identity;
    return this.#inTurn(async () => {
      if (!mayBegin(await this.#open(), subject, address)) return FULL;
      const id = this.#entropy.uuid();
      const at = await this.#engine.now();
      const begun = { address, subject, startedAt: at, touchedAt: at, bytes: 0, finishedAt: null };
      const upload = notes === undefined ? begun : { ...begun, notes };
      await this.#uploads.put(null, id, { ...upload, attributes: {} });
      this.#audit.note(caller, 'upload-begin', address, { upload: id });
      return { type: 'begun', upload: { ...upload, id, became: null } };
    });
  }

  /** An upload to this very address, open or lately finished, that the caller began. */
  async find(caller: Caller, address: Address, id: string): Promise<UploadAnswer> {
    const answer = await this.look(caller, address, id);
    const isOwn = answer.type !== 'upload' || answer.upload.subject === caller.identity.subject;
    return isOwn ? answer : { type: 'absent' };
  }

  /** The same, or anybody's for an admin of the address. */
  async look(caller: Caller, address: Address, id: string): Promise<UploadAnswer> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const upload = (await this.#known()).find((known) => known.id === id);
    if (upload === undefined || !isSameAddress(upload.address, address)) return { type: 'absent' };
    if (!this.#isSeenBy(caller, upload)) return { type: 'absent' };
    const became = upload.became ?? (upload.finishedAt === null ? null : await this.#result(id));
    return { type: 'upload', upload: { ...upload, became } };
  }

  /** The open uploads in a project: the caller's own, and all to the addresses that it administers. */
  async list(
    caller: Caller,
    project: string,
  ): Promise<{ type: 'uploads'; uploads: readonly Upload[] } | Shut> {
    const refusal = this.#gate.known(caller.identity);
    if (refusal !== null) return refusal;
    const uploads = (await this.#open()).filter(
      (upload) => upload.address.project === project && this.#isSeenBy(caller, upload),
    );
    return { type: 'uploads', uploads };
  }

  /**
   * Keeps a piece, in the place of one of the same number. Nothing is kept if the stream fails.
   * @param notes asked at the end of the stream
   */
  async put(
    caller: Caller,
    upload: Upload,
    number: number,
    stream: AsyncIterable<Uint8Array>,
    notes?: () => Notes,
  ): Promise<PieceAnswer> {
    const refusal = await this.#gate.on(caller, 'write', upload.address);
    if (refusal !== null) return refusal;
    const work = { action: 'write', address: upload.address } as const;
    return this.#gate.whileGood(caller, work, stream, (good) =>
      this.#put(caller, upload, { number, notes }, good),
    );
  }

  async #put(
    caller: Caller,
    upload: Upload,
    { number, notes }: { number: number; notes: (() => Notes) | undefined },
    stream: AsyncIterable<Uint8Array>,
  ): Promise<PieceAnswer> {
    const open = await this.#open();
    if (!hasRoom(open, { subject: upload.subject, bytes: 1 }, this.#limits)) return FULL;
    const kept = open.find(({ id }) => id === upload.id)?.bytes ?? 0;
    const replaced = (await this.#piecesOf(upload.id).one(String(number)))?.size ?? 0;
    const room = this.#limits.sizeMax - kept + replaced;
    const bodyId = this.#entropy.uuid();
    const packer = new BodyPacker(bodyId, this.#sealer);
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    const held = this.#inFlight.begin(caller);
    let size = 0;
    try {
      for await (const chunk of stream) {
        size += chunk.length;
        if (size > PIECE_BYTES_MAX) return { type: 'too-large', limit: PIECE_BYTES_MAX };
        if (size > room) return { type: 'too-large', limit: this.#limits.sizeMax };
        if (!held.take(chunk.length)) return { type: 'busy', retryAfterSeconds: 1 };
        md5.update(chunk);
        sha256.update(chunk);
        packer.push(chunk);
      }
    } finally {
      held.release();
    }
    const reserved = await this.#inTurn(() => this.#reserve(upload, size - replaced));
    if (reserved !== null) return reserved;
    const facts = {
      md5: md5.digest('hex'),
      sha256: sha256.digest('hex'),
      ...(notes === undefined ? {} : { notes: notes() }),
    };
    const body = packer.finish();
    const piece = { number, size, at: await this.#engine.now() };
    const stored = { ...piece, facts: sealFacts(this.#sealer, body, facts) };
    await this.#piecesOf(upload.id).put(null, String(number), stored, body);
    // Finished or given up while this piece came in: nothing but the next sweep would drop it.
    if ((await this.#open()).some(({ id }) => id === upload.id))
      return { type: 'kept', piece: { ...piece, ...facts, bodyId } };
    await this.#dropPieces(upload.id);
    return { type: 'absent' };
  }

  /** The pieces that have come, in the order of their numbers. */
  async pieces(upload: Upload): Promise<readonly Piece[]> {
    const pieces: Piece[] = [];
    for await (const page of this.#piecesOf(upload.id).pages()) {
      const opened = await Promise.all(page.map((piece) => this.#openPiece(upload.id, piece)));
      pieces.push(...opened.filter((piece) => piece !== null));
    }
    return pieces.sort((a, b) => a.number - b.number);
  }

  /** The bytes of pieces, one after the other. */
  async *read(pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
    for (const { bodyId } of pieces) {
      const stored = await this.#engine.body(bodyId);
      if (stored === null) throw new Error('a piece went while the upload was put together');
      yield* openSegments(stored, this.#sealer, (id) => this.#engine.body(id));
    }
  }

  /** Ends an upload that has become a state. What it became is remembered, in case the client asks again. */
  async finish(caller: Caller, upload: Upload, result: UploadResult): Promise<void> {
    const { id, address, subject, startedAt } = upload;
    const finishedAt = await this.#engine.now();
    const body = this.#bodies.seal(Buffer.from(JSON.stringify(result)));
    const record = { address, subject, startedAt, finishedAt, attributes: {} };
    await this.#uploads.put(null, id, record, body);
    this.#audit.note(caller, 'upload-complete', address, { upload: id, version: result.version });
    await this.#dropPieces(id);
  }

  /** Gives an upload up. */
  async abort(caller: Caller, upload: Upload): Promise<void> {
    await this.#drop(upload.id);
    this.#audit.note(caller, 'upload-abort', upload.address, { upload: upload.id, of: upload.subject });
  }

  /** Goes on looking for uploads that are over, until {@link Uploads.close}. */
  keepSwept(): void {
    this.#endSweeping = this.#clock.after(SWEEP_MS, () => {
      this.keepSwept();
      this.sweep().catch((fault: unknown) =>
        this.#log.error('uploads that are over could not be dropped', { fault: String(fault) }),
      );
    });
  }

  close(): void {
    this.#endSweeping();
  }

  /** Drops every upload that is over, and pieces that were left of one by a node that was killed. */
  async sweep(): Promise<void> {
    const known = new Set((await this.#known()).map(({ id }) => id));
    let after: Entry | undefined;
    do {
      const page = { limit: SWEPT_AT_ONCE, ...(after === undefined ? {} : { after }) };
      const entries = await this.#engine.entries(null, page);
      const stored = new Set(entries.map(({ kind }) => uploadOfPieceKind(kind)));
      for (const id of stored) if (id !== null && !known.has(id)) await this.#dropPieces(id);
      after = entries.length < SWEPT_AT_ONCE ? undefined : entries.at(-1);
      await setImmediate();
    } while (after !== undefined);
  }

  /** A piece with its facts; null when it went meanwhile. */
  async #openPiece(
    upload: string,
    { name, record, bodyId }: NamedRecord<StoredPiece>,
  ): Promise<Piece | null> {
    const { number, size, at } = record;
    const piece = { number, size, at, bodyId: bodyId ?? '' };
    if (!('facts' in record)) return { ...record, ...piece };
    const stored = await this.#engine.body(piece.bodyId);
    if (stored === null) return null;
    try {
      return { ...piece, ...PIECE_FACTS.parse(openFacts(this.#sealer, stored, record.facts)) };
    } catch (fault) {
      // Its body was encrypted anew since the record was read, and the record was put with it.
      const now = await this.#piecesOf(upload).one(name);
      if (now === null) return null;
      if (!('facts' in now) || now.facts === record.facts) throw fault;
      return this.#openPiece(upload, { name, record: now, bodyId });
    }
  }

  /** What a finished upload became. */
  async #result(id: string): Promise<UploadResult | null> {
    const bodyId = await this.#uploads.bodyOf(id);
    const bytes = bodyId === null ? null : await this.#bodies.read(bodyId);
    return bytes === null ? null : UPLOAD_RESULT.parse(JSON.parse(Buffer.from(bytes).toString()));
  }

  /** Whoever began an upload sees it, and whoever administers its address. */
  #isSeenBy({ identity }: Caller, { subject, address }: Upload): boolean {
    return subject === identity.subject || this.#gate.shows(identity, 'manage', address);
  }

  /** Counts bytes as an upload's own before they are stored. @returns null when they are */
  async #reserve(upload: Upload, bytes: number): Promise<PieceAnswer | null> {
    const open = await this.#open();
    const mine = open.find(({ id }) => id === upload.id);
    if (mine === undefined) return { type: 'absent' };
    if (mine.bytes + bytes > this.#limits.sizeMax) return { type: 'too-large', limit: this.#limits.sizeMax };
    if (!hasRoom(open, { subject: mine.subject, bytes }, this.#limits)) return FULL;
    const touchedAt = await this.#engine.now();
    const after = await this.#uploads.update(null, upload.id, (before) =>
      before === null || before.finishedAt !== null
        ? before
        : { ...before, touchedAt, bytes: (before.bytes ?? 0) + bytes },
    );
    return after === null || after.finishedAt !== null ? { type: 'absent' } : null;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #open(): Promise<readonly Upload[]> {
    return (await this.#known()).filter(({ finishedAt }) => finishedAt === null);
  }

  /** All uploads that are not over; the others are dropped on the way. */
  async #known(): Promise<readonly Upload[]> {
    const now = await this.#engine.now();
    const uploads = (await this.#uploads.list()).map(({ name, record }) => toUpload(name, record));
    const over = new Set(uploads.filter((upload) => isOver(upload, now, this.#limits.uploadIdle)));
    for (const { id, finishedAt, address, subject } of over) {
      const dropped = await this.#drop(id);
      if (dropped && finishedAt === null)
        this.#audit.note(NODE, 'upload-expire', address, { upload: id, of: subject });
    }
    return uploads.filter((upload) => !over.has(upload));
  }

  /**
   * The record goes last: while it is there, what is left of the pieces is found again.
   * @returns whether it was there, and nobody else dropped it meanwhile
   */
  async #drop(id: string): Promise<boolean> {
    await this.#dropPieces(id);
    let wasThere = false;
    await this.#uploads.update(null, id, (before) => {
      wasThere = before !== null;
      return null;
    });
    return wasThere;
  }

  async #dropPieces(id: string): Promise<void> {
    const pieces = this.#piecesOf(id);
    for await (const page of pieces.pages()) await pieces.drop(null, ...page.map(({ name }) => name));
  }

  #piecesOf(id: string): Records<StoredPiece> {
    return defineRecords(pieceKindOf(id), PIECE).of(this.#owner);
  }
}
