import { setImmediate } from 'node:timers/promises';
import type { Instant } from '../../core/instant.ts';
import {
  type AuditQuery,
  type AuditRecord,
  type ChangeRecord,
  type Changes,
  LOOK_ACTIONS,
} from '../../ports/engine.ts';
import type { Database, SqlValue, Statement } from './files/driver.ts';
import { reading } from './faults.ts';
import { ADDRESS, AUDIT_NOTE, toAuditRecord, whole } from './rows.ts';

/** So many records are looked through at a time, within some milliseconds; then others have their turn. */
const STRETCH = 10_000;

/**
 * Reads the audit log. What happened at an address is found by an index; for who and what the log is looked through from
 * its end, because an index for each would make every commit longer.
 */
export class AuditLog {
  readonly #addressId: Statement;
  readonly #newest: Statement;
  readonly #oldest: Statement;
  readonly #at: Statement;
  readonly #ofAddress: Statement;
  readonly #stretch: Statement;
  readonly #changes: Statement;

  constructor(db: Database) {
    this.#addressId = db.prepare('SELECT id FROM address WHERE project = ? AND key = ? AND workspace = ?');
    this.#newest = db.prepare('SELECT max(id) AS id FROM audit');
    this.#oldest = db.prepare('SELECT min(id) AS id FROM audit');
    this.#at = db.prepare('SELECT at FROM audit WHERE id = ?');
    this.#ofAddress = db.prepare(select('address_id = ? AND audit.id < ?'));
    this.#stretch = db.prepare(select('audit.id >= ? AND audit.id < ?'));
    const placeholders = LOOK_ACTIONS.map(() => '?').join(', ');
    this.#changes = db.prepare(
      `SELECT ${COLUMNS} FROM audit JOIN address ON address.id = address_id ` +
        `WHERE audit.id > ? AND audit.id <= ? AND refused IS NULL AND action NOT IN (${placeholders}) ORDER BY audit.id LIMIT ?`,
    );
  }

  async read(query: AuditQuery): Promise<AuditRecord[]> {
    const { address, action = null, subject = null, refused = false, before = Infinity, limit } = query;
    const { since = 0, until = Infinity } = query;
    const filter: SqlValue[] = [since, whole(until), action, action, subject, subject, Number(refused)];
    if (address !== undefined) {
      const id = reading(() => this.#addressId.get(address.project, address.key, address.workspace));
      if (id === undefined) return [];
      return this.#all(this.#ofAddress, (id as { id: number }).id, whole(before), ...filter, whole(limit));
    }
    const found: AuditRecord[] = [];
    let to = Math.min(before, this.#end());
    const pruned = this.#pruned();
    while (to > pruned && found.length < limit && this.#madeAt(to - 1) >= since) {
      const from = to - STRETCH;
      found.push(...this.#all(this.#stretch, from, to, ...filter, whole(limit - found.length)));
      to = from;
      if (to > pruned && found.length < limit) await setImmediate();
    }
    return found;
  }

  /** One thread writes, so that ids are given in the order of the commits. */
  async changes(after: number | null, limit: number): Promise<Changes> {
    const end = Math.max(this.#end() - 1, after ?? 0);
    const records: ChangeRecord[] = [];
    for (let from = Math.max(after ?? end, this.#pruned()); from < end && records.length < limit;) {
      const to = Math.min(from + STRETCH, end);
      const rows = this.#all(this.#changes, from, to, ...LOOK_ACTIONS, whole(limit - records.length));
      records.push(
        ...rows.flatMap((row) => (row.address === null ? [] : [{ ...row, address: row.address }])),
      );
      from = to;
      if (from < end && records.length < limit) await setImmediate();
    }
    const position = records.length < limit ? end : (records.at(-1)?.id ?? end);
    // Asked last: what is forgotten while the records are read is not told.
    return { records, position, ...((after ?? end) < this.#pruned() ? { pruned: true } : {}) };
  }

  /** When a record was made: none before it is younger. */
  #madeAt(id: number): Instant {
    const row = reading(() => this.#at.get(id)) as { at: Instant } | undefined;
    return row?.at ?? Infinity;
  }

  /** The number of the last record that was forgotten; they are numbered without gaps. */
  #pruned(): number {
    const { id } = reading(() => this.#oldest.get()) as { id: number | null };
    return (id ?? 1) - 1;
  }

  #end(): number {
    const newest = reading(() => this.#newest.get()) as { id: number | null };
    return (newest.id ?? 0) + 1;
  }

  #all(statement: Statement, ...values: SqlValue[]): AuditRecord[] {
    return reading(() => statement.all(...values).map(toAuditRecord));
  }
}

const COLUMNS = `audit.id, at, address_id, ${AUDIT_NOTE.list}, ${ADDRESS.list}`;

function select(condition: string): string {
  return (
    `SELECT ${COLUMNS} FROM audit LEFT JOIN address ON address.id = address_id WHERE ${condition} ` +
    'AND at >= ? AND at < ? AND (? IS NULL OR action = ?) AND (? IS NULL OR subject = ?) AND (? = 0 OR refused IS NOT NULL) ORDER BY audit.id DESC LIMIT ?'
  );
}
