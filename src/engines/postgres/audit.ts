import type { Address } from '../../core/address.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import type { AuditQuery, AuditRecord } from '../../ports/engine.ts';
import type { Connections, Statement } from './connection.ts';
import { toText } from './columns.ts';
import { ADDRESS, AUDIT_NOTE, toAuditRecord } from './rows.ts';
import { Conditions, limitOf } from './session/conditions.ts';
import { insertAll } from './session/statements.ts';

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
}

/** A line for the audit log, of an address or of the house. */
export interface Noted {
  readonly at: Instant;
  readonly address: Address | null;
  readonly note: AuditNote;
}

export function insertAudit(schema: string, notes: readonly Noted[]): Statement[] {
  const rows = notes.map(({ at, address, note }) => ({
    at,
    ...(address === null ? { project: null, key: null, workspace: null } : ADDRESS.row(address)),
    ...AUDIT_NOTE.row(note),
  }));
  return insertAll(`${schema}.audit`, rows);
}

function auditAsked(schema: string, query: AuditQuery): Statement {
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
