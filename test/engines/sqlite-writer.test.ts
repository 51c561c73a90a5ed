import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '../../src/ports/engine.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import { openForWriting } from '../../src/engines/sqlite/connection.ts';
import type { Database } from '../../src/engines/sqlite/files/driver.ts';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { migrate } from '../../src/engines/sqlite/migrate.ts';
import { Writer } from '../../src/engines/sqlite/writer/writer.ts';
import { ALICE, bodyOf, deleteOf, lockOf, unlockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { addressOf, newDirectory } from './sqlite-fixture.ts';

describe('the writer', () => {
  let db: Database;
  let writer: Writer;
  let path: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    const made = await newDirectory();
    remove = made.remove;
    path = join(made.directory, 'x.db');
    db = openForWriting(path);
    migrate(db);
    writer = new Writer(db);
  });
  afterEach(async () => {
    db.close();
    await remove();
  });

  function run(...commands: Command[]): string[] {
    const [done] = writer.run([{ id: 1, at: 1_000, commands }]);
    return (done?.replies ?? []).map((reply) => ('fault' in reply ? 'fault' : reply.outcome.type));
  }

  it('takes none of the others along when one command fails halfway', () => {
    const taken = bodyOf();
    expect(run(writeOf(addressOf('a'), 1n, { body: taken }))).toEqual(['stored']);
    // Its version and its record are stored before its body turns out to be there already.
    const failing = writeOf(addressOf('b'), 1n, { body: taken });
    const outcomes = run(
      lockOf(addressOf('c'), 'c1'),
      failing,
      writeOf(addressOf('b'), 1n),
      lockOf(addressOf('c'), 'c2'),
    );
    expect(outcomes).toEqual(['granted', 'fault', 'stored', 'held']);
    expect(run(unlockOf(addressOf('c'), 'c1'), writeOf(addressOf('b'), 1n))).toEqual(['released', 'stored']);
    const versions = db
      .prepare("SELECT number FROM version JOIN address ON id = address_id WHERE key = 'b'")
      .all();
    expect(versions).toMatchObject([{ number: 1 }]);
  });

  it('refuses, as busy, while another has the database, and goes on afterwards', async () => {
    db.exec('PRAGMA busy_timeout = 10');
    const other = openForWriting(path);
    other.exec('BEGIN IMMEDIATE');
    const [done] = writer.run([{ id: 7, at: 1_000, commands: [lockOf(addressOf('a'), 'a')] }]);
    expect(done).toMatchObject({ id: 7, replies: [{ busy: true }] });
    other.exec('ROLLBACK');
    other.close();
    expect(run(lockOf(addressOf('a'), 'a'))).toEqual(['granted']);
  });

  it('stops for good when the disk is full, and keeps nothing of that transaction', () => {
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
    expect(run(writeOf(addressOf('kept'), 1n))).toEqual(['stored']);
    db.exec(`PRAGMA max_page_count = ${pages + 3}`);
    const large = bodyOf([new Uint8Array(500_000)]);
    const failure = (): unknown => {
      try {
        return run(writeOf(addressOf('small'), 1n), writeOf(addressOf('large'), 1n, { body: large }));
      } catch (error) {
        return error;
      }
    };
    const error = failure();
    expect(error).toBeInstanceOf(EngineFault);
    expect((error as EngineFault).fatal).toBe(true);
    expect((error as Error).message).toContain('full');
    expect(db.prepare('SELECT count(*) AS n FROM version').get()).toMatchObject({ n: 1 });
  });

  it('says which migration failed, also where SQLite has rolled it back by itself', () => {
    const empty = openForWriting(`${path}-empty`);
    const failing: Database = {
      exec: (sql) => {
        const commits = sql.includes('COMMIT');
        empty.exec(commits ? 'ROLLBACK' : sql);
        if (commits) throw new Error('disk I/O error');
      },
      prepare: (sql) => empty.prepare(sql),
      function: () => undefined,
      close: () => undefined,
    };
    expect(() => migrate(failing)).toThrow('the migration 0001-initial.sql failed');
    migrate(empty);
    empty.close();
  });

  it('leaves nothing behind of bodies that go', () => {
    const address = addressOf('gone');
    const segments = [new Uint8Array(20_000), new Uint8Array(5)];
    run(writeOf(address, 1n, { body: bodyOf(segments) }), writeOf(address, 2n, { body: bodyOf(segments) }));
    const entry = { kind: 'piece', name: '1', attributes: {} };
    const body = bodyOf(segments);
    run({ type: 'put-entry', entry: { ...entry, bodyId: body.id }, body, note: null });
    const count = (): unknown => db.prepare('SELECT count(*) AS n FROM segment').get();
    expect(count()).toMatchObject({ n: 6 });
    run({ type: 'prune', address, actor: ALICE, versions: [{ number: 1, at: 0 }] });
    expect(count()).toMatchObject({ n: 4 });
    run(deleteOf(address), { type: 'purge', address, actor: ALICE });
    run({ type: 'drop-entry', kind: 'piece', name: '1', note: null });
    expect(count()).toMatchObject({ n: 0 });
    expect(db.prepare('SELECT count(*) AS n FROM body').get()).toMatchObject({ n: 0 });
  });
});

