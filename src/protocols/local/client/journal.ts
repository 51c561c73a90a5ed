import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes that are whole or not at all, in a file that must stay the same file: terraform's lock is on the file itself, and
 * who waits for it has it open, so a new file cannot take its place. What is to be written is therefore first put
 * beside it, durably, together with what was there; who finds it there after a crash finishes the write.
 */
interface Journal {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** The first line of a journal file, followed by both contents. */
const HEADING = /^statehouse write (\d{1,12}) (\d{1,12})\n/;
const HEADING_BYTES_MAX = 64;

/** Replaces the content of an open file. */
export async function writeInPlace(file: FileHandle, journal: string, content: Uint8Array): Promise<void> {
  const before = await readWhole(file);
  const heading = Buffer.from(`statehouse write ${before.length} ${content.length}\n`);
  await replaceFile(journal, Buffer.concat([heading, before, content]), 0o600);
  await apply(file, content);
  await rm(journal, { force: true });
}

/** What the state file really holds: an unfinished write of ours counts as done. */
export async function readThrough(content: Uint8Array, journal: string): Promise<Uint8Array> {
  const found = await readJournal(journal);
  return found !== null && isUnfinished(content, found) ? found.after : content;
}

/** Finishes a write that a crash left behind. Only under the lock. */
export async function recover(file: FileHandle, journal: string): Promise<void> {
  await removeLeftovers(journal);
  const found = await readJournal(journal);
  if (found === null) return;
  if (isUnfinished(await readWhole(file), found)) await apply(file, found.after);
  await rm(journal, { force: true });
}

/** Writes a new file beside, flushes it, and puts it in place. For files that nobody locks. */
export async function replaceFile(path: string, content: Uint8Array, mode = 0o666): Promise<void> {
  // Nobody can have laid a file or a link at a name that nobody can guess.
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (fault) {
    await rm(temporary, { force: true });
    throw fault;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Removes what killed runs of {@link replaceFile} left beside a file. Only where nobody else replaces it now. */
export async function removeLeftovers(path: string): Promise<void> {
  const [folder, name] = [dirname(path), `${basename(path)}.`];
  for (const entry of await readdir(folder)) {
    const isLeft = entry.startsWith(name) && /^[0-9a-f]{16}\.tmp$/.test(entry.slice(name.length));
    if (isLeft) await rm(join(folder, entry), { force: true });
  }
}

/** Reads an open file from its beginning. */
export async function readWhole(file: FileHandle): Promise<Uint8Array> {
  const { size } = await file.stat();
  const content = Buffer.alloc(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(content, at, size - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return content.subarray(0, at);
}

/** Overwrites before it cuts, so that a reader never sees an empty file. */
async function apply(file: FileHandle, content: Uint8Array): Promise<void> {
  let at = 0;
  while (at < content.length) at += (await file.write(content, at, content.length - at, at)).bytesWritten;
  await file.truncate(content.length);
  await file.sync();
}

async function readJournal(path: string): Promise<Journal | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT') return null;
    throw fault;
  }
  const [heading, before, after] =
    HEADING.exec(bytes.subarray(0, HEADING_BYTES_MAX).toString('latin1')) ?? [];
  if (heading === undefined || bytes.length !== heading.length + Number(before) + Number(after)) return null;
  const middle = heading.length + Number(before);
  return { before: bytes.subarray(heading.length, middle), after: bytes.subarray(middle) };
}

/**
 * Whether a content is what a crash in the middle of the write can leave: each byte of it old or new. Anything else was
 * written by somebody since, and stands.
 */
function isUnfinished(content: Uint8Array, { before, after }: Journal): boolean {
  if (content.length < Math.min(before.length, after.length)) return false;
  if (content.length > Math.max(before.length, after.length)) return false;
  return content.every(
    (byte, at) => byte === after[at] || byte === before[at] || (byte === 0 && at >= before.length),
  );
}
