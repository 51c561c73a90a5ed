import { randomUUID } from 'node:crypto';
import { formatAddress } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { WholeLog } from '../../ports/engine.ts';
import { codeOf, eachCode, withFormer } from '../former-codes.ts';
import { changedElsewhere, ownerOf, sameBytes, type RowKeys, type StoredValue } from '../row-keys.ts';
import { AuthenticatedTable, binary, number, plain, toBuffer, toBytes, type NewRow } from './columns.ts';
import type { Row, Statement } from './connection.ts';
import { ADDRESS, AUDIT_NOTE, HOUSE } from './rows.ts';
import { replaceAll } from './session/statements.ts';

/** The ends of one chain of the audit log. */
export interface StoredHead {
  readonly chain: string;
  /** The code that its first record goes on from. */
  readonly anchor: Uint8Array;
  /** The number of its last record. */
  readonly last: number;
  /** The code of its last record. */
  readonly link: Uint8Array;
}

export const HEAD: AuthenticatedTable<StoredHead> = new AuthenticatedTable('end of the audit log', {
  chain: plain('chain'),
  anchor: binary('anchor'),
  last: number('last'),
  link: binary('link'),
});

/** The last record of a chain that was forgotten: what the others go on from. */
export interface PrunedEnd {
  readonly chain: string;
  readonly id: number;
  readonly last: number;
  /** Its code, and those that it had under former keys. */
  readonly link: Uint8Array;
}

export const PRUNED: AuthenticatedTable<PrunedEnd> = new AuthenticatedTable('beginning of the audit log', {
  chain: plain('chain'),
  id: number('id'),
  last: number('last'),
  link: binary('link'),
});

export const NO_LINK: Uint8Array = new Uint8Array();
/** Records that are looked through at a time. */
export const STRETCH = 10_000;

/** One chain of the audit log, which one transaction at a time goes on with: what it has linked counts once it commits. */
export class AuditChain {
  #head: StoredHead = { chain: randomUUID(), anchor: NO_LINK, last: 0, link: NO_LINK };
  #next: StoredHead | null = null;

  get id(): string {
    return this.#head.chain;
  }

  /** Where it ends: its name, and the number and the code of its last record. */
  get head(): string {
    const { chain, last, link } = this.#head;
    return headText(chain, last, link);
  }

  /** Nothing of it is stored yet. */
  get isNew(): boolean {
    return this.#head.last === 0;
  }

  /** Links rows of the log to the chain. */
  link(keys: RowKeys, rows: readonly NewRow[]): readonly NewRow[] {
    this.#next = null;
    return rows.map((row) => {
      const { chain, anchor, last, link } = this.#next ?? this.#head;
      const linked = { ...row, chain, link: last + 1 };
      const mac = linkOf(keys, link, linked);
      this.#next = { chain, anchor, last: last + 1, link: mac };
      return { ...linked, mac: toBuffer(mac) };
    });
  }

