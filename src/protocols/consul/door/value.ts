import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** The bytes in base64, as they come. */
export async function* base64(bytes: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = joined.length - (joined.length % 3);
    if (whole > 0) yield Buffer.from(asBuffer(joined.subarray(0, whole)).toString('base64'));
    rest = joined.subarray(whole);
  }
  if (rest.length > 0) yield Buffer.from(asBuffer(rest).toString('base64'));
}

/** A state as the house is given it: `gzip = true` sends it as one gzip member, which is unpacked as it comes. */
export async function* unpacked(value: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = value[Symbol.asyncIterator]();
  let first = await chunks.next();
  while (first.done !== true && first.value.length === 0) first = await chunks.next();
  if (first.done === true) return;
  const whole = rejoined(first.value, chunks);
  if (first.value[0] !== 0x1f) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip();
  // Its fault is thrown to whoever reads what comes out.
  pipeline(Readable.from(whole), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (fault) {
    if (isZlib(fault)) throw new ValueProblem('the value is not valid gzip: it was cut or damaged');
    throw fault;
  }
}

/** The body of a write is not what it should be: nothing is kept of it. */
export class ValueProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ValueProblem';
  }
}

async function* rejoined(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function isZlib(fault: unknown): boolean {
  return fault instanceof Error && 'code' in fault && String(fault.code).startsWith('Z_');
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
