import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip } from 'node:zlib';
import type { StateContents } from '../../core/snapshot/contents.ts';
import { SealError, type Sealer } from '../../ports/sealer.ts';
import type { IndexMark, IndexRow } from '../../ports/state-index.ts';
import { gzipStored } from '../states/stored-gzip.ts';

const [compress, expand] = [promisify(gzip), promisify(gunzip)];
/** Far more than the largest contents. */
const PLAIN_BYTES_MAX = 256 * 1024 * 1024;
/** To hand less to another thread costs more than to do it here. */
const AT_ONCE_BYTES = 32 * 1024;
/** To compress less costs more than to keep it as it is. */
const COMPRESSED_BYTES_MIN = 4 * 1024;

/** What the index knows of a state. */
export interface IndexedState extends StateContents {
  readonly terraformVersion: string;
  /** Who wrote the version, as authenticated. */
  readonly writer: string;
  /** The addresses of states that its data sources read. */
  readonly reads: readonly string[];
  /** Why nothing is known of its resources; null where it is. */
  readonly unread: 'encrypted' | 'too-large' | 'unreadable' | 'too-slow' | null;
}

/** A row of the index, sealed for its state and version. */
export async function sealRow(sealer: Sealer, mark: IndexMark, state: IndexedState): Promise<IndexRow> {
  const plain = Buffer.from(JSON.stringify(state));
  const gzipped = plain.length < COMPRESSED_BYTES_MIN ? gzipStored(plain) : await compress(plain);
  return { ...mark, sealed: sealer.seal(gzipped, rowContext(mark)) };
}

/** @returns null for a row that nobody with the master key has made for this state and version */
export async function openRow(sealer: Sealer, row: IndexRow): Promise<IndexedState | null> {
  try {
    const gzipped = sealer.open(row.sealed, rowContext(row));
    const bounds = { maxOutputLength: PLAIN_BYTES_MAX };
    const plain =
      gzipped.length < AT_ONCE_BYTES ? gunzipSync(gzipped, bounds) : await expand(gzipped, bounds);
    return JSON.parse(plain.toString()) as IndexedState;
  } catch (fault) {
    if (fault instanceof SealError) return null;
    throw fault;
  }
}

/** What a row is sealed for: its state and version. */
export function rowContext({ name, version, at }: IndexMark): string {
  return `index ${version} ${at} ${name}`;
}
