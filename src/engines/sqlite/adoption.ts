import type { Address } from '../../core/address.ts';
import { EngineFault } from '../../ports/engine.ts';
import { UnauthenticatedRows, type OpenRowKey, type RowKey } from '../../ports/row-key.ts';
import { changedElsewhere, NO_ROW_KEY, ownerOf, RowKeys } from '../row-keys.ts';
import { versionRanges } from '../version-numbers.ts';
import { sealFacts } from '../version-facts.ts';
import { insert, NO_BYTES, type AuthenticatedTable } from './columns.ts';
import { adoptLog } from './audit-adoption.ts';
import { verifyEnd } from './audit-chain.ts';
import { openForWriting } from './connection.ts';
import { DataDirectory, hasDatabase } from './files/data-directory.ts';
import type { Database, SqlValue } from './files/driver.ts';
import { readLogEnd } from './files/log-end.ts';
import { verifyLogFile } from './files/log-file.ts';
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
  toVersion,
  VERSION,
  versionValues,
} from './rows.ts';
import { UsageRows } from './usage.ts';
import { WorldLoader } from './world.ts';

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

/**
 * Gives the rows of a database another key: each is verified under the former one and authenticated under the new one, all in
 * one transaction, so that a process that is killed leaves all as it was.
 * @throws {EngineFault} where a row is not what a server with the former key has written, or a server has the directory
 */
export function changeRowKey(
  path: string,
  open: (sealed: Uint8Array) => { readonly former: RowKeys; readonly key: RowKey },
): void {
  if (!hasDatabase(path)) throw new EngineFault(`there is no database in ${path}`);
  const directory = DataDirectory.take(path, { needsDatabase: true });
  try {
    const { databasePath } = directory;
    reading(() => verifyLogFile(databasePath, readLogEnd(databasePath)));
    changeKeyIn(databasePath, open);
  } finally {
    directory[Symbol.dispose]();
  }
}

function changeKeyIn(path: string, open: Parameters<typeof changeRowKey>[1]): void {
  const db = reading(() => openForWriting(path));
  try {
    const sealed = reading(() => {
      migrate(db);
      return sealedRowKey(db);
    });
    if (sealed === null) throw new UnauthenticatedRows();
    const { former, key } = open(sealed);
    reading(() => adoptRows(db, key, former));
  } finally {
    db.close();
  }
}

/** Keeps the key of the rows, and authenticates every row that is there, all in one transaction. */
function adoptRows(db: Database, { bytes, sealed }: RowKey, former: RowKeys | null = null): void {
  const keys = new RowKeys(bytes);
  const from = { db, keys, former, worlds: former === null ? null : new WorldLoader(db, former) };
  db.exec('BEGIN IMMEDIATE');
  try {
    if (former !== null) {
      new HouseRow(db, former).verifyCredentials();
      db.exec('DELETE FROM house; DELETE FROM usage');
    }
    db.prepare(insert('house', 'sealed_key, credentials, mac')).run(sealed, NO_BYTES, NO_BYTES);
    // Before the records of addresses, which it is held against.
    adoptLog(db, keys, former);
    for (const row of db.prepare(`SELECT id, ${ADDRESS.list} FROM address`).all()) {
      adoptAddress(from, ADDRESS.read(row), (row as { id: number }).id);
    }
    adopt(from, CREDENTIAL, { table: 'credential', owner: HOUSE, id: ['id'] });
    adopt(from, ENTRY, { table: 'entry', owner: HOUSE, id: ['kind', 'name'] });
    new HouseRow(db, keys).adoptCredentials();
    new UsageRows(db, keys).countAll(db);
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** Rows that are to be authenticated. */
interface Adopted {
  readonly db: Database;
  readonly keys: RowKeys;
  /** The key that they are authenticated with; null to take them as they are. */
  readonly former: RowKeys | null;
  /** Holds what belongs to an address together, under the former key. */
  readonly worlds: WorldLoader | null;
}

function adoptAddress(from: Adopted, address: Address, id: number): void {
  const { db, keys, former, worlds } = from;
  const owner = ownerOf(address);
  const among = { owner, addressId: id };
  worlds?.load(address);
  adopt(from, QUEUE_ENTRY, { table: 'place', id: ['waiter'], ...among });
  adopt(from, RELEASE, { table: 'release', id: ['lock_id'], ...among });
  const holders = adopt(from, HOLDER, { table: 'holder', id: ['lock_id'], ...among });
  const versions = db
    .prepare(`SELECT ${VERSION.list}, unsealed FROM version WHERE address_id = ? ORDER BY number`)
    .all(id);
  const keep = db.prepare(
    `UPDATE version SET ${VERSION.assignments}, unsealed = NULL WHERE address_id = ? AND number = ?`,
  );
  for (const row of versions) {
    const { number } = row as { number: number };
    keep.run(...adoptedVersion(from, owner, row), id, number);
  }
  const stored = db.prepare(`SELECT ${RECORD.list} FROM address WHERE id = ?`).get(id);
  const record = former === null ? RECORD.unverified(stored) : RECORD.read(former, owner, stored);
  const kept = versionRanges(versions.map((row) => (row as { number: number }).number));
  if (former !== null && record.kept !== kept) throw changedElsewhere('list of versions', owner);
  const byFence = holders.toSorted((a, b) => a.fence - b.fence);
  db.prepare(`UPDATE address SET ${RECORD.assignments} WHERE id = ?`).run(
    ...RECORD.values(keys, owner, {
      ...record,
      kept,
      holders: digestOfHolders(keys, byFence),
    }),
    id,
  );
}

/** The values of a version, with its facts sealed under the key of now. */
function adoptedVersion({ keys, former }: Adopted, owner: string, row: unknown): SqlValue[] {
  if (former !== null) return versionValues(keys, owner, toVersion(former, owner, row));
  const version = VERSION.unverified(row);
  const plain = Buffer.from((row as { unsealed: string }).unsealed);
  const facts = sealFacts(keys, owner, version.number, plain);
  return VERSION.values(keys, owner, { ...version, facts });
}

interface Among {
  readonly table: string;
  readonly owner: string;
  /** The columns that tell a row apart from the owner's others. */
  readonly id: readonly string[];
  /** Only the rows of this address. */
  readonly addressId?: number;
}

/** Authenticates rows. */
function adopt<T extends object>(
  { db, keys, former }: Adopted,
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
      const value = former === null ? table.unverified(row) : table.read(former, owner, row);
      const values = table.values(keys, owner, value);
      const of = columns.map((column) =>
        column === 'address_id' ? (addressId ?? null) : ((row as Record<string, SqlValue>)[column] ?? null),
      );
      put.run(...values, ...of);
      return value;
    });
}
