import type { Import } from './source-tree.ts';

/** Every file that is imported from the roots, by any number of steps, and the roots themselves. */
export function reachedFrom(
  roots: readonly string[],
  graph: ReadonlyMap<string, readonly Pick<Import, 'target'>[]>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [...roots];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    open.push(...(graph.get(path) ?? []).map(({ target }) => target));
  }
  return reached;
}

/** The modules that a package is entered by: its programs, its exports, and the threads among its `imports`. */
export function entryPoints(manifest: Readonly<Record<string, unknown>>): readonly string[] {
  const named = JSON.stringify([manifest['bin'], manifest['exports'], manifest['imports']]);
  // A file of the program is named for its source, with dots: dist/program/cli.main.cjs.
  const programs = [...named.matchAll(/"(?:\.\/)?dist\/program\/([^"/]+)\.cjs"/g)];
  const library = [...named.matchAll(/"(?:\.\/)?dist\/library\/([^"]+?)(?:\.d\.ts|\.js)"/g)];
  const paths = [
    ...programs.map(([, name = '']) => name.replaceAll('.', '/')),
    ...library.map(([, path = '']) => path),
  ];
  return [...new Set(paths.map((path) => `src/${path}.ts`))];
}

/** The files that a text names by their file name, such as a program that a test starts. */
export function namedIn(text: string, candidates: readonly string[]): readonly string[] {
  const names = new Set(text.match(/[\w.-]+\.(?:tsx?|js|mjs)\b/g));
  return candidates.filter((path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return names.has(name) || names.has(name.replace(/\.ts$/, '.js'));
  });
}

/** What a module exports to be used: functions, classes and constants; types say what these take and give. */
export function exportedNames(text: string): readonly string[] {
  const exported = /^export (?:declare )?(?:(?:async )?function\*?|(?:abstract )?class|const|let) (\w+)/gm;
  return [...text.matchAll(exported)].map(([, name = '']) => name);
}

/**
 * Switches over `x.type`, `x.kind` and the like that would let a new case pass in silence: a case goes on after the
 * switch, or nothing is answered, and the compiler is not asked by `satisfies never` whether a case is missing.
 * @returns the line of each, from 1
 */
export function silentSwitches(text: string): readonly number[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const indent = /^(\s*)switch \([\w.#]+\.(?:type|kind)\) \{$/.exec(line)?.[1];
    if (indent === undefined) return [];
    const end = lines.findIndex((other, at) => at > index && other === `${indent}}`);
    const body = lines.slice(index + 1, end);
    const goesOn = body.some((other) => /^\s*break;$/.test(other));
    const emptyDefault = /\bdefault:\s*(?:(?:break|return);\s*)?$/.test(body.join('\n'));
    const asked = body.some((other) => other.includes('satisfies never'));
    return (goesOn || emptyDefault) && !asked ? [index + 1] : [];
  });
}

/** The paths of this repository that a page names in backticks: `src/house/house.ts`, `house/executor.ts`, `core/rules`. */
export function pathsNamedIn(markdown: string, tops: ReadonlySet<string>): readonly string[] {
  const inline = markdown.replace(/^```[\s\S]*?^```/gm, '');
  return [...inline.matchAll(/`([\w.@-]+(?:\/[\w.*<>@-]+)+\/?)`/g)]
    .map(([, path = '']) => path.replace(/\/$/, ''))
    .filter((path) => tops.has(path.split('/')[0] ?? '') && !/[*<>]/.test(path));
}
