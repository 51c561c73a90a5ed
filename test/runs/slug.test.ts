import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ArchiveError } from '../../src/runs/slug/tar.ts';
import { checkSlug, unpackSlug } from '../../src/runs/slug/unpack.ts';
import { tarOf } from './tar-of.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-unpack-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const streamOf = (bytes: Uint8Array): AsyncIterable<Uint8Array> =>
  Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]);

describe('a configuration that is uploaded', () => {
  it('is unpacked as it was packed: directories, files, modes and links that stay inside', async () => {
    const source = join(directory, 'source');
    const long = `modules/${'a'.repeat(120)}/${'b'.repeat(120)}`;
    await mkdir(join(source, long), { recursive: true });
    await mkdir(join(source, 'empty'));
    await writeFile(join(source, long, 'main.tf'), 'x = 1\n');
    await writeFile(join(source, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    await writeFile(join(source, 'big'), 'x'.repeat(200_000));
    await symlink('../run.sh', join(source, 'modules', 'link'));
    const { stdout } = await promisify(execFile)('tar', ['-czf', '-', '--format=pax', '-C', source, '.'], {
      encoding: 'buffer',
    });
    expect(await checkSlug(streamOf(stdout))).toMatchObject({ bytes: 200_016 });
    const target = join(directory, 'target');
    await mkdir(target);
    await unpackSlug(streamOf(stdout), target);
    expect((await readdir(target)).toSorted()).toEqual(['big', 'empty', 'modules', 'run.sh']);
    expect(await readFile(join(target, long, 'main.tf'), 'utf8')).toBe('x = 1\n');
    expect(await readFile(join(target, 'modules', 'link'), 'utf8')).toBe('#!/bin/sh\n');
    expect((await lstat(join(target, 'run.sh'))).mode & 0o777).toBe(0o700);
    expect((await lstat(join(target, 'big'))).mode & 0o777).toBe(0o600);
  });

  it('has its parents made where the archive names none of them', async () => {
    await unpackSlug(streamOf(tarOf([{ path: '.terraform/modules/a/main.tf', content: 'a' }])), directory);
    expect(await readFile(join(directory, '.terraform/modules/a/main.tf'), 'utf8')).toBe('a');
  });

  it.each([
    ['a path with ".."', [{ path: '../out.tf', content: 'x' }], /leads out: \.\.\/out\.tf/],
    ['a path with ".." within', [{ path: 'a/../../out.tf', content: 'x' }], /leads out/],
    ['an absolute path', [{ path: '/etc/passwd', content: 'x' }], /leads out/],
    ['a link to an absolute path', [{ path: 'a', type: '2', target: '/etc' }], /link that leads out/],
    ['a link that leads up', [{ path: 'd/a', type: '2', target: '../../x' }], /link that leads out/],
    [
      'a link that leads up behind another',
      [
        { path: 'd/e/top', type: '2', target: '../..' },
        { path: 'out', type: '2', target: 'd/e/top/../..' },
      ],
      /link that leads out/,
    ],
    [
      'an entry behind a link',
      [
        { path: 'a', type: '2', target: '.' },
        { path: 'a/b', content: 'x' },
      ],
      /behind (?:the link )?a/,
    ],
    ['a hard link', [{ path: 'a', type: '1', target: '/etc/passwd' }], /a hard link/],
    ['a device', [{ path: 'a', type: '3' }], /a device/],
    ['a named pipe', [{ path: 'a', type: '6' }], /a named pipe/],
    ['an unknown entry', [{ path: 'a', type: 'Z' }], /unknown type/],
    ['a file that is cut short', [{ path: 'a', content: 'x', size: 5_000 }], /cut short/],
    ['an entry that is too large', [{ path: 'a', size: 1_024 ** 3 + 1 }], /unpacks to more than 1024 MiB/],
  ] as const)('with %s is refused, and nothing is written outside', async (_what, entries, problem) => {
    const slug = tarOf(entries);
    await expect(checkSlug(streamOf(slug))).rejects.toThrow(problem);
    const inner = join(directory, 'inner');
    await mkdir(inner);
    await expect(unpackSlug(streamOf(slug), inner)).rejects.toThrow(ArchiveError);
    expect(await readdir(directory)).toEqual(['inner']);
  });

  it('that is no archive, not gzipped, damaged or cut is refused', async () => {
    const good = tarOf([{ path: 'main.tf', content: 'x'.repeat(5_000) }]);
    const broken = Buffer.from(tarOf([{ path: 'main.tf', content: 'x' }]));
    broken[30] = (broken[30] ?? 0) ^ 0xff;
    const others = [Buffer.from('no archive'), gzipSync(Buffer.from('x'.repeat(600))), good.subarray(0, 60)];
    for (const slug of [...others, broken])
      await expect(checkSlug(streamOf(slug))).rejects.toThrow(ArchiveError);
    await expect(checkSlug(streamOf(Buffer.alloc(0)))).rejects.toThrow(ArchiveError);
  });

  it('that unpacks to very much is refused while it is read, whatever its headers say', async () => {
    const limits = { entries: 10, bytes: 1_000_000 };
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(60_000);
    const padded = Buffer.concat([tarOf([{ path: 'a', content: 'x' }])]);
    expect(await checkSlug(streamOf(padded), limits)).toMatchObject({ entries: 1 });
    const many = tarOf(Array.from({ length: 11 }, (_, i) => ({ path: `f${i}`, content: 'x' })));
    await expect(checkSlug(streamOf(many), limits)).rejects.toThrow('more than 10 entries');
    const large = tarOf([{ path: 'a', content: 'x'.repeat(2_000_000) }]);
    await expect(checkSlug(streamOf(large), limits)).rejects.toThrow('unpacks to more than');
  });

  it('with two entries of one path is refused when it is unpacked', async () => {
    const twice = tarOf([
      { path: 'a', content: 'x' },
      { path: 'a', content: 'y' },
    ]);
    await expect(unpackSlug(streamOf(twice), directory)).rejects.toThrow('two entries of the same path');
  });
});
