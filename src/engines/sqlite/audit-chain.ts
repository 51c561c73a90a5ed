import type { AuditNote } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import type { WholeLog } from '../../ports/engine.ts';
import { codeOf, eachCode, withFormer } from '../former-codes.ts';
import { changedElsewhere, sameBytes, type RowKeys, type StoredValue } from '../row-keys.ts';
import { isEachNoted, StretchNotes } from './audit-log/stretches.ts';
import { AuthenticatedTable, bytes, insert, plain } from './columns.ts';
import type { Database, Statement } from './files/driver.ts';
import { ADDRESS, AUDIT_NOTE, HOUSE, storedNoteOf, type AddressId } from './rows.ts';

/** The ends of the chain of the audit log. */
export interface StoredHead {
  /** The code that the first record goes on from, and those that its record had under former keys. */
  readonly anchor: Uint8Array;
  /** The last record's number. */
  readonly last: number;
  /** The last record's code. */
  readonly link: Uint8Array;
}

export const HEAD: AuthenticatedTable<StoredHead> = new AuthenticatedTable('end of the audit log', {
  anchor: bytes('anchor'),
  last: plain('last'),
  link: bytes('link'),
});

export const NO_LINK: Uint8Array = new Uint8Array();
export const NO_HEAD: StoredHead = { anchor: NO_LINK, last: 0, link: NO_LINK };
/** Records that are looked through at a time. */
export const STRETCH = 10_000;
/** Records after which the end of the chain is stored again. */
const STORED_EVERY = 1_000;
export const STRETCH_AFTER: string =
  `SELECT audit.id, at, ${AUDIT_NOTE.list}, decided, audit.former, audit.mac, address_id, ${ADDRESS.list} FROM audit ` +
  'LEFT JOIN address ON address.id = address_id WHERE audit.id > ? ORDER BY audit.id LIMIT ?';
const NEWEST = 'SELECT id, mac FROM audit ORDER BY id DESC LIMIT 1';

/** Where a record of the audit log belongs. */
export interface NotedAt {
  readonly addressId: number | null;
  /** Names the address as {@link ownerOf} does; null for the house. */
  readonly owner: string | null;
  /** Whether the note is of what was decided in the same transaction. */
  readonly decided: boolean;
}

/**
 * Writes the audit log: each record goes on from the one before. Where the chain ends is stored now and then, because a
 * commit writes every page that it changes; until then the records of addresses tell of what was decided there last.
 */
export class AuditChain {
  readonly #keys: RowKeys;
  readonly #insert: Statement;
  readonly #stored: Statement;
  readonly #put: Statement;
  readonly #newest: Statement;
  readonly #oldest: Statement;
  readonly #forget: Statement;
  readonly #stretches: StretchNotes;
  #head: StoredHead | null = null;
  #storedLast = 0;

  constructor(db: Database, keys: RowKeys) {
    this.#keys = keys;
    this.#stretches = new StretchNotes(db);
    this.#insert = db.prepare(insert('audit', `id, at, address_id, ${AUDIT_NOTE.list}, decided, mac`));
    this.#stored = db.prepare(`SELECT ${HEAD.list} FROM audit_head`);
    this.#newest = db.prepare(NEWEST);
    this.#oldest = db.prepare(STRETCH_AFTER);
    this.#forget = db.prepare('DELETE FROM audit WHERE id <= ?');
    this.#put = db.prepare(insert('audit_head', `id, ${HEAD.list}`).replace('INSERT', 'REPLACE'));
  }

