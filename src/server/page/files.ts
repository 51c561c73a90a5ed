import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the build of the page puts it, seen from the source and from the build alike. */
const BUILT: string = fileURLToPath(new URL('../../../dist/web/', import.meta.url));

/** What a file is served as; files of other types are not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};
/** How a build compresses beforehand: the name's end, by the coding's name, the smallest first. */
const CODINGS = { br: '.br', gzip: '.gz' } as const;
export type Coding = keyof typeof CODINGS;

/** One file of the page, and its compressed forms where the build made some. */
export interface PageFile {
  readonly type: string;
  readonly plain: Uint8Array;
  readonly coded: Readonly<Partial<Record<Coding, Uint8Array>>>;
  /** Its SHA-256 in hex: what a browser names that has it already. */
  readonly digest: string;
}

/**
 * Reads all files of the page once, so that a request never names a file of the machine: what it asks for is a key of this map,
 * such as `/assets/main-3f2a.js`, or is not there.
 * @returns null where the page was not built
 */
export async function readPage(directory: string = BUILT): Promise<ReadonlyMap<string, PageFile> | null> {
  if (!existsSync(join(directory, 'index.html'))) return null;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = new Map<string, PageFile>();
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const plain = await readFile(path);
    const coded: Partial<Record<Coding, Uint8Array>> = {};
    for (const [coding, end] of Object.entries(CODINGS) as [Coding, string][]) {
      if (existsSync(`${path}${end}`)) coded[coding] = await readFile(`${path}${end}`);
    }
    const digest = createHash('sha256').update(plain).digest('hex');
    files.set(`/${relative(directory, path).split(sep).join('/')}`, { type, plain, coded, digest });
  }
  return files;
}
