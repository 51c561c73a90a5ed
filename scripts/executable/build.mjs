// Makes one file that is the whole program, with Node.js inside: executable/statehouse. It runs on systems like the one that it is
// made on, because Node and the native modules are those of this system.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'postject';
import { rolldown } from 'rolldown';
import { licenceOf, readManifest } from '../bundle/packages.mjs';
import { pack } from './unpack.mjs';

/** https://nodejs.org/api/single-executable-applications.html */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** They load files of their own, and are carried as they are. */
const WHOLE_PACKAGES = ['@photostructure/sqlite', 'koffi', '@cdktn/hcl2json'];
const THIS_SYSTEM = `${process.platform}-${process.arch}`;
const CARRIED = /\.(?:[cm]?js|json|node|wasm|wasm\.gz)$|(?:^|\/)(?:licen[cs]e|notice)[^/]*$/i;
/** The launcher can load built-in modules alone, so this loads the program, or a script of its own that is a module. */
const START =
  "module.exports = (file) => (file.endsWith('.cjs') ? require(file) : import(require('node:url').pathToFileURL(file)));\n";
const NOT_CARRIED = /(?:^|\/)(?:vendor|doc|test|scripts|node_modules|cnoke\.cjs|binding\.gyp)(?:\/|$)/;

const root = fileURLToPath(new URL('../../', import.meta.url));
const out = join(root, 'executable');
const manifest = readManifest(root);
const work = mkdtempSync(join(tmpdir(), 'statehouse-executable-'));

try {
  const { files, licences } = program();
  const archive = pack(files);
  const name = `${manifest.version}-${createHash('sha256').update(archive).digest('hex').slice(0, 16)}`;
  writeFileSync(join(work, 'program'), archive);
  writeFileSync(join(work, 'name'), name);
  await bundleLauncher();
  const settings = {
    main: join(work, 'launch.cjs'),
    output: join(work, 'blob'),
    disableExperimentalSEAWarning: true,
    assets: { program: join(work, 'program'), name: join(work, 'name') },
  };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(settings));
  execFileSync(process.execPath, ['--experimental-sea-config', join(work, 'sea.json')], { stdio: 'pipe' });
  mkdirSync(out, { recursive: true });
  const made = join(work, 'made');
  copyFileSync(process.execPath, made);
  chmodSync(made, 0o755);
  const isMac = process.platform === 'darwin';
  if (isMac) execFileSync('codesign', ['--remove-signature', made]);
  await inject(made, 'NODE_SEA_BLOB', readFileSync(settings.output), {
    sentinelFuse: FUSE,
    ...(isMac ? { machoSegmentName: 'NODE_SEA' } : {}),
  });
  if (isMac) execFileSync('codesign', ['--sign', '-', made]);
  const target = join(out, process.platform === 'win32' ? 'statehouse.exe' : 'statehouse');
  // One that runs is not written over: it keeps its file, and the new one gets the name.
  rmSync(target, { force: true });
  copyFileSync(made, target);
  writeFileSync(join(out, 'LICENSES.txt'), licences);
  process.stdout.write(`${relative(process.cwd(), target)} (${THIS_SYSTEM}, Node.js ${process.version})\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** What the package ships to run, and the packages that are not in it. */
function program() {
  const packages = withDependencies(WHOLE_PACKAGES);
  const below = (folder, isWanted) => filesBelow(join(root, 'dist', ...folder), isWanted).map(carried);
  return {
    files: [
      ['package.json', readFileSync(join(root, 'package.json'))],
      ['start.cjs', Buffer.from(START)],
      ...below(['program'], (path) => path.endsWith('.cjs')),
      ...below(['engines'], (path) => path.endsWith('.sql')),
      ...below(['web'], () => true),
      ...packages.flatMap((path) => filesBelow(path, (file) => isCarried(relative(path, file))).map(carried)),
    ],
    licences: [
      readFileSync(join(root, 'dist', 'program', 'LICENSES.txt'), 'utf8'),
      ...packages.sort().map(licenceOf),
    ].join('\n'),
  };
}

async function bundleLauncher() {
  const bundle = await rolldown({ input: join(root, 'scripts/executable/launch.mjs'), platform: 'node' });
  await bundle.write({ file: join(work, 'launch.cjs'), format: 'cjs' });
}

function withDependencies(names, seen = new Set()) {
  for (const name of names) {
    const path = join(root, 'node_modules', name);
    if (seen.has(path)) continue;
    seen.add(path);
    const { dependencies = {}, optionalDependencies = {} } = readManifest(path);
    // An optional one of another system is not installed.
    const optional = Object.keys(optionalDependencies).filter((other) => isInstalled(other));
    withDependencies([...Object.keys(dependencies), ...optional], seen);
  }
  return [...seen];
}

function isInstalled(name) {
  try {
    return readManifest(join(root, 'node_modules', name)) !== null;
  } catch {
    return false;
  }
}

function isCarried(path) {
  if (NOT_CARRIED.test(path) || !CARRIED.test(path)) return false;
  const system = /^prebuilds\/([^/]+)\//.exec(path)?.[1];
  return system === undefined || system === THIS_SYSTEM;
}

function filesBelow(folder, isWanted) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => (entry.isFile() ? join(entry.parentPath, entry.name) : ''))
    .filter((path) => path !== '' && isWanted(path));
}

function carried(path) {
  return [relative(root, path), readFileSync(path)];
}
