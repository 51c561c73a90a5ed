import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { PayloadProblem } from './payload-problem.ts';
import { sha256Hex } from './canonical.ts';
import { hmac, isSame, scopeText, type Verified } from './verify.ts';

/** `<hex length>;chunk-signature=<64 hex>`: real ones have at most 98 characters. */
const CHUNK_LINE_MAX = 256;
const TRAILER_BYTES_MAX: number = 8 * 1024;
/** Data of small chunks are put together, since whoever takes them does something with each piece: real chunks have 64 KiB. */
const PIECE_BYTES: number = 16 * 1024;
/** Chunks after which others have their turn. */
const TURN_CHUNKS = 2_048;

const CHUNK_LINE = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/;
const TRAILER_LINE = /^([A-Za-z0-9-]+):(.*)$/;
const TRAILER_SIGNATURE = 'x-amz-trailer-signature';
const EMPTY_SHA256 = sha256Hex('');

export interface ChunkOptions {
  /** `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** Where every chunk is signed: what the first signature continues from. */
  readonly signed: Verified | null;
  /** Told the trailer's fields, names in lower case, once all data have gone by. */
  readonly onTrailer: (fields: ReadonlyMap<string, string>) => void;
}

/**
 * Takes `aws-chunked` apart: yields the data and checks lengths, signatures and the trailer on the way.
 * Data are yielded before their chunk's signature is known, so whoever takes them must keep nothing if this throws.
 * Source: Amazon S3 API reference, "Signature calculations for the Authorization header: transferring a payload in
 * multiple chunks", and "… including trailing headers".
 */
export async function* decodeChunks(
  source: AsyncIterable<Uint8Array>,
  { decodedLength, signed, onTrailer }: ChunkOptions,
): AsyncGenerator<Uint8Array> {
  const reader = new Reader(source);
  const signer = signed === null ? null : new ChunkSigner(signed);
  const gathered = new Gathered();
  let total = 0;
  for (let chunks = 1; ; chunks += 1) {
    if (chunks % TURN_CHUNKS === 0) await setImmediate();
    const line = reader.lineAtHand(CHUNK_LINE_MAX) ?? (await reader.line(CHUNK_LINE_MAX));
    const { size, signature } = parseChunkLine(line, signer !== null);
    total += size;
    if (total > decodedLength) throw incomplete(decodedLength);
    const hash = signer === null ? null : createHash('sha256');
    for (let left = size; left > 0;) {
      const data = reader.dataAtHand(left) ?? (await reader.data(left));
      left -= data.length;
      hash?.update(data);
      gathered.push(data);
      if (gathered.bytes >= PIECE_BYTES) yield gathered.take();
    }
    if (signer !== null && hash !== null) signer.checkChunk(hash, signature);
    if (size === 0) break;
    if ((reader.lineAtHand(1) ?? (await reader.line(1))) !== '') {
      throw malformed('a chunk is longer than it says');
    }
  }
  if (gathered.bytes > 0) yield gathered.take();
  if (total !== decodedLength) throw incomplete(decodedLength);
  onTrailer(await readTrailer(reader, signer));
  if (!(await reader.isAtEnd())) throw malformed('something follows the last chunk');
}

/** Data that wait to be enough. */
class Gathered {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(data: Uint8Array): void {
    this.#parts.push(data);
    this.#bytes += data.length;
  }

  take(): Uint8Array {
    const [first, second] = this.#parts;
    const all = first !== undefined && second === undefined ? first : Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return all;
  }
}

function parseChunkLine(line: string, signed: boolean): { size: number; signature: string } {
  const match = CHUNK_LINE.exec(line);
  if (match === null) throw malformed('a chunk does not begin with its length');
  const [, size = '', signature = ''] = match;
  if (signed && signature === '') throw new PayloadProblem('chunk-signature', 'a chunk is not signed');
  return { size: Number.parseInt(size, 16), signature };
}

