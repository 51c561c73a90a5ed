/** What an archive may hold. Everything else of tar, such as devices and sockets, is refused. */
export type EntryKind = 'file' | 'directory' | 'link';

export interface TarEntry {
  readonly kind: EntryKind;
  /** As it is written in the archive. */
  readonly path: string;
  /** What a symbolic link points to; "" for everything else. */
  readonly target: string;
  readonly mode: number;
  readonly size: number;
  /** Its bytes, which must be read to their end before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** An archive that cannot be read, or may not be unpacked. The message is for whoever sent it. */
export class ArchiveError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArchiveError';
  }
}

const BLOCK = 512;
/** A name or a set of attributes that an archive tells beside an entry. */
const EXTENSION_MAX: number = 64 * 1024;
const KINDS: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '\0': 'file',
  '5': 'directory',
  '2': 'link',
};
const REFUSED: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a named pipe',
};

/**
 * Reads a tar archive, entry by entry: ustar, with the longer names of pax and GNU.
 * @throws {ArchiveError} for what is no such archive, and for entries of other kinds
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(stream);
  let told: Told = {};
  for (;;) {
    const header = await bytes.exactly(BLOCK, 'the archive is cut short');
    if (header === null || header.every((byte) => byte === 0)) return;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = told.size ?? numberAt(header, 124, 12);
    if ('xgLK'.includes(type)) {
      if (size > EXTENSION_MAX) throw new ArchiveError('the archive has a name that is too long');
      const content = await bytes.exactly(size, 'the archive is cut short');
      await bytes.skip(padding(size));
      if (type !== 'g' && content !== null) told = { ...told, ...toldBy(type, content) };
      continue;
    }
    const path = told.path ?? nameOf(header);
    const kind = KINDS[type];
    if (kind === undefined) {
      const what = REFUSED[type] ?? `an entry of the unknown type "${type}"`;
      throw new ArchiveError(`the archive has ${what}: ${path.slice(0, 200)}`);
    }
    const left = kind === 'file' ? size : 0;
    const content = bytes.content(left);
    const target = kind === 'link' ? (told.target ?? textAt(header, 157, 100)) : '';
    yield { kind, path, target, mode: numberAt(header, 100, 8), size: left, content };
    await bytes.finishContent();
    await bytes.skip(padding(left));
    told = {};
  }
}

interface Told {
  readonly path?: string;
  readonly target?: string;
  readonly size?: number;
}

function toldBy(type: string, content: Uint8Array): Told {
  const text = Buffer.from(content).toString();
  if (type === 'L') return { path: text.replace(/\0.*$/s, '') };
  if (type === 'K') return { target: text.replace(/\0.*$/s, '') };
  const told: { path?: string; target?: string; size?: number } = {};
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(Buffer.from(content.subarray(at, space)).toString());
    if (!Number.isSafeInteger(length) || length <= space - at || at + length > content.length)
      throw new ArchiveError('the archive has attributes that cannot be read');
    const record = Buffer.from(content.subarray(space + 1, at + length - 1)).toString();
    const equals = record.indexOf('=');
    const [name, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (name === 'path') told.path = value;
    if (name === 'linkpath') told.target = value;
    if (name === 'size') told.size = wholeNumber(value, 10);
    at += length;
  }
  return told;
}

function nameOf(header: Uint8Array): string {
  const prefix = textAt(header, 257, 5) === 'ustar' ? textAt(header, 345, 155) : '';
  const name = textAt(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textAt(header: Uint8Array, at: number, length: number): string {
  const field = Buffer.from(header.subarray(at, at + length));
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? length : end).toString();
}

function numberAt(header: Uint8Array, at: number, length: number): number {
  // Sizes beyond 8 GiB are written otherwise, and are more than is taken.
  if ((header[at] ?? 0) >= 0x80) throw new ArchiveError('the archive has an entry that is too large');
  const text = textAt(header, at, length).trim();
  return text === '' ? 0 : wholeNumber(text, 8);
}

function wholeNumber(text: string, base: 8 | 10): number {
  const isNumber = base === 8 ? /^[0-7]+$/ : /^[0-9]+$/;
  const value = isNumber.test(text) ? Number.parseInt(text, base) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new ArchiveError('the archive has a number that cannot be read');
  return value;
}

function checkSum(header: Uint8Array): void {
  let sum = 0;
  for (const [at, byte] of header.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  if (numberAt(header, 148, 8) !== sum) throw new ArchiveError('this is not a tar archive, or it is damaged');
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Bytes of a stream, as many at a time as are asked for. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #contentLeft = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** @returns null at the end of the stream. @throws {ArchiveError} when only some of them come */
  async exactly(length: number, problem: string): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const part = await this.#some(missing);
      if (part === null) {
        if (missing === length && length > 0) return null;
        throw new ArchiveError(problem);
      }
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async skip(length: number): Promise<void> {
    let missing = length;
    while (missing > 0) {
      const part = await this.#some(missing);
      if (part === null) throw new ArchiveError('the archive is cut short');
      missing -= part.length;
    }
  }

  /** The bytes that come next, for whoever wants them. */
  content(length: number): AsyncIterable<Uint8Array> {
    this.#contentLeft = length;
    return this.#content();
  }

  async *#content(): AsyncGenerator<Uint8Array> {
    while (this.#contentLeft > 0) {
      const part = await this.#some(this.#contentLeft);
      if (part === null) throw new ArchiveError('the archive is cut short');
      this.#contentLeft -= part.length;
      yield part;
    }
  }

  /** Whoever got an entry may have read none or all of its content. */
  async finishContent(): Promise<void> {
    const left = this.#contentLeft;
    this.#contentLeft = 0;
    await this.skip(left);
  }

  async #some(most: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return null;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}
