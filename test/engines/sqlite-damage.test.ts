import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp, lostInLog, restoreBackup } from '../../src/engines/sqlite/files/backup.ts';
import { openDatabase } from '../../src/engines/sqlite/files/driver.ts';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import { lockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { addressOf, largeWrite, newDirectory, readBody } from './sqlite-fixture.ts';

const PAGE_BYTES = 4_096;

describe('a damaged database', () => {
  let directory: string;
  let remove: () => Promise<void>;
  const [broken, whole] = [largeWrite('broken'), largeWrite('whole')];
  const file = (): string => join(directory, 'statehouse.db');

  beforeEach(async () => {
    ({ directory, remove } = await newDirectory());
    const engine = await SqliteEngine.open({ directory });
    // The segments are handed over, and are needed again for the next test.
    await engine.apply([largeWrite('broken'), largeWrite('whole')].map(withIdsOf));
    await engine[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await remove();
  });

  function withIdsOf(command: ReturnType<typeof largeWrite>, index: number): ReturnType<typeof largeWrite> {
    const { id } = (index === 0 ? broken : whole).body;
    return { ...command, body: { ...command.body, id } };
  }

  /** Breaks the chain of pages on which the body of `broken` goes on: each begins with the number of the next. */
  function breakBody(): void {
    const bytes = readFileSync(file());
    let pages = 0;
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      const text = bytes.subarray(at + 4, at + PAGE_BYTES).toString('latin1');
      if (!/^[a-z\]]*\[broken\]\[broken\]/.test(text)) continue;
      bytes.writeUInt32BE(0xff_ff_ff_ff, at);
      pages += 1;
    }
    expect(pages).toBeGreaterThan(4);
    writeFileSync(file(), bytes);
  }

  it('refuses what it cannot read, saying what to do, and goes on with the rest', async () => {
    breakBody();
    const engine = await SqliteEngine.open({ directory });
    const refusal = await readBody(engine, broken.body.id);
    expect(refusal).toBeInstanceOf(EngineFault);
    expect((refusal as EngineFault).fatal).toBe(false);
    expect((refusal as Error).message).toMatch(/damaged.*restore-backup.*decrypt/);
    expect((await readBody(engine, whole.body.id)).toString()).toHaveLength(400_000);
    const [written] = await engine.apply([writeOf(whole.address, 2n)]);
    expect(written?.outcome.type).toBe('stored');
    const [alsoWritten] = await engine.apply([writeOf(broken.address, 2n)]);
    expect(alsoWritten?.outcome.type).toBe('stored');
    await engine[Symbol.asyncDispose]();
  });

  it('can still be backed up, as a copy that says what it is', async () => {
    breakBody();
    const backup = join(directory, 'backup.db');
    const { damage } = await backUp(directory, backup);
    expect(damage).toMatch(/damaged/);
    await expect(
      Promise.resolve().then(() => restoreBackup(backup, join(directory, 'restored'))),
    ).rejects.toThrow(/damaged/);
    const copy = openDatabase(backup, { readOnly: true });
    expect(copy.prepare('SELECT count(*) AS n FROM version').get()).toMatchObject({ n: 2 });
    copy.close();
  });

  it('with a damaged log is refused, saying what to do, also where its last commit is the damaged one', async () => {
    const engine = await SqliteEngine.open({ directory });
    await engine.apply([writeOf(whole.address, 2n)]);
    expect(lostInLog(directory)).toBeNull();
    const copy = join(directory, 'copy');
    mkdirSync(copy);
    for (const name of ['statehouse.db', 'statehouse.db-wal', 'statehouse.db-end'])
      copyFileSync(join(directory, name), join(copy, name));
    await engine[Symbol.asyncDispose]();
    const log = join(copy, 'statehouse.db-wal');
    const bytes = readFileSync(log);
    bytes[bytes.length - 100] = 1 ^ (bytes[bytes.length - 100] ?? 0);
    writeFileSync(log, bytes);
    await expect(SqliteEngine.open({ directory: copy })).rejects.toThrow(
      /log .* is damaged .*restore-backup/,
    );
    // A copy of what can be read says what it lacks, and the log is as it was.
    expect(lostInLog(copy)).toMatch(
      /is damaged after frame \d+: what was stored after that is not in this backup/,
    );
    await backUp(copy, join(directory, 'rest.db'));
    await expect(SqliteEngine.open({ directory: copy })).rejects.toThrow(/is damaged/);
    // A log that was torn by a power cut is shorter than what was noted only where the note is of an earlier use of it.
    writeFileSync(join(copy, 'statehouse.db-end'), Buffer.alloc(16));
    const torn = await SqliteEngine.open({ directory: copy });
    expect((await torn.world(whole.address)).record.head?.serial).toBe(1n);
    await torn[Symbol.asyncDispose]();
  });

  /** Changes the page that a table or an index begins with. */
  function changePageOf(name: string, change: (page: Buffer) => void): void {
    const db = openDatabase(file());
    const { rootpage } = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name) as {
      rootpage: number;
    };
    db.close();
    const bytes = readFileSync(file());
    change(bytes.subarray((rootpage - 1) * PAGE_BYTES, rootpage * PAGE_BYTES));
    writeFileSync(file(), bytes);
  }

  /** Makes it say that nothing is on it. */
  function emptyPageOf(name: string): void {
    changePageOf(name, (page) => page.writeUInt16BE(0, 3));
  }

  /** Makes it say of its first cell that it is where the second is: one is there twice, and one no more. */
  function repeatCellOf(name: string): void {
    changePageOf(name, (page) => page.copyWithin(8, 10, 12));
  }

  it('with a log that goes on behind a damaged commit is refused also where nothing was noted', async () => {
    const engine = await SqliteEngine.open({ directory });
    for (const serial of [2n, 3n, 4n]) await engine.apply([writeOf(whole.address, serial)]);
    const copy = join(directory, 'copy');
    mkdirSync(copy);
    for (const name of ['statehouse.db', 'statehouse.db-wal'])
      copyFileSync(join(directory, name), join(copy, name));
    await engine[Symbol.asyncDispose]();
    const bytes = readFileSync(join(copy, 'statehouse.db-wal'));
    bytes[PAGE_BYTES] = 1 ^ (bytes[PAGE_BYTES] ?? 0);
    writeFileSync(join(copy, 'statehouse.db-wal'), bytes);
    await expect(SqliteEngine.open({ directory: copy })).rejects.toThrow(/log .* is damaged after frame 0/);
  });

  it('with a log behind whose end lie pieces of commits that were killed opens where it ends', async () => {
    const copy = join(directory, 'copy');
    mkdirSync(copy);
    const keep = (name: string): void => copyFileSync(join(directory, name), join(copy, name));
    const engine = await SqliteEngine.open({ directory });
    await engine.apply([writeOf(whole.address, 2n)]);
    keep('statehouse.db-end');
    const end = statSync(join(directory, 'statehouse.db-wal')).size;
    for (const serial of [3n, 4n]) await engine.apply([writeOf(whole.address, serial)]);
    for (const name of ['statehouse.db', 'statehouse.db-wal']) keep(name);
    await engine[Symbol.asyncDispose]();
    const bytes = readFileSync(join(copy, 'statehouse.db-wal'));
    bytes[end + 100] = 1 ^ (bytes[end + 100] ?? 0);
    writeFileSync(join(copy, 'statehouse.db-wal'), bytes);
    const opened = await SqliteEngine.open({ directory: copy });
    expect((await opened.world(whole.address)).record.head?.serial).toBe(2n);
    await opened[Symbol.asyncDispose]();
  });

  it('calls no state absent and no lock free that an index lacks', async () => {
    emptyPageOf('sqlite_autoindex_address_1');
    const engine = await SqliteEngine.open({ directory });
    await expect(engine.world(whole.address)).rejects.toThrow(/damaged.*index of the addresses/);
    await expect(engine.versions(whole.address, { limit: 1 })).rejects.toThrow(/damaged/);
    await expect(engine.version(whole.address, 1)).rejects.toThrow(/damaged/);
    await expect(engine.states({ limit: 10 })).rejects.toThrow(/damaged/);
    await expect(engine.apply([lockOf(whole.address, 'a')])).rejects.toThrow(/damaged/);
    await expect(engine.apply([writeOf(whole.address, 9n)])).rejects.toThrow(/damaged/);
    await engine[Symbol.asyncDispose]();
  });

  it('lists no state away whose row says of itself that it is deleted, and does not prove it', async () => {
    const db = openDatabase(file());
    db.exec(`UPDATE address SET head = NULL WHERE key = 'broken'`);
    db.close();
    const engine = await SqliteEngine.open({ directory });
    await expect(engine.states({ limit: 10 })).rejects.toThrow(EngineFault);
    await engine[Symbol.asyncDispose]();
  });

  it('calls no record absent that the table of records lacks', async () => {
    const engine = await SqliteEngine.open({ directory });
    const entry = { kind: 'freeze', name: 'one', attributes: {} };
    await engine.apply([{ type: 'put-entry', entry, note: null }]);
    await engine[Symbol.asyncDispose]();
    emptyPageOf('entry');
    const damaged = await SqliteEngine.open({ directory });
    await expect(damaged.entry('freeze', 'one')).rejects.toThrow(/damaged/);
    await expect(damaged.entries('freeze')).rejects.toThrow(/damaged/);
    await expect(damaged.apply([{ type: 'put-entry', entry, expects: null, note: null }])).rejects.toThrow(
      /damaged/,
    );
    expect(await damaged.entry('freeze', 'other')).toBeNull();
    await damaged[Symbol.asyncDispose]();
  });

  it('lists none twice in the place of another', async () => {
    const engine = await SqliteEngine.open({ directory });
    const put = (name: string): Parameters<SqliteEngine['apply']>[0][number] => ({
      type: 'put-entry',
      entry: { kind: 'freeze', name, attributes: {} },
      note: null,
    });
    await engine.apply([put('one'), put('two')]);
    await engine[Symbol.asyncDispose]();
    for (const name of ['entry', 'sqlite_autoindex_address_1', 'address_by_name']) repeatCellOf(name);
    const damaged = await SqliteEngine.open({ directory });
    await expect(damaged.entries('freeze')).rejects.toThrow(/damaged/);
    await expect(damaged.states({ limit: 10 })).rejects.toThrow(/damaged/);
    await expect(
      damaged.states({ project: whole.address.project, named: { prefix: '', after: '' }, limit: 10 }),
    ).rejects.toThrow(/damaged/);
    await damaged[Symbol.asyncDispose]();
  });

  it('gives a fault where a row is missing, never "absent" and never a shorter state', async () => {
    const db = openDatabase(file());
    db.exec(`DELETE FROM segment WHERE id % 65536 = 2;
             DELETE FROM version WHERE address_id = (SELECT id FROM address WHERE key = 'broken')`);
    db.close();
    const engine = await SqliteEngine.open({ directory });
    expect(await readBody(engine, whole.body.id)).toBeInstanceOf(EngineFault);
    await expect(engine.world(broken.address)).rejects.toThrow(/version 1 of a state is missing/);
    await expect(engine.apply([lockOf(broken.address, 'a')])).rejects.toThrow(/damaged/);
    const answers = await Promise.allSettled([
      engine.apply([lockOf(broken.address, 'a')]),
      engine.apply([lockOf(addressOf('other'), 'a')]),
      engine.apply([lockOf(whole.address, 'a')]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    await engine.check();
    await engine[Symbol.asyncDispose]();
  });
});
