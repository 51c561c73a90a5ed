import { changedElsewhere, digestOf, sameBytes, type RowKeys } from '../row-keys.ts';
import { AuthenticatedTable, bytes } from './columns.ts';
import type { Database, Statement } from './files/driver.ts';
import { HOUSE } from './rows.ts';

/** The one row that stands for the house: for its credentials, and with the key of all rows beside it. */
interface StoredHouse {
  /** The digest of the rows of all credentials. */
  readonly credentials: Uint8Array;
}

const HOUSE_ROW: AuthenticatedTable<StoredHouse> = new AuthenticatedTable('list of credentials', {
  credentials: bytes('credentials'),
});

/** The key of the rows, sealed; null where nothing here was authenticated yet. */
export function sealedRowKey(db: Database): Uint8Array | null {
  const row = db.prepare('SELECT sealed_key FROM house').get() as { sealed_key: Uint8Array } | undefined;
  return row?.sealed_key ?? null;
}

/** Reads and writes the row of the house. */
export class HouseRow {
  readonly #keys: RowKeys;
  readonly #row: Statement;
  readonly #macs: Statement;
  readonly #put: Statement;
  readonly #resealKey: Statement;
  #isChanging = false;

  constructor(db: Database, keys: RowKeys) {
    this.#keys = keys;
    this.#row = db.prepare(`SELECT ${HOUSE_ROW.list} FROM house`);
    this.#macs = db.prepare('SELECT mac FROM credential ORDER BY id');
    this.#put = db.prepare(`UPDATE house SET ${HOUSE_ROW.assignments}`);
    this.#resealKey = db.prepare('UPDATE house SET sealed_key = ?');
  }

  /**
   * Credentials are about to be changed in this transaction.
   * @throws {EngineFault} where they are not those that the row stands for: what else has written is not to become right by it
   */
  changeCredentials(): void {
    if (this.#isChanging) return;
    this.verifyCredentials();
    this.#isChanging = true;
  }

  /** Writes down which credentials there are, once for all changes of a transaction: to look at all of them is slow. */
  store(): void {
    if (!this.#isChanging) return;
    this.adoptCredentials();
    this.#isChanging = false;
  }

  /** What was changed in this transaction has been rolled back. */
  goBack(): void {
    this.#isChanging = false;
  }

  /** Takes the credentials as they are. */
  adoptCredentials(): void {
    this.#put.run(...HOUSE_ROW.values(this.#keys, HOUSE, { credentials: this.#digest() }));
  }

  /** @throws {EngineFault} where a credential was taken away, added or put back by something else than this server */
  verifyCredentials(): void {
    const row = this.#row.get();
    if (row !== undefined && sameBytes(HOUSE_ROW.read(this.#keys, HOUSE, row).credentials, this.#digest()))
      return;
    throw changedElsewhere('list of credentials', HOUSE);
  }

  resealKey(sealed: Uint8Array): void {
    this.#resealKey.run(sealed);
  }

  #digest(): Uint8Array {
    const rows = this.#macs.all() as { mac: Uint8Array }[];
    return digestOf(rows.map(({ mac }) => mac));
  }
}
