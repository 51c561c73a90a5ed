import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForReading, openForWriting } from '../../src/engines/sqlite/connection.ts';
import { backUp, restoreBackup } from '../../src/engines/sqlite/files/backup.ts';
import { openDatabase } from '../../src/engines/sqlite/files/driver.ts';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import { writeOf } from '../../src/contract/engine-commands.ts';
import { addressOf, newDirectory } from './sqlite-fixture.ts';

const DATABASE_HOLDER = new URL('../crash/sqlite-database-holder.mjs', import.meta.url).pathname;
const CHILD = new URL('../crash/sqlite-holder.mjs', import.meta.url).pathname;

describe('a data directory', () => {
  let directory: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ directory, remove } = await newDirectory());
  });
  afterEach(async () => {
    await remove();
  });

  it('is made with its parents, for its owner alone', async () => {
    const path = join(directory, 'deep', 'down');
    const engine = await SqliteEngine.open({ directory: path });
    await engine.apply([writeOf(addressOf('a'), 1n)]);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const files = await readdir(path);
    expect(files).toEqual(expect.arrayContaining(['lock.db', 'statehouse.db', 'statehouse.db-wal']));
    expect(files.map((name) => statSync(join(path, name)).mode & 0o777)).toEqual(files.map(() => 0o600));
    await engine[Symbol.asyncDispose]();
  });

  it('is refused to a second process, and free again once the first was killed', async () => {
    const holder = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    const refusal = await SqliteEngine.open({ directory }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(EngineFault);
    expect((refusal as Error).message).toContain('is in use by another process');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const engine = await SqliteEngine.open({ directory });
    await engine.check();
    await engine[Symbol.asyncDispose]();
  });

  it('is refused a second time to the same process, which keeps what it has', async () => {
    const engine = await SqliteEngine.open({ directory });
    await expect(SqliteEngine.open({ directory })).rejects.toThrow('is in use');
    await expect(SqliteEngine.open({ directory })).rejects.toThrow('is in use');
    await engine.apply([writeOf(addressOf('a'), 1n)]);
    await engine[Symbol.asyncDispose]();
  });

  it('is refused to a second process also once the file that it locks was removed', async () => {
    const engine = await SqliteEngine.open({ directory });
    expect(engine.warning).toBeNull();
    await rm(join(directory, 'lock.db'));
    await expect(SqliteEngine.open({ directory })).rejects.toThrow('is in use by another process');
    await engine.apply([writeOf(addressOf('a'), 1n)]);
    await engine[Symbol.asyncDispose]();
  });

  it.each(['statehouse.db', 'statehouse.db-wal', 'statehouse.db-shm'])(
    'whose %s is removed stops the engine before another write is answered',
    async (name) => {
      const engine = await SqliteEngine.open({ directory });
      await engine.apply([writeOf(addressOf('a'), 1n)]);
      await rm(join(directory, name));
      await expect(engine.apply([writeOf(addressOf('a'), 2n)])).rejects.toThrow(`${name} was removed`);
      await expect(engine.check()).rejects.toThrow('removed');
      expect(await engine.failed).toMatchObject({ fatal: true });
      await engine[Symbol.asyncDispose]();
    },
  );

  it('whose database is replaced stops the engine, though nobody writes', async () => {
    const engine = await SqliteEngine.open({ directory });
    const path = join(directory, 'statehouse.db');
    await copyFile(path, `${path}.new`);
    await rename(`${path}.new`, path);
    expect((await engine.failed).message).toContain('statehouse.db was replaced');
    await expect(engine.world(addressOf('a'))).rejects.toThrow('replaced');
    await engine[Symbol.asyncDispose]();
  });

  it('whose database is gone is not begun anew, but takes a backup', async () => {
    await (await SqliteEngine.open({ directory }))[Symbol.asyncDispose]();
    const backup = `${directory}.backup`;
    await backUp(directory, backup);
    for (const suffix of ['', '-wal', '-shm']) {
      await rm(join(directory, `statehouse.db${suffix}`), { force: true });
    }
    await expect(SqliteEngine.open({ directory })).rejects.toThrow('statehouse.db is missing');
    restoreBackup(backup, directory);
    await (await SqliteEngine.open({ directory }))[Symbol.asyncDispose]();
    await rm(backup);
  });

  it('that cannot be made is a fault with its name', async () => {
    await expect(SqliteEngine.open({ directory: '/dev/null/data' })).rejects.toThrow('/dev/null/data');
  });

  it('of a newer program is refused, and left as it is', async () => {
    await (await SqliteEngine.open({ directory }))[Symbol.asyncDispose]();
    const db = openDatabase(join(directory, 'statehouse.db'));
    db.exec('PRAGMA user_version = 9999');
    db.close();
    await expect(SqliteEngine.open({ directory })).rejects.toThrow('used by a newer one');
    await expect(SqliteEngine.open({ directory })).rejects.toThrow('used by a newer one');
  });

  it('that holds no database of ours is refused', async () => {
    await (await SqliteEngine.open({ directory }))[Symbol.asyncDispose]();
    await writeFile(
      join(directory, 'statehouse.db'),
      'this is no database, but somebody put it here'.repeat(1_000),
    );
    await expect(SqliteEngine.open({ directory })).rejects.toBeInstanceOf(EngineFault);
  });
});

describe('every connection', () => {
  it.each([
    ['writes', openForWriting],
    ['reads', openForReading],
  ])('that %s waits while another has the whole database, as one does that closes it', async (_, open) => {
    const { directory, remove } = await newDirectory();
    const path = join(directory, 'x.db');
    openForWriting(path).close();
    const other = spawn(process.execPath, [DATABASE_HOLDER, path, '300'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    const db = open(path);
    expect(db.prepare('SELECT count(*) AS rows FROM taken').get()).toEqual({ rows: 1 });
    db.close();
    await once(other, 'exit');
    await remove();
  });

  it('flushes what it commits: synchronous is FULL, and the log is written ahead, in large pages', async () => {
    const { directory, remove } = await newDirectory();
    const path = join(directory, 'x.db');
    const pragmas = ['synchronous', 'journal_mode', 'page_size', 'wal_autocheckpoint', 'query_only'];
    const writer = openForWriting(path);
    const reader = openForReading(path);
    const read = (db: typeof writer): unknown[] =>
      pragmas.map((name) => Object.values(db.prepare(`PRAGMA ${name}`).get() as object)[0]);
    expect(read(writer)).toEqual([2, 'wal', 4_096, 0, 0]);
    expect(read(reader)).toEqual([2, 'wal', 4_096, 1_000, 1]);
    reader.close();
    writer.close();
    await remove();
  });
});
