// Bundles what the package ships: dist/program, which is the command and its threads with every package that is plain JavaScript,
// and dist/library, which is what other packages import. One file for each command and for what commands share: a start reads a
// few files in place of hundreds. Nothing is minified, so that a stack trace and a line of it can be read.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { lateBuiltins } from './late-builtins.mjs';
import { licenceOf, packageOf, readManifest } from './packages.mjs';

/** They load files of their own, or are compiled for one system; who has them not can do without. */
const EXTERNAL = ['@photostructure/sqlite', 'koffi', '@cdktn/hcl2json', 'pg-native'];
/** The AWS SDK, which a server does not need: its image leaves this file out. */
const AWS =
  /\/node_modules\/(?:@aws-sdk|@aws-crypto|@aws|@smithy|bowser|fast-xml-parser|mnemonist|obliterator)\//;
/** Modules that this many commands and threads share are one file. */
const SHARED_BY = 24;

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'dist');
const manifest = readManifest(root);

await bundleProgram();
await bundleLibrary();

async function bundleProgram() {
  const out = join(dist, 'program');
  const named = [manifest.bin.statehouse, ...Object.values(manifest.imports)];
  const output = await bundle(out, {
    input: Object.fromEntries(named.map((path) => [nameOf(path), sourceOf(path)])),
    format: 'cjs',
    extension: 'cjs',
    plugins: [lateBuiltins],
    groups: [
      { name: 'aws', test: AWS },
      { name: 'shared', minShareCount: SHARED_BY },
    ],
  });
  const packagesOf = ({ moduleIds }) => [...new Set(moduleIds.flatMap(packageOf))].sort();
  const chunks = output.filter(({ type }) => type === 'chunk');
  // What is in which file, for the bill of materials: a file that is taken away takes its packages with it.
  const contents = chunks.map((chunk) => [chunk.fileName, packagesOf(chunk).map(nameAndVersion)]);
  writeFileSync(
    join(out, 'packages.json'),
    `${JSON.stringify(Object.fromEntries(contents.filter(([, names]) => names.length > 0)), null, 2)}\n`,
  );
  const packages = [...new Set(chunks.flatMap(packagesOf))].sort();
  writeFileSync(join(out, 'LICENSES.txt'), packages.map(licenceOf).join('\n'));
}

async function bundleLibrary() {
  const out = join(dist, 'library');
  const entries = Object.values(manifest.exports).flatMap((target) => target.default ?? []);
  await bundle(out, {
    input: Object.fromEntries(
      entries.map((path) => [path.replace('./dist/library/', '').replace(/\.js$/, ''), sourceOf(path)]),
    ),
    format: 'esm',
    extension: 'js',
    external: Object.keys(manifest.peerDependencies),
    groups: [{ name: 'aws', test: AWS }],
  });
  for (const path of entries) copyTypes(path.replace('./dist/library/', '').replace(/\.js$/, '.d.ts'), out);
}

async function bundle(out, { input, format, extension, external = [], plugins = [], groups }) {
  const made = await rolldown({
    cwd: root,
    platform: 'node',
    input,
    transform: { target: 'es2023' },
    external: [...EXTERNAL, ...external],
    plugins: [{ name: 'keep-places', transform: keepPlace }, ...plugins],
    onLog: (level, log) => {
      if (
        level === 'warn' &&
        !['EVAL', 'CIRCULAR_DEPENDENCY', 'INEFFECTIVE_DYNAMIC_IMPORT'].includes(log.code)
      )
        throw new Error(log.message);
    },
  });
  try {
    rmSync(out, { recursive: true, force: true });
    const { output } = await made.write({
      dir: out,
      format,
      sourcemap: true,
      comments: false,
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `[name]-[hash].${extension}`,
      codeSplitting: { groups },
    });
    for (const { fileName, type } of output)
      if (type === 'asset' && fileName.endsWith('.map')) dropSources(join(out, fileName));
    return output;
  } finally {
    await made.close();
  }
}

/** Modules stand in other files than they are written in, but each finds its own files from where it would be in dist. */
function keepPlace(code, id) {
  const place = relative(join(root, 'src'), id);
  if (place.startsWith('..') || !code.includes('import.meta.url')) return null;
  const url = `new URL(${JSON.stringify(`../${place}`)}, import.meta.url).href`;
  return { code: code.replaceAll('import.meta.url', url), map: null };
}

/** A map says file and line of each name; the sources themselves are in the repository. */
function dropSources(path) {
  const { sourcesContent: _, ...map } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(map));
}

/** Copies the types of a module, and of all that they name. */
function copyTypes(path, out, copied = new Set()) {
  if (copied.has(path)) return;
  copied.add(path);
  const target = join(out, path);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(dist, path), target);
  const text = readFileSync(target, 'utf8');
  for (const [, named] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)\.[jt]s['"]/g))
    copyTypes(join(dirname(path), `${named}.d.ts`), out, copied);
}

/** `./dist/program/cli.main.cjs` is made of `src/cli/main.ts`. */
function sourceOf(path) {
  const name = nameOf(path).replace(/^library\//, '');
  return join('src', `${path.includes('/program/') ? name.replaceAll('.', '/') : name}.ts`);
}

function nameOf(path) {
  return path.replace(/^(?:\.\/)?dist\/(?:program\/)?/, '').replace(/\.c?js$/, '');
}

function nameAndVersion(path) {
  const { name, version } = readManifest(path);
  return `${name}@${version}`;
}