  /** The statement that stores where the chain then ends. */
  end(keys: RowKeys, schema: string): Statement[] {
    if (this.#next === null) return [];
    return replaceAll(`${schema}.audit_head`, ['chain'], [HEAD.row(keys, HOUSE, this.#next)]);
  }

  /** What was linked last has been stored. */
  committed(): void {
    this.#head = this.#next ?? this.#head;
    this.#next = null;
  }
}

/** The chains of one node: as many as it has transactions open at a time. */
export class AuditChains {
  readonly #free: AuditChain[] = [];
  readonly #all: AuditChain[] = [];

  /** Where each chain ends. */
  get heads(): readonly string[] {
    return this.#all.filter(({ isNew }) => !isNew).map(({ head }) => head);
  }

  async with<T>(work: (chain: AuditChain) => Promise<T>): Promise<T> {
    const chain = this.#free.pop() ?? this.#new();
    const result = await work(chain);
    // Where the work failed, nobody may know where the chain ends: it is not gone on with.
    this.#free.push(chain);
    return result;
  }

  #new(): AuditChain {
    const chain = new AuditChain();
    this.#all.push(chain);
    return chain;
  }
}

/** Names a record of the log, as the record of its address does. */
export function auditedAs(chain: string, link: number): string {
  return `${chain}:${link}`;
}

export type Read = (statement: Statement) => Promise<readonly Row[]>;

/**
 * Walks through the whole log, and holds every address against its last record.
 * @param read reads at one moment
 * @param heads what {@link WholeLog.head} once was: each chain must still have got there
 * @throws {EngineFault} naming the first record or address that was changed
 */
export async function verifyLog(
  read: Read,
  schema: string,
  keys: RowKeys,
  heads: readonly string[],
): Promise<WholeLog> {
  const stored = HEAD.readAll(
    keys,
    HOUSE,
    await read({ text: `SELECT * FROM ${schema}.audit_head ORDER BY chain` }),
  );
  const pruned = await prunedEnds(read, schema, keys);
  const ends = new Map<string, ChainEnd>(
    stored.map(({ chain, anchor }) => [chain, pruned.get(chain) ?? { last: 0, link: anchor }]),
  );
  const former = heads.flatMap((head) => head.split(' '));
  const prunedHeads = former.filter((head) => isBefore(head, pruned));
  const missing = new Set(former.filter((head) => !prunedHeads.includes(head)));
  for (const { chain, last, link } of pruned.values())
    for (const code of eachCode(link)) missing.delete(headText(chain, last, code));
  const decided = new Map<string, string>();
  let [after, records] = ['0', 0];
  for (;;) {
    const rows = await read({
      text: `SELECT * FROM ${schema}.audit WHERE id > $1 ORDER BY id LIMIT ${STRETCH}`,
      values: [after],
    });
    for (const row of rows) {
      const chain = row['chain'] as string;
      const end = verifiedEnd(keys, ends.get(chain), row);
      ends.set(chain, end);
      for (const code of [end.link, ...eachCode(row['former'])])
        missing.delete(headText(chain, end.last, code));
      if (row['decided'] === true) decided.set(formatAddress(ADDRESS.read(row)), auditedAs(chain, end.last));
      [after, records] = [row['id'] as string, records + 1];
    }
    if (rows.length < STRETCH) break;
  }
  for (const { chain, last, link } of stored) {
    const end = ends.get(chain);
    if (end === undefined || end.last !== last || !sameBytes(codeOf(end.link), link))
      throw changedElsewhere('end of the audit log', HOUSE);
  }
  const [lost] = missing;
  if (lost !== undefined) throw changedElsewhere(`audit log, which once got to ${lost},`, HOUSE);
  await compareAddresses(read, schema, decided, pruned);
  return {
    records,
    head: stored.map(({ chain, last, link }) => headText(chain, last, link)).join(' '),
    pruned: [...pruned.values()].reduce((sum, { last }) => sum + last, 0),
    prunedHeads,
  };
}

/**
 * What forgets the oldest records, at most so many, up to the first that is not older than a moment, and never the newest.
 * Transactions that do it take turns; those that go on with a chain do not wait, because they do not write what this writes.
 * @throws {EngineFault} where a record was changed: what shows it must not be forgotten
 */
export async function pruneLog(
  read: Read,
  schema: string,
  keys: RowKeys,
  { before, limit }: { readonly before: Instant; readonly limit: number },
): Promise<{ readonly records: number; readonly statements: readonly Statement[] }> {
  await read({ text: `LOCK TABLE ${schema}.audit_pruned IN SHARE ROW EXCLUSIVE MODE` });
  const ends = new Map(await prunedEnds(read, schema, keys));
  const oldest = await read({
    text: `SELECT * FROM ${schema}.audit ORDER BY id LIMIT $1`,
    values: [limit + 1],
  });
  const young = oldest.findIndex((row) => Number(row['at']) >= before);
  const old = oldest.slice(0, young === -1 ? -1 : Math.min(young, oldest.length - 1));
  for (const row of old) {
    const chain = row['chain'] as string;
    const end = verifiedEnd(keys, ends.get(chain) ?? { last: 0, link: NO_LINK }, row);
    ends.set(chain, { chain, id: Number(row['id']), ...end, link: withFormer(end.link, row['former']) });
  }
  const changed = [...new Set(old.map((row) => row['chain'] as string))];
  const rows = changed.map((chain) => PRUNED.row(keys, HOUSE, ends.get(chain) as PrunedEnd));
  const ids = old.map((row) => row['id']);
  return {
    records: old.length,
    statements:
      old.length === 0
        ? []
        : [
            { text: `DELETE FROM ${schema}.audit WHERE id = ANY($1::bigint[])`, values: [ids] },
            ...replaceAll(`${schema}.audit_pruned`, ['chain'], rows),
          ],
  };
}

/** What was forgotten of each chain. */
export async function prunedEnds(
  read: Read,
  schema: string,
  keys: RowKeys,
): Promise<ReadonlyMap<string, PrunedEnd>> {
  const rows = await read({ text: `SELECT * FROM ${schema}.audit_pruned` });
  return new Map(PRUNED.readAll(keys, HOUSE, rows).map((end) => [end.chain, end]));
}

/** Where a chain has got to. */
type ChainEnd = Pick<PrunedEnd, 'last' | 'link'>;

/** Where a chain then gets to. @throws {EngineFault} unless this row is its next record */
function verifiedEnd(keys: RowKeys, end: ChainEnd | undefined, row: Row): ChainEnd {
  const last = Number(row['link']);
  const link = end === undefined ? NO_LINK : linkOf(keys, end.link, row);
  if (end !== undefined && last === end.last + 1 && sameBytes(link, toBytes(row['mac'])))
    return { last, link };
  throw changedElsewhere(`record ${String(row['id'])} of the audit log, or one before it,`, HOUSE);
}

/** Whether a former head is among what was forgotten. */
function isBefore(head: string, pruned: ReadonlyMap<string, PrunedEnd>): boolean {
  const [chain = '', last] = head.split(':');
  return Number(last) < (pruned.get(chain)?.last ?? 0);
}

/** The record of an address names the last thing that was decided there, and so tells if it is older than the log. */
async function compareAddresses(
  read: Read,
  schema: string,
  decided: ReadonlyMap<string, string>,
  pruned: ReadonlyMap<string, PrunedEnd>,
): Promise<void> {
  const rows = await read({ text: `SELECT project, key, workspace, audited FROM ${schema}.address` });
  const there = new Set<string>();
  for (const row of rows) {
    const address = ADDRESS.read(row);
    const name = formatAddress(address);
    there.add(name);
    const [audited, found] = [row['audited'] as string, decided.get(name)];
    if (found === undefined ? !isForgotten(audited, pruned) : audited !== found)
      throw changedElsewhere('record', ownerOf(address));
  }
  for (const name of decided.keys()) if (!there.has(name)) throw changedElsewhere('record', name);
}

function isForgotten(audited: string, pruned: ReadonlyMap<string, PrunedEnd>): boolean {
  const [chain = '', link] = audited.split(':');
  return audited === '' || Number(link) <= (pruned.get(chain)?.last ?? 0);
}

/**
 * Looks whether there is a log where there should be one.
 * @throws {EngineFault} where it is empty, and should not be
 */
export async function verifyEnd(read: Read, schema: string, keys: RowKeys): Promise<void> {
  const [row] = await read({ text: `SELECT * FROM ${schema}.audit ORDER BY id DESC LIMIT 1` });
  const heads = HEAD.readAll(keys, HOUSE, await read({ text: `SELECT * FROM ${schema}.audit_head` }));
  const newest = heads.find(({ chain }) => chain === row?.['chain']);
  const isThere = newest !== undefined && newest.last >= Number(row?.['link']);
  if (row === undefined ? heads.some(({ last }) => last > 0) : !isThere)
    throw changedElsewhere('end of the audit log', HOUSE);
}

/** The code of a record that goes on from another one's. */
export function linkOf(keys: RowKeys, before: Uint8Array, row: NewRow): Uint8Array {
  const values = [
    'chain',
    'link',
    'at',
    'project',
    'key',
    'workspace',
    ...AUDIT_NOTE.names,
    'decided',
    'former',
  ].map((name) => row[name] as StoredValue);
  return keys.mac('audit record', Buffer.from(codeOf(before)).toString('hex'), values);
}

function headText(chain: string, last: number, link: Uint8Array): string {
  return `${chain}:${last}:${Buffer.from(link).toString('hex')}`;
}
