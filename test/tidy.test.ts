import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RESERVED_SUFFIXES, S3_WORKSPACE_PREFIX } from '../src/core/address.ts';
import {
  entryPoints,
  exportedNames,
  namedIn,
  pathsNamedIn,
  reachedFrom,
  silentSwitches,
} from './tidy/dead-code.ts';
import { importProblem, isClient, isDoor } from './tidy/layers.ts';
import { importsOf, repositoryFiles, textOf, withoutComments } from './tidy/source-tree.ts';

// The rules of the building, as ARCHITECTURE says them: what they forbid shows up here and not in a review.

const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
/** Files that may be longer, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};
/** Modules that import each other in a ring, each with its reason. */
const CYCLES: Readonly<Record<string, string>> = {};
/** What stands at the top of an engine's folder; one without a database needs fewer. */
const ENGINE_FILES: readonly string[] = [
  'adoption',
  'audit',
  'audit-adoption',
  'audit-chain',
  'bodies',
  'columns',
  'connection',
  'credentials',
  'effects',
  'engine',
  'faults',
  'figures',
  'migrate',
  'queries',
  'records',
  'rows',
  'state-index',
  'usage',
  'world',
];

/** The engine of a house, taken from it. */
const ENGINE_OF_A_HOUSE = /\bhouse\??\.engine\b|\{[^{}=]*\bengine\b[^{}=]*\} = (?:[\w.#]+\.)?#?house\b/;

const all = repositoryFiles();
const code = all.filter((path) => /\.(?:tsx?|mjs|js)$/.test(path));
const sources = code.filter((path) => path.startsWith('src/'));
const text = new Map(
  all.filter((path) => !/\.(?:png|ico|woff2|bin|gz)$/.test(path)).map((p) => [p, textOf(p)]),
);
const read = (path: string): string => text.get(path) ?? '';
const importsByFile = new Map(sources.map((path) => [path, importsOf(path, read(path))]));
const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string> | undefined>;

/** `path:line what stands there` for every line that the pattern finds. */
function findings(
  paths: readonly string[],
  pattern: RegExp,
  view: (text: string) => string = (t) => t,
): string[] {
  return paths.flatMap((path) =>
    view(read(path))
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1} ${line.trim().slice(0, 100)}`] : [],
      ),
  );
}

/** The protocols that have such files: `src/protocols/s3`. */
function foldersOf(side: (path: string) => boolean): readonly string[] {
  return [...new Set(sources.filter(side).map((path) => path.split('/').slice(0, 3).join('/')))];
}

describe('layers', () => {
  it('import downwards only', () => {
    const problems = [...importsByFile].flatMap(([from, imports]) =>
      imports.flatMap((asked) => {
        const problem = importProblem(from, asked);
        return problem === null ? [] : [`${from} imports ${asked.target}: ${problem}`];
      }),
    );
    expect(problems).toEqual([]);
  });

  it('have no cycle that is not written down', () => {
    const found = cyclesAmong(importsByFile);
    expect(found.filter((cycle) => !(cycle in CYCLES))).toEqual([]);
    expect(Object.keys(CYCLES).filter((cycle) => !found.includes(cycle))).toEqual([]);
  });

  it('ask what a role allows at the gate of the house alone, so that nobody forgets expiry and revocation', () => {
    const askers = [...importsByFile].filter(
      ([from, imports]) =>
        from.startsWith('src/') &&
        imports.some(({ target }) => target === 'src/core/access.ts') &&
        /import \{[^}]*\bmay\w+[^}]*\} from '[^']*core\/access\.ts'/.test(read(from)),
    );
    expect(askers.map(([from]) => from)).toEqual(['src/house/gate.ts']);
    const doors = sources.filter((path) => /^src\/(?:protocols|server)\//.test(path));
    expect(findings(doors, /\bidentity\.expiry\b/, withoutComments)).toEqual([]);
  });

  it('keep clock, randomness, waiting and the process out of the core', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bawait\b|\basync\b|\bPromise\b|\bprocess\b|\bperformance\b|\bcrypto\b|\bglobalThis\b|\bset(?:Timeout|Interval|Immediate)\b|\bfetch\b|\bBuffer\b/;
    const core = sources.filter((path) => path.startsWith('src/core/'));
    expect(findings(core, impure, withoutComments)).toEqual([]);
  });

  it('say the place of the API in its contract alone, which runs in a browser, too', () => {
    const contract = sources.filter((path) => path.startsWith('src/api/'));
    const others = sources.filter((path) => !contract.includes(path));
    expect(findings(others, /['"`]\/api\/v1/, withoutComments)).toEqual([]);
    expect(findings(contract, /\b(?:Buffer|process|require|setImmediate)\b/, withoutComments)).toEqual([]);
  });

  it('give every door the same files, and a client a file of the same name', () => {
    const doors = foldersOf(isDoor).flatMap((protocol) => [
      `${protocol}/layout.ts`,
      ...['entry', 'door', 'detect', 'auth', 'operations', 'errors'].map(
        (name) => `${protocol}/door/${name}.ts`,
      ),
    ]);
    const clients = foldersOf(isClient).flatMap((protocol) => [
      `${protocol}/layout.ts`,
      ...['client', 'config'].map((name) => `${protocol}/client/${name}.ts`),
    ]);
    expect([...doors, ...clients].filter((path) => !sources.includes(path))).toEqual([]);
  });

  it('name a door in its folder and in the list of all doors, and nowhere else', () => {
    const entries = foldersOf(isDoor).map((protocol) => `${protocol}/door/entry.ts`);
    const named = [...importsByFile].flatMap(([from, imports]) =>
      imports
        .filter(({ target }) => isDoor(target) && !from.startsWith(target.split('/').slice(0, 3).join('/')))
        .map(({ target }) => `${from} ${target}`),
    );
    expect(named.sort()).toEqual(entries.map((entry) => `src/server/doors.ts ${entry}`).sort());
  });

  it('spell the names of a protocol in its layout, for its door and its client alike', () => {
    const sides = [
      ...foldersOf(isDoor).map((protocol) => ({ protocol, side: `${protocol}/door/` })),
      ...foldersOf(isClient).map((protocol) => ({ protocol, side: `${protocol}/client/` })),
    ];
    const without = sides.filter(
      ({ protocol, side }) =>
        ![...importsByFile].some(
          ([from, imports]) =>
            from.startsWith(side) && imports.some(({ target }) => target === `${protocol}/layout.ts`),
        ),
    );
    expect(without.map(({ side }) => side)).toEqual([]);
    const names = Object.values(RESERVED_SUFFIXES).map((suffix) => suffix.replace('.', '\\.'));
    const spelled = new RegExp(`['"\`](?:${names.join('|')}|${S3_WORKSPACE_PREFIX}/?)['"\`]`);
    const others = sources.filter((path) => path !== 'src/core/address.ts');
    expect(findings(others, spelled, withoutComments)).toEqual([]);
  });

  it('give engines the same file names for the same things', () => {
    const filesOf = (engine: string): readonly string[] =>
      sources
        .flatMap((path) => new RegExp(`^src/engines/${engine}/([^/]+)\\.ts$`).exec(path)?.[1] ?? [])
        .toSorted();
    const engines = new Set(sources.flatMap((path) => /^src\/engines\/([^/]+)\//.exec(path)?.[1] ?? []));
    // What only one of them needs stands in a folder below.
    for (const engine of engines) {
      const files = filesOf(engine);
      if (files.includes('migrate')) expect(files).toEqual(ENGINE_FILES);
      else expect(files.filter((name) => !ENGINE_FILES.includes(name))).toEqual([]);
    }
    expect([...engines].filter((engine) => filesOf(engine).includes('migrate')).toSorted()).toEqual([
      'postgres',
      'sqlite',
    ]);
  });

  it('reach the engine of a house through the house alone', () => {
    const outside = sources.filter((path) => !path.startsWith('src/house/'));
    expect(findings(outside, ENGINE_OF_A_HOUSE, withoutComments)).toEqual([]);
  });

  it('name a backend in its folder and in the list of backends alone', () => {
    const folders = sources.filter((path) => /^src\/protocols\/[^/]+\/client\/entry\.ts$/.test(path));
    const names = folders.map((path) => path.split('/')[2] ?? '');
    expect(names.length).toBeGreaterThan(3);
    const listed = new Set(
      (importsByFile.get('src/protocols/backends.ts') ?? []).map(({ target }) => target),
    );
    expect(folders.filter((path) => !listed.has(path))).toEqual([]);
    const quoted = new RegExp(`(?<!from |import\\()(['"\`])(?:${names.join('|')})\\1`);
    const rooms =
      /^src\/(?:core|ports|house|workdir|client|cli)\/|^src\/protocols\/(?!backends\.ts$)[^/]+\.ts$/;
    expect(
      findings(
        sources.filter((path) => rooms.test(path)),
        quoted,
        withoutComments,
      ),
    ).toEqual([]);
  });

  it('are told apart by this very test', () => {
    const refused: readonly (readonly [string, string])[] = [
      ['src/core/a.ts', 'node:crypto'],
      ['src/core/a.ts', 'src/ports/clock.ts'],
      ['src/ports/a.ts', 'node:stream'],
      ['src/engines/sqlite/a.ts', 'src/keyring/a.ts'],
      ['src/keyring/a.ts', 'src/engines/sqlite/a.ts'],
      ['src/engines/sqlite/a.ts', 'src/engines/memory/a.ts'],
      ['src/house/a.ts', 'node:http'],
      ['src/house/a.ts', 'src/engines/memory/engine.ts'],
      ['src/protocols/http/door/a.ts', 'src/engines/memory/engine.ts'],
      ['src/protocols/http/door/a.ts', 'src/server/a.ts'],
      ['src/protocols/http/door/a.ts', 'src/protocols/s3/door/a.ts'],
      ['src/protocols/http/door/a.ts', 'src/protocols/http/client/a.ts'],
      ['src/protocols/http/client/a.ts', 'src/house/a.ts'],
      ['src/protocols/http/client/a.ts', 'src/protocols/http/door/a.ts'],
      ['src/protocols/s3/client/a.ts', '@aws-sdk/client-s3'],
      ['src/protocols/http/door/a.ts', 'src/core/access.ts'],
      ['src/protocols/http/door/a.ts', 'src/house/caller.ts'],
      ['src/server/a.ts', 'src/core/access.ts'],
      ['src/server/a.ts', 'src/house/caller.ts'],
      ['src/server/a.ts', 'src/cli/main.ts'],
      ['src/cli/a.ts', 'src/contract/a.ts'],
      ['src/contract/a.ts', 'src/cli/a.ts'],
      ['src/house/a.ts', 'src/elsewhere/a.ts'],
    ];
    const allowed: readonly (readonly [string, string])[] = [
      ['src/core/rules/a.ts', 'src/core/a.ts'],
      ['src/house/a.ts', 'src/ports/clock.ts'],
      ['src/house/a.ts', 'src/core/access.ts'],
      ['src/server/a.ts', 'src/core/grant.ts'],
      ['src/protocols/http/door/a.ts', 'src/house/a.ts'],
      ['src/protocols/http/door/a.ts', 'src/protocols/door.ts'],
      ['src/protocols/http/door/a.ts', 'src/protocols/http/layout.ts'],
      ['src/protocols/http/client/a.ts', 'src/protocols/http/layout.ts'],
      ['src/server/a.ts', 'src/protocols/http/door/door.ts'],
      ['src/cli/a.ts', 'src/server/a.ts'],
      ['src/contract/a.ts', 'src/server/a.ts'],
    ];
    const verdict = ([from, target]: readonly [string, string]): boolean =>
      importProblem(from, { target, typeOnly: false, lazy: false }) === null;
    expect(refused.filter(verdict)).toEqual([]);
    const callers = { target: 'src/house/caller.ts', typeOnly: true, lazy: false };
    expect(importProblem('src/server/a.ts', callers)).toBe(null);
    const taken = [
      'house.engine.now()',
      'this.#house.engine',
      'call.house?.engine',
      'const { engine } = this.#house;',
      'const { engine, node } = house;',
    ];
    expect(taken.filter((line) => !ENGINE_OF_A_HOUSE.test(line))).toEqual([]);
    const other = [
      'const { house, engine } = built;',
      'house.engineer()',
      'house.about.engine',
      'built.engine',
    ];
    expect(other.filter((line) => ENGINE_OF_A_HOUSE.test(line))).toEqual([]);
    expect(allowed.filter((pair) => !verdict(pair))).toEqual([]);
    expect(
      cyclesAmong(
        new Map([
          ['a.ts', [{ target: 'b.ts', typeOnly: false, lazy: false }]],
          ['b.ts', [{ target: 'a.ts', typeOnly: false, lazy: false }]],
          ['c.ts', [{ target: 'a.ts', typeOnly: false, lazy: false }]],
        ]),
      ),
    ).toEqual(['a.ts b.ts']);
  });
});

