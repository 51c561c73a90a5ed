import type { StateQuery, AuditQuery, AuditRecord, Entry, Resealed, Seat } from '../../ports/engine.ts';
import type { Row, Statement } from './connections.ts';
import { addressFrom, fromText, plain, toText } from './rows.ts';
import type { Wanted } from './world.ts';

/** Numbers the values of a statement while its conditions are gathered. */
class Conditions {
  readonly values: unknown[] = [];
  readonly #texts: string[] = [];

  /** @param text with "?" where the value goes */
  add(text: string, ...values: readonly unknown[]): void {
    let at = this.values.length;
    this.values.push(...values);
    this.#texts.push(text.replaceAll('?', () => `$${++at}`));
  }

  get where(): string {
    return this.#texts.length === 0 ? '' : `WHERE ${this.#texts.join(' AND ')}`;
  }
}

/** The addresses that a query asks for, as a table to be joined with. */
export function statesAsked(schema: string, query: StateQuery): Wanted {
  const conditions = new Conditions();
  const isLocked = `EXISTS (SELECT FROM ${schema}.holder h
    WHERE h.project = a.project AND h.key = a.key AND h.workspace = a.workspace)`;
  const exists =
    query.deleted === true ? 'a.head IS NOT NULL' : 'a.head IS NOT NULL AND a.deleted_at IS NULL';
  const isShown = query.used === true ? 'TRUE' : `((${exists}) OR ${isLocked})`;
  conditions.add(query.locked === true ? isLocked : isShown);
  if (query.project !== undefined) conditions.add('a.project = ?', query.project);
  if (query.keyPrefix !== undefined) conditions.add('starts_with(a.key, ?)', query.keyPrefix);
  if (query.exceptWorkspace !== undefined) conditions.add('a.workspace <> ?', query.exceptWorkspace);
  if (query.search !== undefined) conditions.add('strpos(a.name, ?) > 0', toSearch(query.search));
  if (query.after !== undefined) {
    const { project, key, workspace } = query.after;
    conditions.add('(a.project, a.key, a.workspace) > (?, ?, ?)', project, key, workspace);
  }
  const table = `(SELECT a.project, a.key, a.workspace FROM ${schema}.address a ${conditions.where}
    ORDER BY a.project, a.key, a.workspace ${limitOf(query.limit)}) AS wanted`;
  return { table, values: conditions.values };
}

export function auditAsked(schema: string, query: AuditQuery): Statement {
  const conditions = new Conditions();
  if (query.before !== undefined) conditions.add('id < ?', query.before);
  if (query.action !== undefined) conditions.add('action = ?', query.action);
  if (query.subject !== undefined) conditions.add('subject = ?', toText(query.subject));
  if (query.address !== undefined) {
    const { project, key, workspace } = query.address;
    conditions.add('project = ? AND key = ? AND workspace = ?', project, key, workspace);
  }
  return {
    text: `SELECT * FROM ${schema}.audit ${conditions.where} ORDER BY id DESC ${limitOf(query.limit)}`,
    values: conditions.values,
  };
}

export function auditFrom(row: Row): AuditRecord {
  return {
    id: Number(row['id']),
    at: Number(row['at']),
    address: row['project'] === null ? null : addressFrom(row),
    note: {
      action: row['action'] as string,
      subject: fromText(row['subject']),
      door: row['door'] as string,
      detail: JSON.parse(row['detail'] as string) as AuditRecord['note']['detail'],
    },
  };
}

/** The seats of a node, or of all nodes but it. */
export function seatsAsked(schema: string, query: { node: string } | { notNode: string }): Statement {
  const [which, node] = 'node' in query ? ['node = $1', query.node] : ['node <> $1', query.notNode];
  return {
    text: `
      SELECT project, key, workspace, waiter, seat, false AS granted FROM ${schema}.place
      WHERE node IS NOT NULL AND ${which}
      UNION ALL
      SELECT project, key, workspace, waiter, seat, true AS granted FROM ${schema}.holder
      WHERE node IS NOT NULL AND NOT accepted AND ${which}`,
    values: [node],
  };
}

export function seatFrom(row: Row): Seat {
  return {
    address: addressFrom(row),
    waiter: fromText(row['waiter']),
    seat: row['seat'] as string,
    granted: row['granted'] as boolean,
  };
}

export function entryFrom(row: Row): Entry {
  const bodyId = row['body_id'] as string | null;
  return {
    ...(bodyId === null ? {} : { bodyId }),
    kind: row['kind'] as string,
    name: fromText(row['name']),
    attributes: JSON.parse(row['attributes'] as string) as Entry['attributes'],
  };
}

/** Statements for all that is sealed under another key; {@link resealedFrom} reads the answers, kind by kind. */
export function sealedAsked(schema: string, keyId: string, limit: number): Statement[] {
  return ['body', 'credential', 'holder', 'place'].map((table) => ({
    text: `SELECT * FROM ${schema}.${table} WHERE key_id <> $1 ${limitOf(limit)}`,
    values: [keyId],
  }));
}

export function resealedFrom([
  bodies,
  credentials,
  holders,
  places,
]: readonly (readonly Row[])[]): Resealed[] {
  return [
    ...(bodies ?? []).map((row) => ({
      kind: 'body' as const,
      id: row['id'] as string,
      keyId: row['key_id'] as string,
      wrappedKey: plain(row['wrapped_key']),
    })),
    ...(credentials ?? []).map((row) => ({
      kind: 'credential' as const,
      id: row['id'] as string,
      sealed: plain(row['sealed_secret']),
    })),
    ...(holders ?? []).map((row) => ({
      kind: 'holder' as const,
      address: addressFrom(row),
      lockId: fromText(row['lock_id']),
      sealed: plain(row['info']),
    })),
    ...(places ?? []).map((row) => ({
      kind: 'place' as const,
      address: addressFrom(row),
      waiter: fromText(row['waiter']),
      sealed: plain(row['info']),
    })),
  ];
}

/** The most rows of a statement, which may be all of them. */
export function limitOf(rows: number): string {
  return Number.isFinite(rows) ? `LIMIT ${Math.trunc(rows)}` : '';
}

/** No address holds NUL, so nothing that does is found. */
function toSearch(text: string): string {
  return text.replaceAll('\0', '\u0001');
}
