/** One thing that a recorded process did to a file, or the flush of a file or directory once it had returned. */
export interface Deed {
  readonly type: 'create' | 'write' | 'truncate' | 'flush' | 'unlink' | 'rename';
  readonly path: string;
  /** Of a write; the new length of a truncation. */
  readonly offset: number;
  /** What was written; the new path of a rename. */
  readonly data: Buffer;
}

const TYPES: Readonly<Record<string, Deed['type']>> = {
  c: 'create',
  w: 'write',
  t: 'truncate',
  s: 'flush',
  u: 'unlink',
  r: 'rename',
};
const HEAD_BYTES = 17;

/** Reads what `recorder.c` has written, in the order in which it happened. */
export function readRecording(bytes: Buffer): Deed[] {
  const deeds: Deed[] = [];
  let at = 0;
  while (at < bytes.length) {
    const type = TYPES[String.fromCharCode(bytes[at] ?? 0)];
    if (type === undefined) throw new Error(`no record begins at byte ${at}`);
    const pathBytes = bytes.readUInt32LE(at + 1);
    const offset = Number(bytes.readBigUInt64LE(at + 5));
    const dataBytes = bytes.readUInt32LE(at + 13);
    const path = bytes.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + pathBytes);
    at += HEAD_BYTES + pathBytes;
    deeds.push({ type, path, offset, data: bytes.subarray(at, at + dataBytes) });
    at += dataBytes;
  }
  return deeds;
}
