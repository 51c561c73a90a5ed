import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

type Files = readonly (readonly [path: string, bytes: Buffer])[];
const script = fileURLToPath(new URL('../../scripts/executable/unpack.mjs', import.meta.url));
const { pack, unpacked } = (await import(script)) as {
  pack: (files: Files) => Buffer;
  unpacked: (archive: () => Uint8Array, name: string, env: Readonly<Record<string, string>>) => string;
};

const FILES: Files = [
  ['package.json', Buffer.from('{}')],
  ['dist/cli/main.js', Buffer.from([0, 255, 10])],
];
const isRoot = process.getuid?.() === 0;
const SOMEBODY = 12_345;

describe('where the executable keeps its files', () => {
  let home = '';
  let asked = 0;
  const archive = (): Uint8Array => {
    asked += 1;
    return pack(FILES);
  };
  const unpack = (): string => unpacked(archive, '1-abc', { XDG_CACHE_HOME: join(home, 'cache') });
  const inCache = (): string => join(home, 'cache', 'statehouse', '1-abc');

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'statehouse-unpack-'));
    asked = 0;
    // What is taken when the first cache is not good enough; a home without a cache has none.
    process.env['HOME'] = join(home, 'none', 'none');
  });
  const homeBefore = process.env['HOME'];
  afterEach(() => {
    process.env['HOME'] = homeBefore;
    rmSync(home, { recursive: true, force: true });
  });

  it('is the user’s cache, for the user alone, and they are written once', () => {
    const folder = unpack();
    expect(folder).toBe(inCache());
    for (const [path, bytes] of FILES) expect(readFileSync(join(folder, path)).equals(bytes)).toBe(true);
    expect(unpack()).toBe(folder);
    expect(asked).toBe(1);
    expect(readdirSync(join(home, 'cache', 'statehouse'))).toEqual(['1-abc']);
  });

  const strangers: readonly (readonly [what: string, needsRoot: boolean, prepare: () => void])[] = [
    [
      'whose cache others may write',
      false,
      () => {
        mkdirSync(join(home, 'cache', 'statehouse'), { recursive: true });
        chmodSync(join(home, 'cache', 'statehouse'), 0o777);
      },
    ],
    ['whose home others may write', false, () => chmodSync(home, 0o777)],
    [
      'whose folder is another’s',
      true,
      () => {
        mkdirSync(inCache(), { recursive: true });
        chownSync(inCache(), SOMEBODY, SOMEBODY);
      },
    ],
    ['who is root with the home of another', true, () => chownSync(home, SOMEBODY, SOMEBODY)],
    [
      'whose folder is a link',
      false,
      () => {
        mkdirSync(join(home, 'cache', 'statehouse'), { recursive: true });
        mkdirSync(join(home, 'trap'));
        symlinkSync(join(home, 'trap'), inCache());
      },
    ],
    ['whose cache is a file', false, () => writeFileSync(join(home, 'cache'), '')],
  ];
  it.each(strangers.filter(([, needsRoot]) => isRoot || !needsRoot))(
    'is a temporary folder for one %s',
    (_what, _needsRoot, prepare) => {
      prepare();
      const folder = unpack();
      expect(folder.startsWith(join(tmpdir(), 'statehouse-program-'))).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['dist', 'package.json']);
      rmSync(folder, { recursive: true });
    },
  );

  it('is never left by a path of the archive', () => {
    const outside = (): Uint8Array => pack([['../outside', Buffer.from('x')]]);
    expect(() => unpacked(outside, '1-bad', { XDG_CACHE_HOME: join(home, 'cache') })).toThrow('invalid path');
  });
});
