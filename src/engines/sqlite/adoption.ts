import type { Address } from '../../core/address.ts';
import { UnauthenticatedRows, type OpenRowKey, type RowKey } from '../../ports/row-key.ts';
import { NO_ROW_KEY, ownerOf, RowKeys } from '../row-keys.ts';
import { versionRanges } from '../version-numbers.ts';
import { insert, NO_BYTES, type AuthenticatedTable } from './columns.ts';
import { adoptLog, verifyEnd } from './audit-chain.ts';
import { openForWriting } from './connection.ts';
import type { Database, SqlValue } from './files/driver.ts';
import { HouseRow, sealedRowKey } from './credentials.ts';
import { reading } from './faults.ts';
import { migrate } from './migrate.ts';
import {
  ADDRESS,
  CREDENTIAL,
  digestOfHolders,
  ENTRY,
  HOLDER,
  HOUSE,
  QUEUE_ENTRY,
  RECORD,
  RELEASE,
  sealFacts,
  VERSION,
} from './rows.ts';
import { UsageRows } from './usage.ts';

/**
 * Brings the schema up to this program's, and finds the key of the rows, or keeps a new one where there are none.
 * @throws {UnauthenticatedRows} when there are rows without a key, and they may not be adopted
 */
export function prepareDatabase(path: string, openRowKey: OpenRowKey = NO_ROW_KEY): Uint8Array {
  const db = reading(() => openForWriting(path));
  try {
    const found = reading(() => {
      migrate(db);
      return { sealed: sealedRowKey(db), used: isUsed(db) };
    });
    const key = openRowKey(found);
    if (found.sealed !== null) {
      reading(() => {
        verifyEnd(db, new RowKeys(key.bytes));
        countUsage(db, new RowKeys(key.bytes));
      });
      return key.bytes;
    }
    if (found.used && !key.adopts) throw new UnauthenticatedRows();
    reading(() => adoptRows(db, key));
    return key.bytes;
  } finally {
    db.close();
  }
}

/** Counts what projects keep, where a program has been at the database that did not count it. */
function countUsage(db: Database, keys: RowKeys): void {
  const usage = new UsageRows(db, keys);
  if (usage.isComplete) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    usage.countAll(db);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function isUsed(db: Database): boolean {
  return ['credential', 'address', 'entry', 'audit'].some(
    (table) => db.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get() !== undefined,
  );
}

/** Keeps the key of the rows, and authenticates every row that is there as it is, all in one transaction. */
function adoptRows(db: Database, { bytes, sealed }: RowKey): void {
  const keys = new RowKeys(bytes);
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare(insert('house', 'sealed_key, credentials, mac')).run(sealed, NO_BYTES, NO_BYTES);
    for (const row of db.prepare(`SELECT id, ${ADDRESS.list} FROM address`).all()) {
      adoptAddress(db, keys, ADDRESS.read(row), (row as { id: number }).id);
    }
    adopt(db, keys, CREDENTIAL, { table: 'credential', owner: HOUSE, id: ['id'] });
    adopt(db, keys, ENTRY, { table: 'entry', owner: HOUSE, id: ['kind', 'name'] });
    new HouseRow(db, keys).adoptCredentials();
    adoptLog(db, keys);
    new UsageRows(db, keys).countAll(db);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function adoptAddress(db: Database, keys: RowKeys, address: Address, id: number): void {
  const owner = ownerOf(address);
  const among = { owner, addressId: id };
  adopt(db, keys, QUEUE_ENTRY, { table: 'place', id: ['waiter'], ...among });
  adopt(db, keys, RELEASE, { table: 'release', id: ['lock_id'], ...among });
  const holders = adopt(db, keys, HOLDER, { table: 'holder', id: ['lock_id'], ...among });
  const versions = db
    .prepare(`SELECT ${VERSION.list}, unsealed FROM version WHERE address_id = ? ORDER BY number`)
    .all(id);
  const keep = db.prepare(
    `UPDATE version SET ${VERSION.assignments}, unsealed = NULL WHERE address_id = ? AND number = ?`,
  );
  for (const row of versions) {
    const version = VERSION.unverified(row);
    const plain = Buffer.from((row as { unsealed: string }).unsealed);
    const facts = sealFacts(keys, owner, version.number, plain);
    keep.run(...VERSION.values(keys, owner, { ...version, facts }), id, version.number);
  }
  const record = RECORD.unverified(db.prepare(`SELECT ${RECORD.list} FROM address WHERE id = ?`).get(id));
  const byFence = holders.toSorted((a, b) => a.fence - b.fence);
  db.prepare(`UPDATE address SET ${RECORD.assignments} WHERE id = ?`).run(
    ...RECORD.values(keys, owner, {
      ...record,
      kept: versionRanges(versions.map((row) => (row as { number: number }).number)),
      holders: digestOfHolders(keys, byFence),
    }),
    id,
  );
}

interface Among {
  readonly table: string;
  readonly owner: string;
  /** The columns that tell a row apart from the owner's others. */
  readonly id: readonly string[];
  /** Only the rows of this address. */
  readonly addressId?: number;
}

/** Authenticates rows as they are. */
function adopt<T extends object>(
  db: Database,
  keys: RowKeys,
  table: AuthenticatedTable<T>,
  { table: name, owner, id, addressId }: Among,
): T[] {
  const columns = addressId === undefined ? id : ['address_id', ...id];
  const bound: SqlValue[] = addressId === undefined ? [] : [addressId];
  const where = addressId === undefined ? '' : 'WHERE address_id = ?';
  const put = db.prepare(
    `UPDATE ${name} SET ${table.assignments} WHERE ${columns.map((column) => `${column} = ?`).join(' AND ')}`,
  );
  return db
    .prepare(`SELECT ${table.list} FROM ${name} ${where}`)
    .all(...bound)
    .map((row) => {
      const value = table.unverified(row);
      const values = table.values(keys, owner, value);
      const of = columns.map((column) =>
        column === 'address_id' ? (addressId ?? null) : ((row as Record<string, SqlValue>)[column] ?? null),
      );
      put.run(...values, ...of);
      return value;
    });
}