describe('files', () => {
  it('are short', () => {
    const tooLong = code.filter((path) => {
      const most = path.startsWith('test/') || path.startsWith('bench/') ? TEST_LINES_MAX : LINES_MAX;
      return read(path).split('\n').length - 1 > most && !(path in LONG_FILES);
    });
    expect(tooLong).toEqual([]);
    expect(Object.keys(LONG_FILES).filter((path) => !all.includes(path))).toEqual([]);
  });

  it('have names in kebab-case that say what is inside', () => {
    const names = code.flatMap((path) => path.split('/').map((name) => ({ path, name })));
    const bad = names.filter(
      ({ name }) =>
        !/^\.?[a-z0-9]+(?:[.-][a-z0-9]+)*$/.test(name) ||
        /^(?:utils?|helpers?|common|misc)(?:\.|$)/.test(name),
    );
    expect(bad.map(({ path }) => path)).toEqual([]);
  });

  it('are all used: each is reached from where the package is entered', () => {
    const reached = reachedFrom(entryPoints(manifest), importsByFile);
    expect(sources.filter((path) => !reached.has(path))).toEqual([]);
    expect(entryPoints(manifest).filter((path) => !sources.includes(path))).toEqual([]);
  });

  it('of tests, benches and scripts are all used: each is a test, or is imported or named by what is', () => {
    const others = code.filter((path) => !path.startsWith('src/'));
    const users = new Map(
      [...others, 'package.json'].map((path) => {
        const body = withoutComments(read(path));
        const named = namedIn(body, others).filter((other) => other !== path);
        return [path, [...importsOf(path, body), ...named.map((target) => ({ target }))]];
      }),
    );
    const roots = others.filter((path) => /\.test\.ts$|^vitest\.config\.ts$/.test(path));
    const reached = reachedFrom([...roots, 'package.json'], users);
    expect(others.filter((path) => !reached.has(path))).toEqual([]);
  });

  it('that nobody uses are found by this very test', () => {
    const graph = new Map([
      ['a.ts', [{ target: 'b.ts' }]],
      ['c.ts', [{ target: 'd.ts' }]],
      ['d.ts', [{ target: 'c.ts' }]],
    ]);
    expect([...reachedFrom(['a.ts'], graph)]).toEqual(['a.ts', 'b.ts']);
    expect(
      entryPoints({
        bin: { p: 'dist/program/p.cjs' },
        imports: { '#t': './dist/program/x.t.cjs' },
        exports: { './l': { types: './dist/library/l.d.ts', default: './dist/library/l.js' } },
        files: ['dist/y.js'],
      }),
    ).toEqual(['src/p.ts', 'src/x/t.ts', 'src/l.ts']);
    expect(
      namedIn("spawn('bench/build/run.js', 'holder.mjs')", ['b/run.ts', 'c/holder.mjs', 'd/n.ts']),
    ).toEqual(['b/run.ts', 'c/holder.mjs']);
  });

  it('name nothing of the machine or the network that they were written on', () => {
    // Written so that the patterns do not find themselves.
    const machine = /(?<![\w.])\/(?:work|root)\//;
    const registries =
      /\bregistry\.(?!terraform\.io|opentofu\.org)[a-z0-9-]+\.(?:com|org|io|dev|net)\b|\bverdacci[o]\b|\bartifactor[y]\b/i;
    const here = hostOf(process.env['npm_config_registry']);
    const found = [...findings([...text.keys()], machine), ...findings([...text.keys()], registries)];
    const hosts = here === null ? [] : [...text.keys()].filter((path) => read(path).includes(here));
    expect([...found, ...hosts]).toEqual([]);
    expect(read('package-lock.json')).not.toMatch(/"resolved": "http/);
  });
});

describe('code', () => {
  it('has no any, no default export and no enum', () => {
    const anyType = /(?:[:<|&,(]\s*|\bas\s+|\bextends\s+)any\b(?!\w*['":(])/;
    expect(findings(sources, anyType, withoutComments)).toEqual([]);
    expect(
      findings(
        code.filter((path) => path !== 'vitest.config.ts'),
        /^export default\b/,
      ),
    ).toEqual([]);
    expect(findings(code, /^\s*(?:export\s+)?(?:const\s+)?enum\s+\w+\s*\{/)).toEqual([]);
  });

  it('has nothing left to do and nothing switched off', () => {
    expect(findings(code, /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/)).toEqual([]);
    expect(findings(code, /\b(?:it|test|describe|suite)\.(?:only|skip|todo)\(/)).toEqual([]);
    const commentedOut =
      /^\s*\/\/\s*(?:(?:const|let|var|import|export|return|await|throw|if|for|while|function|class)\b.*[;{]|[\w.#]+\(.*\);|[}\])]+[;,]?)\s*$/;
    expect(findings(code, commentedOut)).toEqual([]);
  });

  it('exports no function, no class and no constant that nobody else uses', () => {
    const words = new Map(
      code.map((path) => [path, new Set(withoutComments(read(path)).match(/[A-Za-z_]\w*/g))]),
    );
    const exported = sources.flatMap((path) => exportedNames(read(path)).map((name) => ({ path, name })));
    const unused = exported.filter(
      ({ path, name }) => ![...words].some(([other, used]) => other !== path && used.has(name)),
    );
    expect(unused).toEqual([]);
    const kinds = [
      'export const A: number = 1;',
      'export async function b(): Promise<void> {}',
      'export function* c() {}',
      'export abstract class D {}',
      'export type E = string;',
      'const F = 1;',
    ];
    expect(exportedNames(kinds.join('\n'))).toEqual(['A', 'b', 'c', 'D']);
  });

  it('lets no new outcome, effect or command pass in silence', () => {
    const silent = sources.flatMap((path) => silentSwitches(read(path)).map((line) => `${path}:${line}`));
    expect(silent).toEqual([]);
    // A typed outcome needs no guard at run time: the compiler lists the places.
    const late = /\bdefault:\s*throw new \w+\([^;]*\bended as\b/;
    expect(sources.filter((path) => late.test(read(path)))).toEqual([]);
    expect(late.test('default:\n throw new Error(`a lock ended as ${type}`);')).toBe(true);
    const switchOf = (...body: string[]): string => ['switch (effect.type) {', ...body, '}'].join('\n');
    expect(silentSwitches(switchOf('  case "a":', '    break;', '  default:'))).toEqual([1]);
    expect(silentSwitches(switchOf('  case "a":', '    return 1;', '  default:', '    return;'))).toEqual([
      1,
    ]);
    expect(silentSwitches(switchOf('  case "a":', '    break;'))).toEqual([1]);
    expect(silentSwitches(switchOf('  case "a":', '    return 1;'))).toEqual([]);
    expect(
      silentSwitches(switchOf('  case "a":', '    break;', '  default:', '    effect satisfies never;')),
    ).toEqual([]);
  });

  it('speaks plainly in the rooms whose words were read: of what is invalid, and of the server', () => {
    // "there is no such command" is plain; "this is no command" is not.
    const twisted =
      /\b(?:is|are) none\b|(?<!\b[Tt]here )\bis no (?!longer\b|one\b)|\bso long\b|\b[Nn]obody\b|\b[Ss]omebody\b|\bno more\b|\bPaste\b/;
    const withComments = /^src\/(?:cli|workdir)\//;
    expect(
      findings(
        sources.filter((path) => withComments.test(path)),
        twisted,
      ),
    ).toEqual([]);
    // The contracts speak to those who write doors and engines, in the words of the design.
    const toUsers = sources.filter((path) => !path.startsWith('src/contract/'));
    expect(findings(toUsers, twisted, withoutComments)).toEqual([]);
    // In messages to users the house is called the server.
    const house = /(['"`])(?:(?!\1).)*\b(?:an?|the|this|that|no|of|running|whole|own) [Hh]ouse\b/;
    expect(findings(toUsers, house, withoutComments)).toEqual([]);
    const pages = all.filter((path) =>
      /^(?:README|CHANGELOG)\.md$|^docs\/(?:doors\/)?[a-z-]+\.md$/.test(path),
    );
    const toWriters = /^docs\/writing-an?-(?:door|engine)\.md$/;
    expect(
      findings(
        pages.filter((path) => !toWriters.test(path)),
        /\b(?:an?|the|this|that|no|one|your|old) house\b/i,
      ),
    ).toEqual([]);
  });

  it('silences the linter and the compiler only with a reason', () => {
    const silenced = findings(code, /\b(?:ox|es)lint-disable|@ts-(?:expect-error|ignore|nocheck)/).filter(
      (line) => !line.startsWith('test/tidy.test.ts'),
    );
    const withReason =
      /lint-disable(?:-next-line|-line)? [\w/-]+(?:, [\w/-]+)* -- \w+|@ts-expect-error [\w-]+/;
    expect(silenced.filter((line) => !withReason.test(line))).toEqual([]);
  });

  it('imports types as types and builtins by their full name', () => {
    const builtins =
      /^(?:fs|path|os|crypto|http|https|net|tls|stream|util|url|zlib|events|child_process)(?:\/|$)/;
    const bare = [...importsByFile].flatMap(([from, imports]) =>
      imports.filter(({ target }) => builtins.test(target)).map(({ target }) => `${from} ${target}`),
    );
    expect(bare).toEqual([]);
    const unended = [...importsByFile].flatMap(([from, imports]) =>
      imports
        .filter(({ target }) => target.startsWith('src/') && !/\.(?:ts|json)$/.test(target))
        .map(({ target }) => `${from} ${target}`),
    );
    expect(unended).toEqual([]);
  });
});

describe('documents', () => {
  const GUARANTEES = 'docs/GUARANTEES.md';
  const DEPENDENCIES = 'docs/DEPENDENCIES.md';
  const versions = new Map(
    ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}),
    ),
  );

  it.runIf(existsSync(new URL(`../${GUARANTEES}`, import.meta.url)))(
    'name, for each of the rules, tests that exist',
    () => {
      const rules = ruleTests(read(GUARANTEES));
      expect([...rules.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
      expect([...rules].filter(([, tests]) => tests.length === 0).map(([rule]) => rule)).toEqual([]);
      const missing = [...rules].flatMap(([rule, tests]) =>
        tests.filter((path) => !all.includes(path)).map((path) => `rule ${rule}: ${path}`),
      );
      expect(missing).toEqual([]);
    },
  );

  it('name files and folders that exist', () => {
    const rooms = new Set(all.flatMap((path) => (path.startsWith('src/') ? [path.split('/')[1] ?? ''] : [])));
    const tops = new Set([...rooms, 'src', 'test', 'docs', 'bench', 'scripts']);
    const exists = (path: string): boolean =>
      [path, `src/${path}`, `test/${path}`].some((place) =>
        all.some((file) => file === place || file.startsWith(`${place}/`)),
      );
    const pages = all.filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');
    const gone = pages.flatMap((page) =>
      pathsNamedIn(read(page), tops)
        .filter((path) => !exists(path))
        .map((path) => `${page}: ${path}`),
    );
    expect(gone).toEqual([]);
    const page =
      'In `core/gone.ts` and `src/house/`, not `application/json`, `a`, `core/*.ts` or `src/<name>/x.ts`.';
    expect(pathsNamedIn(page, tops)).toEqual(['core/gone.ts', 'src/house']);
  });

  it('give a reason for every dependency', () => {
    const reasons = new Map(
      [...read(DEPENDENCIES).matchAll(/^\| `([^`]+)`[^|]*\|([^|]+)\|/gm)].map(
        ([, name = '', reason = '']) => [name, reason.trim()],
      ),
    );
    const named = [...versions.keys()];
    expect(named.filter((name) => (reasons.get(name) ?? '').length < 20)).toEqual([]);
    expect([...reasons.keys()].filter((name) => !versions.has(name))).toEqual([]);
  });

  it('tell nobody to have npm fetch the command by its name, which belongs to a stranger on npm', () => {
    const fetching =
      /\bnpx (?:-\S+ )*statehouse\b|\bnpm (?:install|i|add|exec|x)\b[^`#\n]*(?<=[ @])statehouse(?![-\w])/;
    expect(
      findings(
        all.filter((path) => path !== 'test/tidy.test.ts'),
        fetching,
      ),
    ).toEqual([]);
    for (const line of ['npx statehouse demo', 'npx --yes statehouse', 'npm i -g statehouse'])
      expect(fetching.test(line)).toBe(true);
    expect(fetching.test('npm install --global ./statehouse-server-0.1.0.tgz')).toBe(false);
    expect(manifest['name']).not.toBe('statehouse');
  });

  it('fix every dependency to one version', () => {
    expect([...versions].filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('name every package that has an install script, and no command that they tell runs one', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const [, section = ''] = read(DEPENDENCIES).split('## Install scripts\n');
    const named = [...section.matchAll(/^- `([^`]+)`/gm)].map(([, name = '']) => name);
    expect(scripted.map(([path]) => path.replace(/^.*node_modules\//, '')).toSorted()).toEqual(
      named.toSorted(),
    );
    const places = ['README.md', 'docs/operating.md', '.ci/run', 'deploy/Dockerfile'];
    const commands = places.flatMap((path) =>
      [...read(path).matchAll(/^.*\bnpm (?:ci|prune)\b.*$/gm)].map(([line]) => `${path}: ${line}`),
    );
    expect(commands.length).toBeGreaterThan(places.length);
    expect(commands.filter((line) => !line.includes('--ignore-scripts'))).toEqual([]);
  });
});

/** The paths of tests in each numbered section: `## 6. A stale writer is refused`, then `` `test/x.test.ts` ``. */
function ruleTests(markdown: string): Map<number, string[]> {
  const sections = markdown.split(/^#{2,3} (?=\d+\. )/m).slice(1);
  return new Map(
    sections.map((section) => [
      Number.parseInt(section, 10),
      [...section.matchAll(/`(test\/[\w./-]+\.test\.ts)\b/g)].map(([, path = '']) => path),
    ]),
  );
}

/** Every ring of modules that load each other, its names in order, one by one. */
function cyclesAmong(
  graph: ReadonlyMap<string, readonly { target: string; typeOnly: boolean; lazy: boolean }[]>,
): string[] {
  const next = (path: string): string[] =>
    (graph.get(path) ?? []).filter(({ typeOnly, lazy }) => !typeOnly && !lazy).map(({ target }) => target);
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const open = next(start);
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      open.push(...next(path));
    }
    return seen;
  };
  const reached = new Map([...graph.keys()].map((path) => [path, reach(path)]));
  const rings = [...reached].flatMap(([path, seen]) =>
    seen.has(path)
      ? [
          [...seen]
            .filter((other) => reached.get(other)?.has(path))
            .sort()
            .join(' '),
        ]
      : [],
  );
  return [...new Set(rings)];
}

function hostOf(url: string | undefined): string | null {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : null;
}
