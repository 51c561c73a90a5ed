import { once } from 'node:events';
import { createWriteStream, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../failure.ts';

/**
 * Writes a file that is not there yet and that only its owner may read. It is there whole and flushed, or not at all.
 * @throws {Failure} when there is such a file, or none can be written there
 */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await once(file, 'open');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? `${path} exists already` : `${path} cannot be written: ${message}`;
    throw new Failure(why, { next: 'Name a file that does not exist yet.', cause });
  }
  try {
    await pipeline(Readable.from(chunks), file);
  } catch (fault) {
    rmSync(path, { force: true });
    throw fault;
  }
}
