import { PAGE_BYTES } from '../../src/engines/sqlite/connection.ts';
import type { Dice } from '../fuzz/mutation.ts';
import type { Files } from './image.ts';

const DATABASE = 'statehouse.db';
const LOG = 'statehouse.db-wal';
const [LOG_HEADER_BYTES, FRAME_HEADER_BYTES] = [32, 24];
/** Of a page: its kind, how many cells it has, and where they begin. */
const [PAGE_HEADER_BYTES, CELLS_AT, CONTENT_AT] = [12, 3, 5];
/** What kinds of pages there are, by their first byte: sqlite.org/fileformat2.html#b_tree_pages. */
const PAGE_KINDS: Readonly<Record<number, string>> = {
  2: 'inner index',
  5: 'inner table',
  10: 'index',
  13: 'table',
};

export interface Flipped {
  readonly files: Files;
  /** Names the bit. */
  readonly where: string;
}

/** Turns one bit over, in a page of a kind that is chosen first, so that rare kinds are hit as often as others. */
export function flipInDatabase(files: Files, dice: Dice): Flipped {
  const database = files.get(DATABASE) as Buffer;
  const kinds = new Map<string, number[]>();
  for (let page = 0; page * PAGE_BYTES < database.length; page += 1) {
    const kind = page === 0 ? 'first' : (PAGE_KINDS[database[page * PAGE_BYTES] ?? 0] ?? 'other');
    kinds.set(kind, [...(kinds.get(kind) ?? []), page]);
  }
  const [kind, pages] = dice.pick([...kinds]);
  const page = dice.pick(pages);
  return flip(files, {
    name: DATABASE,
    at: page * PAGE_BYTES + placeIn(database.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES), dice),
    bit: dice.below(8),
    of: `${kind} page ${page}`,
  });
}

/** As often in what says where the cells are as in the cells; seldom where nothing is. */
function placeIn(page: Buffer, dice: Dice): number {
  const cells = page.readUInt16BE(CELLS_AT);
  const content = page.readUInt16BE(CONTENT_AT) % PAGE_BYTES;
  return dice.pick([
    dice.below(PAGE_HEADER_BYTES),
    dice.below(Math.min(PAGE_HEADER_BYTES + 2 * cells, PAGE_BYTES)),
    content + dice.below(PAGE_BYTES - content),
    content + dice.below(PAGE_BYTES - content),
    dice.below(PAGE_BYTES),
  ]);
}

/** Turns one bit over in the log: in its header, in that of a frame, or in a page. */
export function flipInLog(files: Files, dice: Dice): Flipped {
  const log = files.get(LOG) as Buffer;
  const frameBytes = FRAME_HEADER_BYTES + PAGE_BYTES;
  const frame = dice.below(Math.floor((log.length - LOG_HEADER_BYTES) / frameBytes));
  const start = LOG_HEADER_BYTES + frame * frameBytes;
  const at = dice.pick([
    dice.below(LOG_HEADER_BYTES),
    start + dice.below(FRAME_HEADER_BYTES),
    start + FRAME_HEADER_BYTES + dice.below(PAGE_BYTES),
  ]);
  return flip(files, { name: LOG, at, bit: dice.below(8), of: `log near frame ${frame}` });
}

function flip(
  files: Files,
  {
    name,
    at,
    bit,
    of,
  }: { readonly name: string; readonly at: number; readonly bit: number; readonly of: string },
): Flipped {
  const bytes = Buffer.from(files.get(name) as Buffer);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return { files: new Map(files).set(name, bytes), where: `bit ${bit} of byte ${at} in ${name} (${of})` };
}
