import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;
const BY_OTHERS = 0o007;
const BY_GROUP_OR_OTHERS = 0o077;

/** A file with a secret in it that more users than its owner may read. */
export class ExposedFile extends Error {
  constructor(path: string, mode: number) {
    super(
      `${path} can be read by other users of this machine (mode ${mode.toString(8).padStart(4, '0')}): run "chmod 600 ${path}"`,
    );
    this.name = 'ExposedFile';
  }
}

/**
 * Reads a file with a secret in it, and refuses one that others may read, as ssh does with a private key. A file of another
 * owner cannot be closed by us: there only what every user may read is refused, so that a group may be given a mounted secret.
 * @param exposed whether to read it all the same
 * @throws {ExposedFile} when others may read it; the error of the system when it cannot be read
 */
export function readPrivateFile(path: string, exposed = false): string {
  const file = openSync(path, 'r');
  try {
    const { mode, uid } = fstatSync(file);
    const own = process.getuid?.();
    const refused = uid === own ? BY_GROUP_OR_OTHERS : BY_OTHERS;
    // Where users have no numbers, the mode says nothing.
    if (own !== undefined && !exposed && (mode & refused) !== 0) throw new ExposedFile(path, mode & 0o777);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/** Writes a file for its owner's eyes alone; after a power cut it holds what it held before, or the new text. */
export function writePrivateFile(path: string, text: string): void {
  // Nobody can have laid a file or a link at a name that nobody can guess.
  const next = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = openSync(next, 'wx', OWNER_ONLY);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (fault) {
    rmSync(next, { force: true });
    throw fault;
  }
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