describe('the engine', () => {
  it('lets time stand still rather than go backwards', async () => {
    const { directory, remove } = await newDirectory();
    const times = [5_000, 3_000, 6_000];
    const clock = { now: () => times[0] ?? 0 };
    const engine = await SqliteEngine.open({ directory, clock });
    const seen: number[] = [];
    while (times.length > 0) {
      const [result] = await engine.apply([lockOf(addressOf(`${times.length}`), 'a')]);
      if (result?.outcome.type === 'granted') seen.push(result.outcome.holder.since);
      expect(await engine.now()).toBe(seen.at(-1));
      times.shift();
    }
    expect(seen).toEqual([5_000, 5_000, 6_000]);
    await engine[Symbol.asyncDispose]();
    await remove();
  });

  it('refuses, as busy, what is more than it can let wait, and goes on afterwards', async () => {
    const { directory, remove } = await newDirectory();
    const engine = await SqliteEngine.open({ directory, clock: new ManualClock() });
    const note = { action: 'x', subject: 'y', door: 'z', detail: {} };
    const many = Array.from({ length: 20_000 }, () => ({ type: 'audit', address: null, note }) as const);
    const answers = await Promise.allSettled([engine.apply(many), engine.apply(many), engine.apply(many)]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    const [, refused] = answers;
    expect((refused as PromiseRejectedResult).reason).toMatchObject({ fatal: false, busy: true });
    await engine.check();
    // More than is looked through at a time.
    await engine.apply([{ type: 'audit', address: null, note: { ...note, action: 'last' } }]);
    const found = await engine.audit({ action: 'x', limit: 15_000 });
    expect(found).toHaveLength(15_000);
    expect(await engine.audit({ action: 'x', before: 3, limit: 9 })).toHaveLength(2);
    expect(await engine.audit({ action: 'none', limit: 9 })).toEqual([]);
    await engine[Symbol.asyncDispose]();
    await remove();
  });

  it('refuses everything once it is closed, and closes once', async () => {
    const { directory, remove } = await newDirectory();
    const engine = await SqliteEngine.open({ directory });
    const last = engine.apply([lockOf(addressOf('a'), 'a')]);
    await Promise.all([engine[Symbol.asyncDispose](), engine[Symbol.asyncDispose]()]);
    expect((await last)[0]?.outcome.type).toBe('granted');
    await expect(engine.apply([lockOf(addressOf('a'), 'a')])).rejects.toThrow('closed');
    await expect(engine.world(addressOf('a'))).rejects.toBeInstanceOf(EngineFault);
    await remove();
  });

  it('takes a large segment over, and says so when it is given again', async () => {
    const { directory, remove } = await newDirectory();
    const engine = await SqliteEngine.open({ directory });
    const command = writeOf(addressOf('a'), 1n, { body: bodyOf([new Uint8Array(100_000).fill(7)]) });
    await engine.apply([command]);
    await expect(engine.apply([{ ...command, serial: 2n }])).rejects.toThrow('only once');
    const stored = await engine.body(command.body.id);
    for await (const segment of stored?.segments() ?? []) expect(segment).toHaveLength(100_000);
    await engine[Symbol.asyncDispose]();
    await remove();
  });
});
