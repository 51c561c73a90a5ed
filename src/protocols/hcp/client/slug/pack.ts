import { lstat, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { createGzip } from 'node:zlib';
import { BackendFault } from '../../../../ports/state-client.ts';
import { readIgnoreRules, type IgnoreRules } from './ignore.ts';
import { FILE_BYTES_MAX, TAR_END, tarHeader, tarPadding, type TarHead } from './tar-writer.ts';

/** A folder's files as they are uploaded. */
export interface Slug {
  readonly archive: Uint8Array;
  readonly files: number;
  /** Of the files, in bytes. */
  readonly size: number;
}

/** More is no configuration, and no server takes it. */
const SIZE_MAX: number = 512 * 1024 * 1024;
const ENTRIES_MAX = 100_000;
const DEPTH_MAX = 100;

/**
 * Packs a folder as terraform does for a remote run: all but what `.terraformignore` and the usual rules leave out, links that lead
 * out of it as what they point to, and nothing that is neither file, directory nor link.
 * @throws BackendFault when it is too large, or cannot be read
 */
export async function packFolder(folder: string): Promise<Slug> {
  const root = await realpath(folder);
  const rules = readIgnoreRules(await readFile(join(root, '.terraformignore'), 'utf8').catch(() => ''));
  const packer = new Packer(root, rules);
  await packer.walk(root, '', 0);
  return packer.finish();
}

class Packer {
  readonly #root: string;
  readonly #rules: IgnoreRules;
  readonly #gzip = createGzip({ level: 1 });
  readonly #packed: Promise<Uint8Array>;
  #entries = 0;
  #files = 0;
  #size = 0;

  constructor(root: string, rules: IgnoreRules) {
    this.#root = root;
    this.#rules = rules;
    this.#packed = collect(this.#gzip);
  }

  /** @param at the directory, @param name its path in the archive, with a slash at its end; "" for the root */
  async walk(at: string, name: string, depth: number): Promise<void> {
    if (depth > DEPTH_MAX) throw tooLarge(`directories are nested deeper than ${DEPTH_MAX}`);
    for (const entry of (await readdir(at)).sort()) {
      const [path, inside] = [join(at, entry), name + entry];
      if (this.#rules.excludes(inside).excluded) continue;
      const found = await lstat(path);
      if (found.isDirectory()) await this.#directory(path, inside, depth);
      else if (found.isFile()) await this.#file(path, inside);
      else if (found.isSymbolicLink()) await this.#link(path, inside, depth);
    }
  }

  async finish(): Promise<Slug> {
    this.#gzip.end(TAR_END);
    return { archive: await this.#packed, files: this.#files, size: this.#size };
  }

  async #directory(path: string, inside: string, depth: number): Promise<void> {
    const { excluded, whole } = this.#rules.excludes(`${inside}/`);
    if (whole) return;
    if (!excluded) {
      const { mode, mtime } = await stat(path);
      await this.#put({ path: `${inside}/`, kind: 'directory', mode, size: 0, modified: mtime, target: '' });
    }
    await this.walk(path, `${inside}/`, depth + 1);
  }

  async #file(path: string, inside: string): Promise<void> {
    const { mode, mtime, size: said } = await stat(path);
    if (said > SIZE_MAX - this.#size || said > FILE_BYTES_MAX)
      throw tooLarge(`its files have more than ${SIZE_MAX / 1_048_576} MiB`);
    const content = await readFile(path);
    const size = content.length;
    await this.#put({ path: inside, kind: 'file', mode, size, modified: mtime, target: '' });
    await this.#write(content);
    await this.#write(tarPadding(size));
    this.#files += 1;
    this.#size += size;
  }

  /** A link within the folder stays one, even one that leads nowhere. */
  async #link(path: string, inside: string, depth: number): Promise<void> {
    const target = await readlink(path);
    const place = resolve(path, '..', target);
    const isInside = place === this.#root || !relative(this.#root, place).startsWith('..');
    if (isInside && !target.startsWith(sep)) {
      const { mode, mtime } = await lstat(path);
      await this.#put({ path: inside, kind: 'link', mode, size: 0, modified: mtime, target });
      return;
    }
    const found = await stat(path).catch(() => null);
    if (found === null)
      throw new BackendFault(
        'configuration',
        `the link ${inside} leads out of the folder, to nothing: ${target}`,
      );
    if (found.isDirectory()) await this.#directory(await realpath(path), inside, depth);
    else if (found.isFile()) await this.#file(path, inside);
  }

  async #put(head: TarHead): Promise<void> {
    this.#entries += 1;
    if (this.#entries > ENTRIES_MAX) throw tooLarge(`it has more than ${ENTRIES_MAX} files and directories`);
    await this.#write(tarHeader(head));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 || this.#gzip.write(bytes)) return;
    await new Promise<void>((resolve) => this.#gzip.once('drain', resolve));
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function tooLarge(why: string): BackendFault {
  return new BackendFault(
    'configuration',
    `the folder cannot be uploaded: ${why}`,
    'Leave out what runs do not need, by .terraformignore.',
  );
}
