import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { AuditQuery, Command } from '../../src/ports/engine.ts';
import { AuditLog } from '../../src/engines/sqlite/audit.ts';
import { verifyLog } from '../../src/engines/sqlite/audit-chain.ts';
import { openForWriting } from '../../src/engines/sqlite/connection.ts';
import type { Database } from '../../src/engines/sqlite/files/driver.ts';
import { migrate } from '../../src/engines/sqlite/migrate.ts';
import { Writer } from '../../src/engines/sqlite/writer/writer.ts';
import { RowKeys } from '../../src/engines/row-keys.ts';
import { addressOf, newDirectory } from './sqlite-fixture.ts';

const BUSY = addressOf('busy');
/** In every 300th record alone: between two of them is a stretch of the log without one. */
const RARE = addressOf('rare');
const RECORDS = 2_000;

describe('what the audit log says of an address', () => {
  let db: Database;
  let writer: Writer;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    const made = await newDirectory();
    remove = made.remove;
    db = openForWriting(join(made.directory, 'x.db'));
    migrate(db);
    writer = new Writer(db);
    run(...Array.from({ length: RECORDS }, (_, index) => noted(index)));
  });
  afterEach(async () => {
    db.close();
    await remove();
  });

  function run(...commands: Command[]): void {
    writer.run([{ id: 1, at: 1, commands }]);
  }

  /** The numbers of the records, as they are found of an address, and as the whole log has them. */
  async function found(address: Address, query: AuditQuery): Promise<readonly [number[], number[]]> {
    const log = new AuditLog(db);
    const of = await log.read({ ...query, address });
    const all = await log.read({ ...query, limit: RECORDS });
    const own = all.filter((record) => record.address?.key === address.key);
    return [of.map(({ id }) => id), own.slice(0, query.limit).map(({ id }) => id)];
  }

  it.each<[string, AuditQuery]>([
    ['all of it', { limit: RECORDS }],
    ['the newest', { limit: 3 }],
    ['what was before a record', { before: 1_025, limit: RECORDS }],
    ['what was before one in the middle of a stretch', { before: 900, limit: 4 }],
    ['what was before the first record', { before: 1, limit: 9 }],
    ['what happened lately', { since: 1_800, limit: RECORDS }],
    ['what happened in a time', { since: 400, until: 1_200, limit: RECORDS }],
    ['what was done and is rare', { action: 'compared-rare', limit: RECORDS }],
  ])('is, by whatever is asked, what the whole log says: %s', async (_, query) => {
    for (const address of [BUSY, RARE, addressOf('none')]) {
      const [of, expected] = await found(address, query);
      expect(of).toEqual(expected);
    }
  });

  it('is the same once the oldest records were forgotten, and nothing is left of those', async () => {
    run({ type: 'prune-audit', before: 1e9, limit: 700, note: null });
    run({ type: 'prune-audit', before: 1e9, limit: 1_000, note: null });
    for (const address of [BUSY, RARE]) {
      const [of, expected] = await found(address, { limit: RECORDS });
      expect(of).toEqual(expected);
    }
    const stretches = db.prepare('SELECT min(stretch) AS first FROM audit_stretch').get();
    expect(stretches).toEqual({ first: Math.floor(1_701 / 256) });
    expect(verifyLog(db, new RowKeys(), []).pruned).toBe(1_700);
  });

  it('cannot be hidden from who looks at the whole log', () => {
    expect(verifyLog(db, new RowKeys(), []).records).toBe(RECORDS);
    db.exec('DELETE FROM audit_stretch WHERE stretch = 3');
    expect(() => verifyLog(db, new RowKeys(), [])).toThrow(/list of what the audit log has of addresses/);
  });
});

/** A record of the time of its number. */
function noted(index: number): Command {
  const isRare = index % 300 === 299;
  const note = {
    action: isRare ? 'compared-rare' : 'compared',
    subject: 'token:a',
    door: 'http',
    detail: {},
  };
  return { type: 'audit', address: isRare ? RARE : BUSY, at: index + 1, note };
}
