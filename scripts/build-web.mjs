// Builds the page into dist/web: web/src/main.tsx and what it loads later, under names that change with their content, so that
// browsers may keep them for good; the styles likewise; and index.html, which names both.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../', import.meta.url));
const web = join(root, 'web');
const out = join(root, 'dist', 'web');

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });
const script = await bundleScripts();
const style = writeStyles();
const icon = hashed('icon.svg', readFileSync(join(web, 'icon.svg'), 'utf8'));
writeFileSync(
  join(out, 'index.html'),
  readFileSync(join(web, 'index.html'), 'utf8')
    .replace('main.tsx', `/${script}`)
    .replace('main.css', `/${style}`)
    .replace('icon.svg', `/${icon}`),
);

compress();

/** @returns the name of the script to begin with */
async function bundleScripts() {
  const bundle = await rolldown({
    input: { main: join(web, 'src', 'main.tsx') },
    platform: 'browser',
    transform: {
      target: 'es2022',
      define: { 'process.env.NODE_ENV': '"production"' },
    },
  });
  try {
    const { output } = await bundle.write({
      dir: out,
      format: 'esm',
      minify: true,
      entryFileNames: 'assets/[name]-[hash].js',
      chunkFileNames: 'assets/[name]-[hash].js',
    });
    const entry = output.find((chunk) => chunk.type === 'chunk' && chunk.isEntry);
    return entry.fileName;
  } finally {
    await bundle.close();
  }
}

/** All styles as one file, in the order of their names. */
function writeStyles() {
  const folder = join(web, 'src', 'styles');
  const own = readdirSync(folder)
    .toSorted()
    .map((name) => join(folder, name));
  const charts = join(root, 'node_modules', 'uplot', 'dist', 'uPlot.min.css');
  const text = [charts, ...own]
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\s*\n\s*/g, '\n');
  return hashed('main.css', text);
}

/** Writes a file under a name that changes with its content. @returns the name */
function hashed(name, text) {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 8);
  const dot = name.lastIndexOf('.');
  const file = `assets/${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
  writeFileSync(join(out, file), text);
  return file;
}

/** Beside each text its compressed forms, so that the server need not make them. */
function compress() {
  for (const path of readdirSync(out, { recursive: true })) {
    if (!/\.(?:js|css|html|svg)$/.test(path)) continue;
    const bytes = readFileSync(join(out, path));
    writeFileSync(join(out, `${path}.gz`), gzipSync(bytes, { level: 9 }));
    writeFileSync(join(out, `${path}.br`), brotliCompressSync(bytes));
  }
}
