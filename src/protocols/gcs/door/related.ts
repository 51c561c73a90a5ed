import { UploadProblem } from './call.ts';

/** What is said of an object, and its bytes, which are yet to come. */
export interface RelatedBody {
  readonly metadata: Uint8Array;
  readonly media: AsyncIterable<Uint8Array>;
}

const CR = 0x0d;
/** The largest description of an object, and the largest head of a part. */
const METADATA_BYTES_MAX: number = 64 * 1024;

/**
 * Reads a `multipart/related` body of two parts as it comes (RFC 2387; Cloud Storage, "Multipart uploads").
 * @throws {UploadProblem} when it is none; the media throws it, too, when it does not end as it should
 */
export async function readRelated(
  body: AsyncIterable<Uint8Array>,
  contentType: string,
): Promise<RelatedBody> {
  const boundary = /;\s*boundary=(["']?)([^\s;"'](?:[^;"']{0,68}[^\s;"'])?)\1\s*(?:;|$)/i.exec(contentType);
  const name = boundary?.[2];
  if (!/^multipart\/related\s*;/i.test(contentType) || name === undefined)
    throw new UploadProblem('the Content-Type of an upload of two parts is multipart/related; boundary=…');
  const reader = new DelimitedReader(body);
  await reader.until(`--${name}`);
  // gsutil ends its lines with LF, and puts the boundary in single quotes.
  const eol = (await reader.until('\n')).at(-1) === CR ? '\r\n' : '\n';
  await skipHead(reader, eol);
  const metadata = await reader.until(`${eol}--${name}`);
  await reader.until(eol);
  await skipHead(reader, eol);
  return { metadata, media: reader.rest(`${eol}--${name}--`) };
}

/** Skips the headers of a part, of which there may be none, and the empty line after them. */
async function skipHead(reader: DelimitedReader, eol: string): Promise<void> {
  while ((await reader.until(eol)).length > 0);
}

/** Takes a stream of bytes apart at texts that stand in it. */
class DelimitedReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** The bytes before the delimiter, which is skipped. */
  async until(delimiter: string): Promise<Buffer> {
    for (;;) {
      const at = this.#pending.indexOf(delimiter, 0, 'latin1');
      if (at !== -1) {
        const before = this.#pending.subarray(0, at);
        this.#pending = this.#pending.subarray(at + delimiter.length);
        return before;
      }
      if (this.#pending.length > METADATA_BYTES_MAX)
        throw new UploadProblem('the metadata of the upload is too large');
      if (!(await this.#more())) throw new UploadProblem('the upload is not of two parts, as its type says');
    }
  }

  /** The bytes before the delimiter as they come. What follows it is read, and dropped. */
  async *rest(delimiter: string): AsyncGenerator<Uint8Array> {
    // What may be the beginning of the delimiter is held back.
    const held = delimiter.length - 1;
    for (;;) {
      const at = this.#pending.indexOf(delimiter, 0, 'latin1');
      if (at !== -1) {
        yield this.#pending.subarray(0, at);
        do this.#pending = Buffer.alloc(0);
        while (await this.#more());
        return;
      }
      const safe = Math.max(0, this.#pending.length - held);
      if (safe > 0) yield this.#pending.subarray(0, safe);
      this.#pending = this.#pending.subarray(safe);
      if (!(await this.#more())) throw new UploadProblem('the upload ends before its last boundary');
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done === true) return false;
    this.#pending = this.#pending.length === 0 ? Buffer.from(value) : Buffer.concat([this.#pending, value]);
    return true;
  }
}
