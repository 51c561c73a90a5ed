import type { Address } from '../../core/address.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import {
  type AuditFilter,
  type AuditQuery,
  type AuditRecord,
  type AuditStretch,
  type Changes,
  LOOK_ACTIONS,
} from '../../ports/engine.ts';
import type { Connections, Statement } from './connection.ts';
import { toText, type NewRow } from './columns.ts';
import { ADDRESS, AUDIT_NOTE, storedNoteOf, toAuditRecord } from './rows.ts';
import { Conditions, limitOf } from './session/conditions.ts';
import { drawnUpTo, markDrawing, markedAsked } from './session/drawing.ts';
import { insertAll } from './session/statements.ts';

/** So many ids are looked through by a statement. */
const STRETCH = 100_000;

/** Reads the audit log. */
export class AuditLog {
  readonly #connections: Connections;
  readonly #schema: string;

  constructor(connections: Connections, schema: string) {
    this.#connections = connections;
    this.#schema = schema;
  }

  async read(query: AuditQuery): Promise<AuditRecord[]> {
    return (await this.#connections.read(auditAsked(this.#schema, query))).map(toAuditRecord);
  }

  async after(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    return this.#walk(after, limit, async (from, to, left) => {
      const rows = await this.#connections.read(stretchAsked(this.#schema, { from, to }, filter, left));
      return rows.map(toAuditRecord);
    });
  }

  async changes(after: number | null, limit: number): Promise<Changes> {
    return this.#walk(after, limit, async (from, to, left) => {
      const rows = await this.#connections.read(changesAsked(this.#schema, from, to, left));
      return rows
        .map(toAuditRecord)
        .flatMap((one) => (one.address === null ? [] : [{ ...one, address: one.address }]));
    });
  }

  /** Up to where no transaction that is under way can still write. */
  async #walk<R extends AuditRecord>(
    after: number | null,
    limit: number,
    read: (after: number, upTo: number, limit: number) => Promise<readonly R[]>,
  ): Promise<AuditStretch<R>> {
    const [row] = await this.#connections.read(markedAsked(this.#schema));
    const end = Math.max(drawnUpTo(row), after ?? 0);
    const records: R[] = [];
    const start = after ?? end;
    const first = end - start > STRETCH ? Math.max(start, await this.#prunedTo()) : start;
    for (let from = first; from < end && records.length < limit;) {
      const to = Math.min(from + STRETCH, end);
      records.push(...(await read(from, to, limit - records.length)));
      from = to;
    }
    const position = records.length < limit ? end : (records.at(-1)?.id ?? end);
    // Asked last: what is forgotten while the records are read is not told.
    const isPruned = start < end && start < (await this.#prunedTo());
    return { records, position, ...(isPruned ? { pruned: true } : {}) };
  }

  /** The id of the last record that was forgotten. */
  async #prunedTo(): Promise<number> {
    const [row] = await this.#connections.read({
      text: `SELECT coalesce(max(id), 0) AS id FROM ${this.#schema}.audit_pruned`,
    });
    return Number(row?.['id']);
  }
}

/** A line for the audit log, of an address or of the house. */
export interface Noted {
  readonly at: Instant;
  readonly address: Address | null;
  readonly note: AuditNote;
  /** Whether it is of what was decided in the same transaction. */
  readonly decided: boolean;
}

/** The rows that notes come to. */
export function auditRows(notes: readonly Noted[]): readonly NewRow[] {
  return notes.map(({ at, address, note, decided }) => ({
    at,
    ...(address === null ? { project: null, key: null, workspace: null } : ADDRESS.row(address)),
    ...AUDIT_NOTE.row(storedNoteOf(note)),
    decided,
  }));
}

/** Marks first that ids are drawn. @param rows are linked to a chain */
export function insertAudit(schema: string, rows: readonly NewRow[]): Statement[] {
  return insertAll(`${schema}.audit`, rows, { first: markDrawing(schema) });
}

function changesAsked(schema: string, after: number, upTo: number, limit: number): Statement {
  return {
    text: `SELECT * FROM ${schema}.audit WHERE id > $1 AND id <= $2 AND project IS NOT NULL
      AND refused IS NULL AND action <> ALL($3::text[]) ORDER BY id ${limitOf(limit)}`,
    values: [after, upTo, LOOK_ACTIONS],
  };
}

function auditAsked(schema: string, { before, limit, ...filter }: AuditQuery): Statement {
  const conditions = new Conditions();
  if (before !== undefined) conditions.add('id < ?', before);
  addFilter(conditions, filter);
  return {
    text: `SELECT * FROM ${schema}.audit ${conditions.where} ORDER BY id DESC ${limitOf(limit)}`,
    values: conditions.values,
  };
}

function stretchAsked(
  schema: string,
  { from, to }: { readonly from: number; readonly to: number },
  filter: AuditFilter,
  limit: number,
): Statement {
  const conditions = new Conditions();
  conditions.add('id > ? AND id <= ?', from, to);
  addFilter(conditions, filter);
  return {
    text: `SELECT * FROM ${schema}.audit ${conditions.where} ORDER BY id ${limitOf(limit)}`,
    values: conditions.values,
  };
}

function addFilter(conditions: Conditions, query: AuditFilter): void {
  if (query.since !== undefined) conditions.add('at >= ?', query.since);
  if (query.until !== undefined) conditions.add('at < ?', query.until);
  if (query.action !== undefined) conditions.add('action = ?', query.action);
  if (query.subject !== undefined) conditions.add('subject = ?', toText(query.subject));
  if (query.refused === true) conditions.add('refused IS NOT NULL');
  if (query.address !== undefined) {
    const { project, key, workspace } = query.address;
    conditions.add('project = ? AND key = ? AND workspace = ?', project, key, workspace);
  }
}
