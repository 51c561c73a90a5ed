import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { openHouse } from '../../src/server/open.ts';

describe('a start that fails', () => {
  let directory: string;
  let taken: Server;
  let port = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'statehouse-unfinished-'));
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    ({ port } = taken.address() as AddressInfo);
  });
  afterAll(async () => {
    taken.close();
    await rm(directory, { recursive: true, force: true });
  });

  const start = (path: string, changes: object = {}) =>
    openHouse({ ...DEFAULTS, port, logLevel: 'silent', store: { kind: 'directory', path }, ...changes });

  it.each([
    ['the port is in use', {}],
    ['the master key is none', { masterKeys: 'xx' }],
    ['the admin is none', { port: 0, adminCredential: 'a.b' }],
    ['the certificate is not there', { port: 0, tls: { kind: 'files', cert: '/nope', key: '/nope' } }],
  ])('leaves no half-made data directory: %s', async (_, changes) => {
    const path = join(directory, 'above', 'data');
    await expect(start(path, changes)).rejects.toThrow();
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves an empty directory empty, and one with something in it as it is', async () => {
    const empty = join(directory, 'empty');
    await mkdir(empty);
    await expect(start(empty)).rejects.toThrow();
    expect(await readdir(empty)).toEqual([]);
    await writeFile(join(empty, 'notes'), 'mine');
    await expect(start(empty)).rejects.toThrow();
    expect(await readdir(empty)).toContain('notes');
  });

  it('leaves the data of a server that was there, and of one that has it now', async () => {
    const path = join(directory, 'kept');
    const first = await start(path, { port: 0 });
    await expect(start(path)).rejects.toThrow('in use by another process');
    await first.close();
    const before = await readdir(path);
    await expect(start(path)).rejects.toThrow();
    expect(await readdir(path)).toEqual(before);
    expect(existsSync(join(path, 'master.key'))).toBe(true);
  });

  it.each(['/proc/nowhere/data', '/dev/null/data', '/etc/hostname/data'])(
    'is told at once that a directory cannot be: %s',
    async (path) => {
      await expect(start(path)).rejects.toThrow(`the data directory ${path} cannot be used`);
    },
    5_000,
  );
});
