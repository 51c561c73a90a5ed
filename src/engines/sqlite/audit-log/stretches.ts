import type { Database, Statement } from '../files/driver.ts';

/** Records of a stretch: those whose numbers, divided by this, are the number of the stretch. Migration 14 has it, too. */
const RECORDS = 256;
/** Stretches of an address that are looked up at a time. */
const STRETCHES = 16;
const END = `(stretch + 1) * ${RECORDS}`;

/** Records from a number on, up to but not including another. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Notes which stretches of the audit log have records of an address, inside the writer's transaction. */
export class StretchNotes {
  readonly #note: Statement;
  readonly #forget: Statement;

  constructor(db: Database) {
    this.#note = db.prepare(
      'INSERT OR IGNORE INTO audit_stretch (address_id, stretch) ' +
        `SELECT DISTINCT address_id, ? FROM audit WHERE id > ? - ${RECORDS} AND id <= ? AND address_id IS NOT NULL`,
    );
    this.#forget = db.prepare(
      'DELETE FROM audit_stretch WHERE (address_id, stretch) IN ' +
        `(SELECT DISTINCT address_id, id / ${RECORDS} FROM audit WHERE id <= ?1 AND address_id IS NOT NULL) AND NOT EXISTS ` +
        `(SELECT 1 FROM audit WHERE id > ?1 AND id < ${END} AND audit.address_id = audit_stretch.address_id)`,
    );
  }

  /** After each record, in the order of their numbers. */
  written(id: number): void {
    if ((id + 1) % RECORDS === 0) this.#note.run(Math.floor(id / RECORDS), id, id);
  }

  /** Before the records up to a number are forgotten. */
  forget(upTo: number): void {
    this.#forget.run(upTo);
  }
}

/** Finds the stretches of the audit log in which an address has records. */
export class StretchReader {
  readonly #noted: Statement;

  constructor(db: Database) {
    this.#noted = db.prepare(
      'SELECT stretch FROM audit_stretch WHERE address_id = ? AND stretch < ? ORDER BY stretch DESC ' +
        `LIMIT ${STRETCHES}`,
    );
  }

  /** The last records, whose stretch is not full and not noted. @param end the number that the next record will have */
  open(end: number): Stretch {
    return { from: Math.floor(end / RECORDS) * RECORDS, to: end };
  }

  /** Some stretches that end at a number or before it, the newest first. @param to where a stretch ends, or within one */
  before(addressId: number, to: number): readonly Stretch[] {
    const rows = this.#noted.all(addressId, Math.ceil(to / RECORDS)) as { readonly stretch: number }[];
    return rows.map(({ stretch }) => ({
      from: stretch * RECORDS,
      to: Math.min(to, (stretch + 1) * RECORDS),
    }));
  }
}

/** Whether each full stretch is noted for every address that has records in it. */
export function isEachNoted(db: Database): boolean {
  const unnoted =
    `SELECT 1 FROM audit WHERE address_id IS NOT NULL AND id / ${RECORDS} < (SELECT (max(id) + 1) / ${RECORDS} FROM audit) ` +
    `AND NOT EXISTS (SELECT 1 FROM audit_stretch AS noted WHERE noted.address_id = audit.address_id AND stretch = audit.id / ${RECORDS}) LIMIT 1`;
  return db.prepare(unnoted).get() === undefined;
}
