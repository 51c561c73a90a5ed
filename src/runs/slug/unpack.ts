import { createWriteStream } from 'node:fs';
import { lstat, mkdir, symlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveError, readTar, type TarEntry } from './tar.ts';

/** How much an archive may unpack to. */
export interface SlugLimits {
  readonly entries: number;
  readonly bytes: number;
}

const SLUG_LIMITS: SlugLimits = { entries: 50_000, bytes: 1_024 * 1_024 * 1_024 };

const PATH_LENGTH_MAX = 1_000;

/** What an archive holds. */
export interface SlugFigures {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Reads a configuration's archive to its end, so that one which may not be unpacked is refused when it comes.
 * @param gzipped a tar archive, gzipped
 * @throws {ArchiveError} with words for whoever sent it
 */
export async function checkSlug(
  gzipped: AsyncIterable<Uint8Array>,
  limits: SlugLimits = SLUG_LIMITS,
): Promise<SlugFigures> {
  const links = new Set<string>();
  let [entries, bytes] = [0, 0];
  await overEntries(gzipped, limits, async (entry, path) => {
    entries += 1;
    bytes += entry.size;
    const through = parentsOf(path).find((parent) => links.has(parent));
    if (through !== undefined) throw new ArchiveError(`an entry lies behind the link ${through}: ${path}`);
    if (entry.kind === 'link') links.add(path);
    else links.delete(path);
  });
  return { entries, bytes };
}

/**
 * Unpacks an archive into a directory that is empty and its own. Nothing is written outside of it, and no link leads out.
 * @throws {ArchiveError} with words for whoever sent it
 */
export async function unpackSlug(
  gzipped: AsyncIterable<Uint8Array>,
  directory: string,
  limits: SlugLimits = SLUG_LIMITS,
): Promise<void> {
  await overEntries(gzipped, limits, async (entry, path) => {
    const place = join(directory, path);
    await makeParents(directory, path);
    if (entry.kind === 'directory') await mkdir(place, { recursive: true, mode: 0o700 });
    else if (entry.kind === 'link') await symlink(entry.target, place);
    else {
      // "wx" follows no link and replaces nothing.
      const mode = (entry.mode & 0o100) === 0 ? 0o600 : 0o700;
      await pipeline(Readable.from(entry.content), createWriteStream(place, { flags: 'wx', mode }));
    }
  });
}

async function overEntries(
  gzipped: AsyncIterable<Uint8Array>,
  limits: SlugLimits,
  take: (entry: TarEntry, path: string) => Promise<void>,
): Promise<void> {
  const gunzip = createGunzip();
  const source = Readable.from(gzipped);
  source.on('error', (fault) => gunzip.destroy(fault));
  source.pipe(gunzip);
  const room = { entries: limits.entries, bytes: limits.bytes };
  try {
    for await (const entry of readTar(bounded(gunzip, limits))) {
      room.entries -= 1;
      room.bytes -= entry.size;
      if (room.entries < 0) throw new ArchiveError(`the archive has more than ${limits.entries} entries`);
      if (room.bytes < 0) throw tooLarge(limits);
      const path = safePath(entry);
      if (path !== null) await take(entry, path);
    }
  } catch (fault) {
    throw readable(fault);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** A small archive may unpack to very much: what comes out is counted, whatever the headers say. */
async function* bounded(
  stream: AsyncIterable<Uint8Array>,
  { bytes, entries }: SlugLimits,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of stream) {
    total += chunk.length;
    // Headers and padding count beside what they hold.
    if (total > bytes + entries * 2_048) throw tooLarge({ bytes, entries });
    yield chunk;
  }
}

function tooLarge({ bytes }: SlugLimits): ArchiveError {
  return new ArchiveError(`the archive unpacks to more than ${Math.floor(bytes / 1_048_576)} MiB`);
}

function readable(fault: unknown): unknown {
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
  if (code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return new ArchiveError('the archive is not gzipped, or it is cut short');
  if (code === 'EEXIST') return new ArchiveError('the archive has two entries of the same path');
  return fault;
}

/** The path within the directory; null for the directory itself. @throws {ArchiveError} when it leads out */
function safePath({ kind, path, target }: TarEntry): string | null {
  const clean = posix.normalize(path).replace(/\/$/, '');
  if (path.length > PATH_LENGTH_MAX || path.includes('\0'))
    throw new ArchiveError('the archive has a path that is too long');
  if (posix.isAbsolute(path) || path.split('/').includes('..'))
    throw new ArchiveError(`the archive has a path that leads out: ${path.slice(0, 200)}`);
  if (kind === 'link') {
    if (!staysInside(posix.dirname(clean), target))
      throw new ArchiveError(`the archive has a link that leads out: ${path.slice(0, 200)}`);
  }
  return clean === '.' || clean === '' ? null : clean;
}

/**
 * Whether a link leads to a place inside, wherever other links lead on its way: its steps up come first, where no directory
 * above it is a link.
 */
function staysInside(directory: string, target: string): boolean {
  if (target === '' || target.length > PATH_LENGTH_MAX || posix.isAbsolute(target)) return false;
  if (/(?:^|\/)(?!\.\.?(?:\/|$))[^/]+\/(?:.*\/)?\.\.(?:\/|$)/.test(target)) return false;
  return !/^\.\.(?:\/|$)/.test(posix.normalize(posix.join(directory, target)));
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}

/** Makes the directories above a path, and lets none of them be a link: what is unpacked stays where it says. */
async function makeParents(directory: string, path: string): Promise<void> {
  for (const parent of parentsOf(path)) {
    const place = join(directory, parent);
    const there = await lstat(place).catch(() => null);
    if (there === null) await mkdir(place, { mode: 0o700 });
    else if (!there.isDirectory())
      throw new ArchiveError(`an entry lies behind ${parent}, which is not a directory: ${path}`);
  }
  await mkdir(dirname(join(directory, path)), { recursive: true });
}
