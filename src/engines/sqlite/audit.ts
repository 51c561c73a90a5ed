import type { Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import {
  type AuditFilter,
  type AuditQuery,
  type AuditRecord,
  type AuditStretch,
  type Changes,
  LOOK_ACTIONS,
} from '../../ports/engine.ts';
import { StretchReader, type Stretch } from './audit-log/stretches.ts';
import type { Database, SqlValue, Statement } from './files/driver.ts';
import { reading } from './faults.ts';
import { Pieces } from './reads/pieces.ts';
import { ADDRESS, AUDIT_NOTE, toAuditRecord, whole } from './rows.ts';

/** So many records are looked through at a time, within some milliseconds; then others have their turn. */
const STRETCH = 10_000;

/**
 * Reads the audit log. For what happened at an address those stretches are looked through that have records of it; for who and
 * what the whole log is, from its end, because an index for each would make every commit longer.
 */
export class AuditLog {
  readonly #addressId: Statement;
  readonly #newest: Statement;
  readonly #oldest: Statement;
  readonly #at: Statement;
  readonly #stretches: StretchReader;
  readonly #ofAddress: Statement;
  readonly #stretch: Statement;
  readonly #stretchUp: Statement;
  readonly #changes: Statement;
  readonly #pieces: Pieces;

  /** @param pieces long reads take turns by it */
  constructor(db: Database, pieces: Pieces = new Pieces()) {
    this.#pieces = pieces;
    this.#addressId = db.prepare('SELECT id FROM address WHERE project = ? AND key = ? AND workspace = ?');
    this.#newest = db.prepare('SELECT max(id) AS id FROM audit');
    this.#oldest = db.prepare('SELECT min(id) AS id FROM audit');
    this.#at = db.prepare('SELECT at FROM audit WHERE id = ?');
    this.#stretches = new StretchReader(db);
    this.#ofAddress = db.prepare(select('audit.id >= ? AND audit.id < ? AND address_id = ?'));
    this.#stretch = db.prepare(select('audit.id >= ? AND audit.id < ?'));
    this.#stretchUp = db.prepare(
      select('audit.id > ? AND audit.id <= ? AND (? IS NULL OR address_id = ?)', 'ASC'),
    );
    const placeholders = LOOK_ACTIONS.map(() => '?').join(', ');
    this.#changes = db.prepare(
      `SELECT ${COLUMNS} FROM audit JOIN address ON address.id = address_id ` +
        `WHERE audit.id > ? AND audit.id <= ? AND refused IS NULL AND action NOT IN (${placeholders}) ORDER BY audit.id LIMIT ?`,
    );
  }

  async read(query: AuditQuery): Promise<AuditRecord[]> {
    const { address, since = 0, before = Infinity, limit } = query;
    const filter = filterValues(query);
    if (address !== undefined) {
      const id = this.#idOf(address);
      return id === null ? [] : await this.#readOf(id, query);
    }
    const found: AuditRecord[] = [];
    let to = Math.min(before, this.#end());
    const pruned = this.#pruned();
    while (to > pruned && found.length < limit && this.#madeAt(to - 1) >= since) {
      const from = to - STRETCH;
      found.push(...this.#all(this.#stretch, from, to, ...filter, whole(limit - found.length)));
      to = from;
      if (to > pruned && found.length < limit) await this.#pieces.pause();
    }
    return found;
  }

  async #readOf(addressId: number, query: AuditQuery): Promise<AuditRecord[]> {
    const { since = 0, before = Infinity, limit } = query;
    const filter = filterValues(query);
    const found: AuditRecord[] = [];
    const end = this.#end();
    const open = this.#stretches.open(end);
    let stretches: readonly Stretch[] = [{ ...open, to: Math.min(before, end) }];
    let to = Math.min(before, open.from);
    while (stretches.length > 0) {
      for (const stretch of stretches) {
        if (found.length >= limit || this.#madeAt(stretch.to - 1) < since) return found;
        found.push(
          ...this.#all(
            this.#ofAddress,
            stretch.from,
            stretch.to,
            addressId,
            ...filter,
            whole(limit - found.length),
          ),
        );
        to = Math.min(to, stretch.from);
      }
      const below = to;
      stretches = reading(() => this.#stretches.before(addressId, below));
      if (stretches.length > 0) await this.#pieces.pause();
    }
    return found;
  }

  async after(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    const { address } = filter;
    const id = address === undefined ? undefined : this.#idOf(address);
    // An address without a row has no record yet, and may have one later: it is looked for each time.
    const of = id === undefined ? null : (id ?? -1);
    return this.#walk(after, limit, (from, to, left) =>
      this.#all(this.#stretchUp, from, to, of, of, ...filterValues(filter), whole(left)),
    );
  }

  async changes(after: number | null, limit: number): Promise<Changes> {
    return this.#walk(after, limit, (from, to, left) =>
      this.#all(this.#changes, from, to, ...LOOK_ACTIONS, whole(left)).flatMap((row) =>
        row.address === null ? [] : [{ ...row, address: row.address }],
      ),
    );
  }

  /** One thread writes, so that ids are given in the order of the commits. */
  async #walk<R extends AuditRecord>(
    after: number | null,
    limit: number,
    read: (after: number, upTo: number, limit: number) => readonly R[],
  ): Promise<AuditStretch<R>> {
    const end = Math.max(this.#end() - 1, after ?? 0);
    const records: R[] = [];
    for (let from = Math.max(after ?? end, this.#pruned()); from < end && records.length < limit;) {
      const to = Math.min(from + STRETCH, end);
      records.push(...read(from, to, limit - records.length));
      from = to;
      if (from < end && records.length < limit) await this.#pieces.pause();
    }
    const position = records.length < limit ? end : (records.at(-1)?.id ?? end);
    // Asked last: what is forgotten while the records are read is not told.
    return { records, position, ...((after ?? end) < this.#pruned() ? { pruned: true } : {}) };
  }

  /** null where nothing was ever kept about it. */
  #idOf({ project, key, workspace }: Address): number | null {
    const row = reading(() => this.#addressId.get(project, key, workspace));
    return row === undefined ? null : (row as { id: number }).id;
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

/** The values of the conditions that every {@link select} ends with. */
function filterValues(filter: AuditFilter): SqlValue[] {
  const { action = null, subject = null, refused = false, since = 0, until = Infinity } = filter;
  return [since, whole(until), action, action, subject, subject, Number(refused)];
}

function select(condition: string, order: 'ASC' | 'DESC' = 'DESC'): string {
  return (
    `SELECT ${COLUMNS} FROM audit LEFT JOIN address ON address.id = address_id WHERE ${condition} ` +
    'AND at >= ? AND at < ? AND (? IS NULL OR action = ?) AND (? IS NULL OR subject = ?) AND (? = 0 OR refused IS NOT NULL) ' +
    `ORDER BY audit.id ${order} LIMIT ?`
  );
}