  /** @returns the record's number */
  append(at: Instant, { addressId, owner, decided }: NotedAt, note: AuditNote): number {
    const { anchor, last, link } = this.#end();
    const id = last + 1;
    const values = AUDIT_NOTE.values(storedNoteOf(note));
    const mac = linkOf(this.#keys, link, [id, at, owner, ...values, Number(decided)]);
    this.#insert.run(id, at, addressId, ...values, Number(decided), mac);
    this.#stretches.written(id);
    this.#head = { anchor, last: id, link: mac };
    return id;
  }

  /**
   * Forgets the oldest records, at most so many, up to the first that is not older than a moment, and never the newest.
   * @returns how many there were
   * @throws {EngineFault} where one was changed: what shows it must not be forgotten
   */
  prune(before: Instant, limit: number): number {
    const { anchor, last, link } = this.#end();
    const oldest = this.#oldest.all(0, limit + 1) as ChainedRow[];
    let [to, code, records] = [0, anchor, 0];
    for (const row of oldest.slice(0, -1)) {
      if (Number(row['at']) >= before) break;
      code = withFormer(verifiedLink(this.#keys, code, row), row['former']);
      [to, records] = [row.id, records + 1];
    }
    if (records === 0) return 0;
    this.#stretches.forget(to);
    this.#forget.run(to);
    this.#head = { anchor: code, last, link };
    this.store();
    return records;
  }

  /** Where the chain ends now, to go back to. */
  get position(): StoredHead {
    return this.#end();
  }

  /** What was appended since has been rolled back. */
  goBack(position: StoredHead | null): void {
    this.#head = position;
  }

  /** Whether so many records were appended since the end of the chain was stored. */
  hasGrown(records: number = STORED_EVERY): boolean {
    return this.#end().last - this.#storedLast >= records;
  }

  /** Stores the end of the chain. */
  store(): void {
    const head = this.#end();
    this.#put.run(1, ...HEAD.values(this.#keys, HOUSE, head));
    this.#storedLast = head.last;
  }

  #end(): StoredHead {
    if (this.#head === null) {
      const { anchor, last } = headFrom(this.#keys, this.#stored.get());
      const newest = this.#newest.get() as AuditRow | undefined;
      this.#head = { anchor, last: newest?.id ?? 0, link: newest?.mac ?? NO_LINK };
      this.#storedLast = last;
    }
    return this.#head;
  }
}

/** Where the log ends: the number and the code of its last record, which stands for all before it. */
export function auditHead(db: Database): string {
  const row = db.prepare(NEWEST).get() as AuditRow | undefined;
  return row === undefined ? '' : headText(row.id, row.mac);
}

/**
 * Looks whether the log goes on from where it was left, and as far as addresses say.
 * @throws {EngineFault} where it does not
 */
export function verifyEnd(db: Database, keys: RowKeys): void {
  const { last, link } = headFrom(keys, db.prepare(`SELECT ${HEAD.list} FROM audit_head`).get());
  const row = db.prepare('SELECT mac FROM audit WHERE id = ?').get(last) as AuditRow | undefined;
  const newest = db.prepare(NEWEST).get() as AuditRow | undefined;
  const { decided } = db.prepare('SELECT max(audited) AS decided FROM address').get() as {
    decided: number | null;
  };
  if (!sameBytes(row?.mac ?? NO_LINK, link) || (decided ?? 0) > (newest?.id ?? 0))
    throw changedElsewhere('end of the audit log', HOUSE);
}

/**
 * Walks through the whole log, and holds every address against its last record.
 * @param heads what {@link WholeLog.head} once was: each must still be in the log
 * @throws {EngineFault} naming the first record or address that was changed
 */
export function verifyLog(db: Database, keys: RowKeys, heads: readonly string[]): WholeLog {
  const { anchor, last, link } = headFrom(keys, db.prepare(`SELECT ${HEAD.list} FROM audit_head`).get());
  const stretch = db.prepare(STRETCH_AFTER);
  const pruned = anchor.length === 0 ? 0 : ((stretch.get(0, 1) as ChainedRow | undefined)?.id ?? 1) - 1;
  const prunedHeads = heads.filter((head) => numberIn(head) < pruned);
  const missing = new Set(heads.filter((head) => !prunedHeads.includes(head)));
  for (const code of eachCode(anchor)) missing.delete(headText(pruned, code));
  const decided = new Map<number, number>();
  let [before, id, records, isStoredEndThere] = [anchor, 0, 0, last === 0];
  for (;;) {
    const rows = stretch.all(id, STRETCH) as ChainedRow[];
    for (const row of rows) {
      const mac = verifiedLink(keys, before, row);
      isStoredEndThere ||= row.id === last && sameBytes(mac, link);
      missing.delete(headText(row.id, mac));
      for (const code of eachCode(row['former'])) missing.delete(headText(row.id, code));
      if (row['decided'] === 1 && row.address_id !== null) decided.set(row.address_id, row.id);
      [before, id, records] = [mac, row.id, records + 1];
    }
    if (rows.length < STRETCH) break;
  }
  if (!isStoredEndThere) throw changedElsewhere('end of the audit log', HOUSE);
  const [lost] = missing;
  if (lost !== undefined) throw changedElsewhere(`audit log, which once ended with ${lost},`, HOUSE);
  compareAddresses(db, decided, pruned);
  if (!isEachNoted(db)) throw changedElsewhere('list of what the audit log has of addresses', HOUSE);
  return { records, head: headText(id, before), pruned, prunedHeads };
}

/**
 * The record of an address names the last thing that was decided there, and so tells if it is older than the log.
 * @param pruned records up to here were forgotten
 */
function compareAddresses(db: Database, decided: ReadonlyMap<number, number>, pruned: number): void {
  const rows = db.prepare(`SELECT id, audited, ${ADDRESS.list} FROM address`).all() as (AddressId & {
    audited: number;
  })[];
  const there = new Set(rows.map(({ id }) => id));
  const behind = rows.find(({ id, audited }) => {
    const found = decided.get(id);
    return found === undefined ? audited > pruned : audited !== found;
  });
  if (behind !== undefined) {
    const { project, key, workspace } = ADDRESS.read(behind);
    throw changedElsewhere('record', `${project}\n${key}\n${workspace}`);
  }
  if ([...decided.keys()].some((id) => !there.has(id))) throw changedElsewhere('list of addresses', HOUSE);
}

export interface AuditRow extends AddressId {
  readonly mac: Uint8Array;
  readonly address_id: number | null;
}

export type ChainedRow = AuditRow & Readonly<Record<string, StoredValue>>;

/** The code of a record that goes on from another one's. */
export function nextLink(keys: RowKeys, before: Uint8Array, row: ChainedRow): Uint8Array {
  const owner = row.address_id === null ? null : `${row['project']}\n${row['key']}\n${row['workspace']}`;
  const values = AUDIT_NOTE.names.map((name) => row[name]);
  return linkOf(keys, before, [row.id, row['at'], owner, ...values, row['decided'], row['former']]);
}

/** The same. @throws {EngineFault} unless the record has this code */
function verifiedLink(keys: RowKeys, before: Uint8Array, row: ChainedRow): Uint8Array {
  const link = nextLink(keys, before, row);
  if (sameBytes(link, row.mac)) return link;
  throw changedElsewhere(`record ${row.id} of the audit log, or one before it,`, HOUSE);
}

/** The ends of the chain, as they are stored. */
export function headFrom(keys: RowKeys, row: unknown): StoredHead {
  return row === undefined ? NO_HEAD : HEAD.read(keys, HOUSE, row);
}

function linkOf(keys: RowKeys, before: Uint8Array, values: readonly StoredValue[]): Uint8Array {
  return keys.mac('audit record', Buffer.from(codeOf(before)).toString('hex'), values);
}

/** The number of the record that a head names. */
function numberIn(head: string): number {
  return Number(head.slice(0, head.indexOf(':')));
}

function headText(last: number, link: Uint8Array): string {
  return `${last}:${Buffer.from(link).toString('hex')}`;
}
