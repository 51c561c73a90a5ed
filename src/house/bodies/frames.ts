import { EngineFault } from '../../ports/engine.ts';

/** What an object with a body begins with; then come the number of segments, and each one's length and bytes. */
const MAGIC: Buffer = Buffer.from('SHB1');
const HEAD_BYTES = 8;
const LENGTH_BYTES = 4;
/** A sealed segment has 256 KiB and some bytes. */
const SEGMENT_BYTES_MAX: number = 1024 * 1024;
/** Bytes of the first read, which most bodies are in wholly, and of each later one: what a reader holds in memory. */
const FIRST_READ: number = 512 * 1024;
const READ: number = 1024 * 1024;

/** The bytes of an object, in pieces that are the segments themselves. */
export function framed(segments: readonly Uint8Array[]): readonly Uint8Array[] {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32BE(segments.length, MAGIC.length);
  return [head, ...segments.flatMap((segment) => [lengthOf(segment), segment])];
}

function lengthOf(segment: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32BE(segment.length);
  return bytes;
}

/**
 * The segments of an object. It is read some bytes at a time, and between two reads nothing is held open, so a slow reader is
 * in nobody's way.
 * @param read gives some bytes of it: fewer at its end
 * @throws {EngineFault} where it is no such object, or ends too early
 */
export async function* unframed(
  read: (from: number, length: number) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const bytes = new Bytes(read);
  const head = await bytes.take(HEAD_BYTES);
  if (Buffer.compare(head.subarray(0, MAGIC.length), MAGIC) !== 0)
    throw new EngineFault('an object of the body store has no body in it: it was replaced');
  const count = head.readUInt32BE(MAGIC.length);
  for (let index = 0; index < count; index += 1) {
    const length = (await bytes.take(LENGTH_BYTES)).readUInt32BE(0);
    if (length > SEGMENT_BYTES_MAX)
      throw new EngineFault(`an object of the body store is damaged: a segment of ${length} bytes`);
    yield await bytes.take(length);
  }
}

/** What was read of an object and not yet used. */
class Bytes {
  readonly #read: (from: number, length: number) => Promise<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  #from = 0;

  constructor(read: (from: number, length: number) => Promise<Uint8Array>) {
    this.#read = read;
  }

  async take(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      const more = await this.#read(this.#from, this.#from === 0 ? FIRST_READ : READ);
      if (more.length === 0)
        throw new EngineFault(
          'an object of the body store is cut short: restore it from a copy of the store',
        );
      this.#from += more.length;
      this.#held = Buffer.concat([this.#held, more]);
    }
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}
