// The executable carries one archive: a header in JSON, its length before it in four bytes, and the files behind it. All of it is
// compressed. Native modules, worker threads and WebAssembly are loaded from files, so the archive is unpacked once.
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** @param {readonly (readonly [path: string, bytes: Buffer])[]} files @returns {Buffer} */
export function pack(files) {
  const header = Buffer.from(JSON.stringify(files.map(([path, bytes]) => [path, bytes.length])));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  return gzipSync(Buffer.concat([length, header, ...files.map(([, bytes]) => bytes)]), { level: 9 });
}

/**
 * Where the files of an archive are: in the user's cache, where they stay, or, where no cache is the user's alone, in a temporary
 * folder that goes with the process.
 * @param {() => Uint8Array} archive read only if it is not unpacked yet
 * @param {string} name of the folder, another one for every other archive
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
export function unpacked(archive, name, env) {
  for (const cache of caches(env)) {
    const folder = join(cache, 'statehouse', name);
    try {
      for (const path of [cache, dirname(folder)]) makeFolder(path);
      // Looked at before anything is written or loaded: whoever may exchange a folder above may exchange all below.
      if (!isOursAlone(dirname(folder))) continue;
      if (!existsSync(folder)) unpackInto(archive(), folder);
      if (isOurs(folder)) return folder;
    } catch {
      // A cache that cannot be written is passed over.
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'statehouse-program-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  write(archive(), folder, false);
  return folder;
}

function caches(env) {
  // systemd names a service's own cache in the first.
  const named = [env.CACHE_DIRECTORY, env.XDG_CACHE_HOME].filter((path) => path?.startsWith(sep));
  return [...named, join(homedir(), '.cache')];
}

function makeFolder(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (fault) {
    if (fault.code !== 'EEXIST') throw fault;
  }
}

/**
 * Whether a folder is the user's, and nobody but the user and root can put another in its place. Root with the HOME of somebody else
 * must not run what that somebody left there.
 */
function isOursAlone(folder) {
  if (process.platform === 'win32') return true;
  const real = realpathSync(folder);
  for (let above = dirname(real); ; above = dirname(above)) {
    const { uid, mode } = statSync(above);
    const isSticky = (mode & 0o1000) !== 0;
    if ((uid !== 0 && uid !== process.geteuid()) || (isWritableByOthers(mode) && !isSticky)) return false;
    if (above === dirname(above)) return isOurs(real);
  }
}

function isOurs(folder) {
  const about = lstatSync(folder);
  if (!about.isDirectory()) return false;
  return process.platform === 'win32' || (about.uid === process.geteuid() && !isWritableByOthers(about.mode));
}

function isWritableByOthers(mode) {
  return (mode & 0o022) !== 0;
}

/** Nobody ever finds half of it: it is written beside, to the disk, and then gets its name. */
function unpackInto(archive, folder) {
  const beside = mkdtempSync(join(dirname(folder), '.new-'));
  try {
    write(archive, beside, true);
    renameSync(beside, folder);
  } catch (fault) {
    rmSync(beside, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) throw fault;
  }
}

function write(archive, folder, toDisk) {
  const bytes = gunzipSync(archive);
  const start = 4 + bytes.readUInt32BE(0);
  let at = start;
  for (const [path, size] of JSON.parse(bytes.toString('utf8', 4, start))) {
    const file = resolve(folder, path);
    if (!file.startsWith(folder + sep)) throw new Error(`invalid path in the archive: ${path}`);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const opened = openSync(file, 'wx', 0o600);
    writeFileSync(opened, bytes.subarray(at, at + size));
    if (toDisk) fsyncSync(opened);
    closeSync(opened);
    at += size;
  }
}
