import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** One thing that a module asks for: another module of this repository, a builtin, or a package. */
export interface Import {
  /** A path from the root of the repository for a relative import, else the name as it stands. */
  readonly target: string;
  /** Gone once compiled: it names types alone. */
  readonly typeOnly: boolean;
  /** `import()`: asked for when it is needed, not when the module is loaded. */
  readonly lazy: boolean;
}

const ROOT = new URL('../../', import.meta.url).pathname;

/** Every file that is part of the repository or is about to be, by its path from the root. */
export function repositoryFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const deleted = execFileSync('git', ['ls-files', '--deleted', '-z'], { cwd: ROOT, encoding: 'utf8' });
  const gone = new Set(deleted.split('\0'));
  return listed.split('\0').filter((path) => path !== '' && !gone.has(path));
}

export function textOf(path: string): string {
  return readFileSync(posix.join(ROOT, path), 'utf8');
}

/** The text without its comments, line for line, so that a word in prose is not taken for code. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/(^|[\s;,{}()])\/\/.*$/gm, '$1');
}

/** What a module imports or exports from elsewhere. */
export function importsOf(path: string, text: string): readonly Import[] {
  const code = withoutComments(text);
  const resolve = (name: string): string =>
    name.startsWith('.') ? posix.join(posix.dirname(path), name) : name;
  const clause = /^\s*(?:import|export)\b(?:\s*|([^'"`;=()]*?)\bfrom\s*)['"]([^'"]+)['"]/gm;
  const stated = [...code.matchAll(clause)].map(([, what = '', name = '']) => ({
    target: resolve(name),
    typeOnly: /^\s*type\b/.test(what),
    lazy: false,
  }));
  const lazily = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)].map(([, name = '']) => ({
    target: resolve(name),
    typeOnly: false,
    lazy: true,
  }));
  return [...stated, ...lazily];
}
