import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIgnoreRules } from '../../src/protocols/hcp/client/slug/ignore.ts';
import { packFolder } from '../../src/protocols/hcp/client/slug/pack.ts';
import { unpackSlug } from '../../src/runs/slug/unpack.ts';

describe('what does not travel', () => {
  it.each<readonly [rules: string, path: string, excluded: boolean]>([
    ['', '.git/config', true],
    ['', 'sub/.git/config', true],
    ['', '.gitignore', false],
    ['', '.terraform/providers/x', true],
    ['', 'sub/.terraform/providers/x', true],
    ['', '.terraform/modules/net/main.tf', false],
    ['', 'terraform.tfstate', false],
    ['*.pem', 'keys/a.pem', true],
    ['/a.pem', 'keys/a.pem', false],
    ['/a.pem', 'a.pem', true],
    ['keys/', 'keys/a', true],
    ['keys/', 'sub/keys/a', true],
    ['*.pem\n!public.pem', 'public.pem', false],
    ['# *.pem\n\n', 'a.pem', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['docs/**/x', 'docs/a/b/x', true],
    ['[ab].txt', 'b.txt', true],
    ['[ab].txt', 'c.txt', false],
    ['a+(b', 'a+(b', true],
    ['[', '[', true],
  ])('by the rules %j: %s', (rules, path, excluded) => {
    expect(readIgnoreRules(rules).excludes(path).excluded).toBe(excluded);
  });
});

describe('a packed folder', () => {
  let folder: string;
  let out: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'statehouse-pack-'));
    out = await mkdtemp(join(tmpdir(), 'statehouse-unpack-'));
  });
  afterEach(async () => {
    for (const path of [folder, out]) await rm(path, { recursive: true });
  });
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const unpacked = async (): Promise<readonly string[]> => {
    const { archive } = await packFolder(folder);
    await unpackSlug(once(archive), out);
    return (await readdir(out, { recursive: true })).sort();
  };

  it('comes out as it went in, with long names, modes and links', async () => {
    const long = `${'d'.repeat(90)}/${'é'.repeat(80)}.tf`;
    await put('main.tf', 'x');
    await put(long, 'long');
    await put('empty', '');
    await put('run.sh', '#!/bin/sh');
    await chmod(join(folder, 'run.sh'), 0o755);
    await mkdir(join(folder, 'nothing'));
    await symlink('main.tf', join(folder, 'within'));
    expect(await unpacked()).toEqual(
      ['main.tf', dirname(long), long, 'empty', 'run.sh', 'nothing', 'within'].sort(),
    );
    expect(await readFile(join(out, long), 'utf8')).toBe('long');
    expect((await stat(join(out, 'run.sh'))).mode & 0o111).not.toBe(0);
    expect(await readlink(join(out, 'within'))).toBe('main.tf');
  });

  it('brings what links lead to outside of it, and is refused for a link to nothing there', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'statehouse-outside-'));
    await writeFile(join(outside, 'shared.tf'), 'shared');
    await symlink(join(outside, 'shared.tf'), join(folder, 'shared.tf'));
    await symlink(outside, join(folder, 'modules'));
    expect(await unpacked()).toEqual(['modules', 'modules/shared.tf', 'shared.tf']);
    expect(await readFile(join(out, 'shared.tf'), 'utf8')).toBe('shared');
    await rm(outside, { recursive: true });
    await expect(packFolder(folder)).rejects.toThrow('leads out of the folder');
  });

  it('ends where links go round', async () => {
    await put('sub/a', 'a');
    await symlink(join(folder, '..', folder.split('/').at(-1) ?? ''), join(folder, 'sub', 'round'));
    const packed = packFolder(folder);
    await packed.catch((fault: unknown) =>
      expect(String(fault)).toMatch(/cannot be uploaded|ELOOP|ENAMETOOLONG/),
    );
  });
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
