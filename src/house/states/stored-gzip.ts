import { crc32 } from 'node:zlib';

/** A gzip member without a name or a time (RFC 1952, section 2.3), and one block that is the last and is stored (RFC 1951, section 3.2.4). */
const HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1);
const DATA_AT: number = HEADER.length + 4;
const TRAILER_BYTES = 8;

/** Bytes as a gzip member that holds them as they are: for few bytes, to compress them costs more than to keep them. */
export function gzipStored(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const member = Buffer.alloc(DATA_AT + length + TRAILER_BYTES);
  member.set(HEADER);
  member.writeUInt16LE(length, HEADER.length);
  member.writeUInt16LE(length ^ 0xffff, HEADER.length + 2);
  member.set(bytes, DATA_AT);
  member.writeUInt32LE(crc32(bytes), DATA_AT + length);
  member.writeUInt32LE(length, DATA_AT + length + 4);
  return member;
}

/** The bytes that {@link gzipStored} was given, unlooked at; null for any other gzip member. */
export function storedIn(member: Uint8Array): Uint8Array | null {
  const isStored = HEADER.every((byte, at) => member[at] === byte);
  return isStored ? member.subarray(DATA_AT, -TRAILER_BYTES) : null;
}