/** The trailer ends with an empty line; some clients leave that out where there is no trailer. */
async function readTrailer(reader: Reader, signer: ChunkSigner | null): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  let canonical = '';
  let left = TRAILER_BYTES_MAX;
  while (!(await reader.isAtEnd())) {
    const line = await reader.line(left);
    if (line === '') break;
    left -= line.length;
    const match = TRAILER_LINE.exec(line);
    if (match === null) throw malformed('the trailer is not a list of headers');
    const [, name = '', value = ''] = match;
    const field = name.toLowerCase();
    if (fields.has(field)) throw malformed(`the trailer has ${field} twice`);
    fields.set(field, value.trim());
    if (field !== TRAILER_SIGNATURE) canonical += `${field}:${value.trim()}\n`;
  }
  if (signer !== null && fields.size > 0) signer.checkTrailer(canonical, fields.get(TRAILER_SIGNATURE) ?? '');
  fields.delete(TRAILER_SIGNATURE);
  return fields;
}

/** Each signature covers the one before it, so that chunks can be neither dropped nor reordered. */
class ChunkSigner {
  readonly #verified: Verified;
  #previous: string;

  constructor(verified: Verified) {
    this.#verified = verified;
    this.#previous = verified.signature.signature;
  }

  checkChunk(hash: Hash, signature: string): void {
    this.#check('AWS4-HMAC-SHA256-PAYLOAD', [EMPTY_SHA256, hash.digest('hex')], signature);
  }

  checkTrailer(canonical: string, signature: string): void {
    this.#check('AWS4-HMAC-SHA256-TRAILER', [sha256Hex(canonical)], signature);
  }

  #check(kind: string, hashes: readonly string[], signature: string): void {
    const { signature: seed, signingKey } = this.#verified;
    const text = [kind, seed.date, scopeText(seed.scope), this.#previous, ...hashes].join('\n');
    if (!isSame(hmac(signingKey, text), signature)) {
      throw new PayloadProblem('chunk-signature', 'the signature of a chunk or of the trailer is wrong');
    }
    this.#previous = signature;
  }
}

/** Lines and data from a stream of pieces of any size. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next line without its end, which is CRLF or, from some clients in a trailer, LF. */
  async line(max: number): Promise<string> {
    let text = '';
    for (;;) {
      if (await this.isAtEnd()) throw new PayloadProblem('incomplete', 'the body ends within a chunk');
      const end = this.#piece.indexOf(0x0a);
      const until = end === -1 ? this.#piece.length : end;
      text += Buffer.from(this.#piece.subarray(0, until)).toString('latin1');
      this.#piece = this.#piece.subarray(end === -1 ? until : until + 1);
      // One more than the bound, for the CR.
      if (text.length > max + 1) throw malformed('a line between the chunks is too long');
      if (end !== -1) return text.endsWith('\r') ? text.slice(0, -1) : text;
    }
  }

  /** The next line, if all of it is here already: small chunks are many. Null where it is not, or is too long. */
  lineAtHand(max: number): string | null {
    const end = this.#piece.indexOf(0x0a);
    if (end === -1 || end > max + 1) return null;
    const until = this.#piece[end - 1] === 0x0d ? end - 1 : end;
    const text = Buffer.from(this.#piece.subarray(0, until)).toString('latin1');
    this.#piece = this.#piece.subarray(end + 1);
    return text;
  }

  /** As many of the next bytes as are here; null where none is. */
  dataAtHand(size: number): Uint8Array | null {
    if (this.#piece.length === 0) return null;
    const taken = this.#piece.subarray(0, size);
    this.#piece = this.#piece.subarray(taken.length);
    return taken;
  }

  async data(size: number): Promise<Uint8Array> {
    if (await this.isAtEnd()) throw new PayloadProblem('incomplete', 'the body ends within a chunk');
    return this.dataAtHand(size) ?? new Uint8Array(0);
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return true;
      this.#piece = next.value;
    }
    return false;
  }
}

function malformed(message: string): PayloadProblem {
  return new PayloadProblem('malformed-chunks', message);
}

function incomplete(decodedLength: number): PayloadProblem {
  return new PayloadProblem(
    'incomplete',
    `the chunks do not add up to the ${decodedLength} bytes of x-amz-decoded-content-length`,
  );
}
