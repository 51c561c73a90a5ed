import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp, restoreBackup } from '../../src/engines/sqlite/files/backup.ts';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { lockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { addressOf, largeWrite, newDirectory, readBody } from './sqlite-fixture.ts';

describe('a backup', () => {
  let directory: string;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ directory, remove } = await newDirectory());
  });
  afterEach(async () => {
    await remove();
  });

  it('is taken while the house writes, and is one moment of it', async () => {
    const source = join(directory, 'data');
    const engine = await SqliteEngine.open({ directory: source });
    const large = largeWrite('large');
    await engine.apply([large, lockOf(addressOf('large'), 'held')]);
    let serial = 0n;
    const done = new AbortController();
    const writing = (async () => {
      while (!done.signal.aborted) {
        serial += 1n;
        await engine.apply([writeOf(addressOf('busy'), serial), writeOf(addressOf('busy-too'), serial)]);
      }
    })();
    const backup = join(directory, 'backup.db');
    expect(await backUp(source, backup)).toEqual({ damage: null });
    done.abort();
    await writing;
    await engine[Symbol.asyncDispose]();
    expect(statSync(backup).mode & 0o777).toBe(0o600);

    const target = join(directory, 'restored');
    restoreBackup(backup, target);
    const restored = await SqliteEngine.open({ directory: target });
    expect((await restored.world(addressOf('large'))).holders).toMatchObject([{ lockId: 'held' }]);
    expect((await readBody(restored, large.body.id)).toString()).toHaveLength(400_000);
    const busy = await restored.world(addressOf('busy'));
    const busyToo = await restored.world(addressOf('busy-too'));
    expect(busy.record.head?.serial).toBe(busyToo.record.head?.serial);
    const [goesOn] = await restored.apply([writeOf(addressOf('busy'), serial + 1n)]);
    expect(goesOn?.outcome.type).toBe('stored');
    await restored[Symbol.asyncDispose]();
  });

  it('never goes over something that is there', async () => {
    const engine = await SqliteEngine.open({ directory });
    await engine.apply([writeOf(addressOf('a'), 1n)]);
    const backup = join(directory, 'backup.db');
    await backUp(directory, backup);
    await expect(backUp(directory, backup)).rejects.toThrow('is there already');
    expect(() => restoreBackup(backup, directory)).toThrow('has a database already');
    await engine[Symbol.asyncDispose]();
  });

  it('is not mixed with what is left of another database', async () => {
    const engine = await SqliteEngine.open({ directory });
    await engine.apply([writeOf(addressOf('a'), 1n)]);
    const backup = join(directory, 'backup.db');
    await backUp(directory, backup);
    await engine[Symbol.asyncDispose]();
    const target = join(directory, 'new');
    mkdirSync(target);
    writeFileSync(join(target, 'statehouse.db-wal'), 'changes to another database');
    expect(() => restoreBackup(backup, target)).toThrow('left over from another database');
    expect(existsSync(join(target, 'statehouse.db'))).toBe(false);
  });

  it('of nothing, or from something that is none, is refused', async () => {
    const backup = join(directory, 'backup.db');
    await expect(backUp(directory, backup)).rejects.toThrow('there is no database');
    expect(existsSync(backup)).toBe(false);
    expect(() => restoreBackup(backup, join(directory, 'new'))).toThrow('there is no file');
    writeFileSync(backup, 'no database'.repeat(5_000));
    expect(() => restoreBackup(backup, join(directory, 'new'))).toThrow();
    expect(existsSync(join(directory, 'new', 'statehouse.db'))).toBe(false);
  });
});
