import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { makeFile } from './data-directory.ts';
import type { Pair } from './log-file.ts';

/** How far the write-ahead log was flushed at least. */
export interface LogEnd {
  readonly frames: number;
  /** Of the use of the log that the frames belong to. */
  readonly salts: Pair;
}

const BYTES = 16;
const isLittleEndian = endianness() === 'LE';
/** Places in the log's index (sqlite.org/walformat.html): the number is in the order of the machine's bytes, the salts are as in the log. */
const [INDEX_BYTES, FRAMES_AT, SALTS_AT, SALTS_END] = [48, 16, 32, 40];

/**
 * Where the log ends, noted after each commit: a log whose last commit is damaged looks like one that was torn, and only this tells.
 * The note is not flushed. It survives the death of the process; after a power cut it may be older, and says less.
 */
export class LogEndFile {
  readonly #index: string;
  readonly #note: number;
  readonly #read: Buffer = Buffer.alloc(INDEX_BYTES);
  readonly #noted: Buffer = Buffer.alloc(BYTES);
  /** Stays open: closing any handle of a file drops the process's locks on it. */
  #indexFile: number | null = null;

  constructor(databasePath: string) {
    this.#index = `${databasePath}-shm`;
    const path = notePath(databasePath);
    makeFile(path);
    this.#note = openSync(path, 'r+');
  }

  /** After a commit that is durable. */
  note(): void {
    this.#indexFile ??= openSync(this.#index, 'r');
    readSync(this.#indexFile, this.#read, 0, INDEX_BYTES, 0);
    const frames = isLittleEndian ? this.#read.readUInt32LE(FRAMES_AT) : this.#read.readUInt32BE(FRAMES_AT);
    this.#noted.writeUInt32BE(frames, 0);
    this.#read.copy(this.#noted, 4, SALTS_AT, SALTS_END);
    this.#noted.writeUInt32BE(checkOf(this.#noted), 12);
    writeSync(this.#note, this.#noted, 0, BYTES, 0);
  }

  /** Once the database is closed. */
  close(): void {
    if (this.#indexFile !== null) closeSync(this.#indexFile);
    closeSync(this.#note);
  }
}

/** What was noted last; null where nothing was, or it is damaged itself. */
export function readLogEnd(databasePath: string): LogEnd | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(notePath(databasePath));
  } catch {
    return null;
  }
  if (bytes.length !== BYTES || bytes.readUInt32BE(12) !== checkOf(bytes)) return null;
  return { frames: bytes.readUInt32BE(0), salts: [bytes.readUInt32BE(4), bytes.readUInt32BE(8)] };
}

function notePath(databasePath: string): string {
  return `${databasePath}-end`;
}

/** So that a note that is damaged itself says nothing. */
function checkOf(bytes: Buffer): number {
  return ~(bytes.readUInt32BE(0) ^ bytes.readUInt32BE(4) ^ bytes.readUInt32BE(8)) >>> 0;
}
