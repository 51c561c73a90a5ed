import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp, restoreBackup } from '../../src/engines/sqlite/files/backup.ts';
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
