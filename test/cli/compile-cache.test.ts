import { chmod, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepCompiled } from '../../src/cli/compile-cache.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'statehouse-compiled-'));
});
afterEach(() => rm(home, { recursive: true }));

function used(env: Readonly<Record<string, string>>): string[] {
  const folders: string[] = [];
  keepCompiled(env, (folder) => folders.push(folder));
  return folders;
}

describe('what Node has compiled', () => {
  it('is kept in a folder of the cache that is the user’s alone', async () => {
    const folder = join(home, '.cache', 'statehouse-compiled');
    expect(used({ HOME: home })).toEqual([folder]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(used({ HOME: '/nonexistent', XDG_CACHE_HOME: home })).toEqual([join(home, 'statehouse-compiled')]);
  });

  it('is not kept, and not run, where somebody else may have put it', async () => {
    const folder = join(home, 'statehouse-compiled');
    await mkdir(folder);
    await chmod(folder, 0o777);
    expect(used({ XDG_CACHE_HOME: home })).toEqual([]);
    await rm(folder, { recursive: true });
    await mkdir(join(home, 'elsewhere'), { mode: 0o700 });
    await symlink(join(home, 'elsewhere'), folder);
    expect(used({ XDG_CACHE_HOME: home })).toEqual([]);
  });

  it('is not kept where there is no home', () => {
    expect(used({ HOME: '/nonexistent', XDG_CACHE_HOME: 'relative' })).toEqual([]);
  });
});
