import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { EngineFault } from '../../../ports/engine.ts';
import { PAGE_BYTES } from '../connection.ts';
import type { LogEnd } from './log-end.ts';

/** Sizes and places in the write-ahead log: sqlite.org/fileformat2.html#the_write_ahead_log. */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE = 0x37_7f_06_82;
const MAGIC_BIG = 0x37_7f_06_83;
/** Place in the database's first page. */
const PAGE_BYTES_AT = 16;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;
/** Of a page's number and the size of the database, which a frame's checksum begins with. */
const SUMMED_BYTES = 8;

/** Two 32-bit words: salts, or a checksum. */
export type Pair = readonly [number, number];

interface LogHeader {
  readonly isWhole: boolean;
  readonly littleEndian: boolean;
  readonly pageBytes: number;
  readonly salts: Pair;
  /** Its checksum, which that of the first frame goes on from. */
  readonly sums: Pair;
}

/** What one look at a log has found. */
interface Walk {
  /** Frames that hang together from the first on. */
  readonly whole: number;
  /** Something was stored after a frame that is broken, so that it was flushed before. */
  readonly goesOn: boolean;
}

/**
 * Looks whether the write-ahead log holds all that was flushed into it. SQLite takes a log up to its first broken frame, for it was
 * torn there by a power cut. Where it once went further, or commits follow the broken one, it was not torn but damaged, and they would
 * be lost without a word.
 * @param expected how far the log once went; null where that is not known
 * @throws {EngineFault} where it is damaged: it says what to do
 */
export function verifyLogFile(databasePath: string, expected: LogEnd | null): void {
  const damage = logDamage(databasePath, expected);
  if (damage === null) return;
  throw new EngineFault(
    `${damage}: what was stored after that cannot be read. Keep a copy of the directory; then restore the last backup with ` +
      '"statehouse restore-backup" and push newer states again. To go on without what is lost, write a backup of this directory ' +
      'with "statehouse backup --data", and restore that one into a new directory',
  );
}

/** Where the log is damaged, in words; null where it is not. */
export function logDamage(databasePath: string, expected: LogEnd | null): string | null {
  const path = `${databasePath}-wal`;
  if (!existsSync(path)) return null;
  const file = openSync(path, 'r');
  try {
    const header = readHeader(file, () => pageBytesOf(databasePath));
    if (header === null) return null;
    const { whole, goesOn } = walkFrames(file, header);
    // A process that is killed while it commits leaves frames behind that the next life writes over from the first on, so that
    // pieces of several lives may lie behind the end, and hang together. The note outlives the process, and knows the end.
    const isNoted = expected !== null && belongsTo(header, expected.salts);
    const isDamaged = isNoted ? whole < expected.frames : goesOn;
    return isDamaged ? `the write-ahead log ${path} is damaged after frame ${whole}` : null;
  } finally {
    closeSync(file);
  }
}

/** What the database itself says of the size of its pages: sqlite.org/fileformat2.html#page_size. */
function pageBytesOf(databasePath: string): number {
  const file = openSync(databasePath, 'r');
  try {
    const bytes = Buffer.alloc(2);
    readSync(file, bytes, 0, bytes.length, PAGE_BYTES_AT);
    const said = bytes.readUInt16BE(0);
    const pageBytes = said === 1 ? PAGE_BYTES_MAX : said;
    return isPageSize(pageBytes) ? pageBytes : PAGE_BYTES;
  } finally {
    closeSync(file);
  }
}

/** null where there is no header, so that there are no frames. */
function readHeader(file: number, ofDatabase: () => number): LogHeader | null {
  const bytes = Buffer.alloc(HEADER_BYTES);
  if (readSync(file, bytes, 0, HEADER_BYTES, 0) < HEADER_BYTES) return null;
  const magic = bytes.readUInt32BE(0);
  const pageBytes = bytes.readUInt32BE(8);
  const littleEndian = magic !== MAGIC_BIG;
  const stored = pairAt(bytes, 24);
  return {
    isWhole:
      (magic === MAGIC_LITTLE || magic === MAGIC_BIG) &&
      samePair(checksum([0, 0], bytes.subarray(0, 24), littleEndian), stored),
    littleEndian,
    pageBytes: isPageSize(pageBytes) ? pageBytes : ofDatabase(),
    salts: pairAt(bytes, 16),
    sums: stored,
  };
}

function walkFrames(file: number, header: LogHeader): Walk {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + header.pageBytes);
  let [whole, isBroken] = [0, !header.isWhole];
  // What is flushed before anything comes after it: each commit, and the header.
  let flushed = !header.isWhole;
  let before = header.sums;
  for (let at = HEADER_BYTES; ; at += frame.length) {
    if (readSync(file, frame, 0, frame.length, at) < frame.length) return { whole, goesOn: false };
    const stored = pairAt(frame, 16);
    const belongs = belongsTo(header, pairAt(frame, 8));
    const start = checksum(before, frame.subarray(0, SUMMED_BYTES), header.littleEndian);
    const hangsTogether = samePair(
      checksum(start, frame.subarray(FRAME_HEADER_BYTES), header.littleEndian),
      stored,
    );
    isBroken ||= !belongs || !hangsTogether;
    if (!isBroken) whole += 1;
    else if (flushed && belongs && hangsTogether) return { whole, goesOn: true };
    else flushed ||= belongs && frame.readUInt32BE(4) > 0;
    before = stored;
  }
}

/** Frames of a former use of the file have other salts. Of a broken header one may be wrong. */
function belongsTo({ salts, isWhole }: LogHeader, [first, second]: Pair): boolean {
  const [same, alsoSame] = [salts[0] === first, salts[1] === second];
  return isWhole ? same && alsoSame : same || alsoSame;
}

/** The checksum of SQLite over 32-bit words, two at a time, going on from another one. */
function checksum([first, second]: Pair, bytes: Buffer, littleEndian: boolean): Pair {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [a, b] = [first, second];
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + view.getUint32(at, littleEndian) + b) >>> 0;
    b = (b + view.getUint32(at + 4, littleEndian) + a) >>> 0;
  }
  return [a, b];
}

function pairAt(bytes: Buffer, at: number): Pair {
  return [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
}

function samePair(one: Pair, other: Pair): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

function isPageSize(bytes: number): boolean {
  return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && Number.isInteger(Math.log2(bytes));
}
