import type { Client } from 'pg';
import type { Address } from '../../core/address.ts';
import { formatAddress } from '../../core/address.ts';
import type { Holder } from '../../core/world.ts';
import { UnauthenticatedRows, type OpenRowKey, type RowKey } from '../../ports/row-key.ts';
import { changedElsewhere, digestOf, NO_ROW_KEY, ownerOf, RowKeys } from '../row-keys.ts';
import { versionRanges, type VersionNumbers } from '../version-numbers.ts';
import { sealFacts } from '../version-facts.ts';
import { adoptLog, changeLogKey } from './audit-adoption.ts';
import { verifyEnd, verifyLog } from './audit-chain.ts';
import { toBuffer, toBytes, type AuthenticatedTable, type KeyIdOf, type NewRow } from './columns.ts';
import { connectAlone, type Row, type Statement } from './connection.ts';
import {
  credentialsFrom,
  digestOfChains,
  digestOfCredentials,
  HOUSE_ROW,
  verifyChains,
} from './credentials.ts';
import { ConnectionLost, faultFrom } from './faults.ts';
import {
  ADDRESS,
  CREDENTIAL,
  ENTRY,
  HOLDER,
  HOUSE,
  QUEUE_ENTRY,
  RECORD,
  RELEASE,
  toVersion,
  VERSION,
  versionRow,
  type StoredRecord,
} from './rows.ts';
import { EngineFault, type WholeLog } from '../../ports/engine.ts';
import { lockSchema } from './migrate.ts';
import { livingNodes } from './session/nodes.ts';
import type { PostgresOptions } from './session/options.ts';
import { replaceAll } from './session/statements.ts';
import { countAll, isCountedUp } from './usage.ts';
import { areHolders } from './world.ts';

const ADDRESS_COLUMNS = ['project', 'key', 'workspace'];

/**
 * Finds the key of the rows, or keeps a new one where there are no rows. Nodes that start together take turns.
 * @throws {UnauthenticatedRows} when there are rows without a key, and they may not be adopted
 */
export async function findRowKeys(
  place: PostgresOptions,
  { keyIdOf, openRowKey = NO_ROW_KEY }: { readonly keyIdOf: KeyIdOf; readonly openRowKey?: OpenRowKey },
): Promise<RowKeys> {
  const client = await connectAlone(place);
  try {
    const sealed = await sealedRowKey(client, place.schema);
    if (sealed !== null) {
      const keys = new RowKeys(openRowKey({ sealed, used: true }).bytes);
      await verifyEnd(reading(client), place.schema, keys);
      await countUsage(client, place.schema, keys);
      return keys;
    }
    await client.query('BEGIN');
    await lockSchema(client);
    const keys = await makeRowKeys(new Adoption(client, place.schema, keyIdOf), openRowKey);
    if (!(await isCountedUp(reading(client), place.schema)))
      await countAll(reading(client), place.schema, keys);
    await client.query('COMMIT');
    return keys;
  } catch (error) {
    if (error instanceof EngineFault || !(error instanceof Error) || !('code' in error)) throw error;
    throw faultFrom(ConnectionLost.orRefusal(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Counts what projects keep, where a program has been at the database that did not count it. Nodes take turns. */
async function countUsage(client: Client, schema: string, keys: RowKeys): Promise<void> {
  if (await isCountedUp(reading(client), schema)) return;
  await client.query('BEGIN');
  await lockSchema(client);
  if (!(await isCountedUp(reading(client), schema))) await countAll(reading(client), schema, keys);
  await client.query('COMMIT');
}

async function makeRowKeys(adoption: Adoption, openRowKey: OpenRowKey): Promise<RowKeys> {
  const { client, schema } = adoption;
  const sealed = await sealedRowKey(client, schema);
  const used = sealed !== null || (await isUsed(client, schema));
  const key = openRowKey({ sealed, used });
  const keys = new RowKeys(key.bytes);
  if (sealed !== null) return keys;
  if (used && !key.adopts) throw new UnauthenticatedRows();
  await adoption.adoptAll(keys, key);
  return keys;
}

async function sealedRowKey(client: Client, schema: string): Promise<Uint8Array | null> {
  const { rows } = await client.query<{ sealed_key: Buffer }>(`SELECT sealed_key FROM ${schema}.house`);
  return rows[0] === undefined ? null : toBytes(rows[0].sealed_key);
}

async function isUsed(client: Client, schema: string): Promise<boolean> {
  const any = ['credential', 'address', 'entry', 'audit'].map(
    (table) => `EXISTS (SELECT FROM ${schema}.${table})`,
  );
  const { rows } = await client.query<{ used: boolean }>(`SELECT ${any.join(' OR ')} AS used`);
  return rows[0]?.used === true;
}

/**
 * Gives the rows of a database another key: each is verified under the former one and authenticated under the new one, all in
 * one transaction, so that a process that is killed leaves all as it was. No node may be running.
 * @throws {EngineFault} where a row is not what a server with the former key has written, or a node is running
 */
export async function changeRowKey(
  place: PostgresOptions,
  keyIdOf: KeyIdOf,
  open: (sealed: Uint8Array) => { readonly former: RowKeys; readonly key: RowKey },
): Promise<void> {
  const { schema } = place;
  const client = await connectAlone(place);
  try {
    await client.query('BEGIN');
    await lockSchema(client);
    // A node that starts reads its key after this, and one that runs can store nothing any more.
    await client.query(
      `LOCK TABLE ${TABLES.map((name) => `${schema}.${name}`).join(', ')} IN ACCESS EXCLUSIVE MODE`,
    );
    const nodes = await livingNodes(reading(client), schema);
    if (nodes > 0)
      throw new EngineFault(
        `${nodes} nodes of a server are running: stop them all, wait ten seconds, and try again`,
      );
    const sealed = await sealedRowKey(client, schema);
    if (sealed === null) throw new UnauthenticatedRows();
    const { former, key } = open(sealed);
    const keys = new RowKeys(key.bytes);
    await client.query(`DELETE FROM ${schema}.usage`);
    await new Adoption(client, schema, keyIdOf, former).adoptAll(keys, key);
    await countAll(reading(client), schema, keys);
    // An earlier program does not know the codes that records keep of their former keys.
    await client.query(
      `UPDATE ${schema}.migration SET least_program = number WHERE number = ${FORMER_CODES}`,
    );
    await client.query('COMMIT');
  } catch (error) {
    if (error instanceof EngineFault || !(error instanceof Error) || !('code' in error)) throw error;
    throw faultFrom(ConnectionLost.orRefusal(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The tables whose rows have codes. */
const TABLES = [
  'house',
  'address',
  'version',
  'holder',
  'place',
  'release',
  'credential',
  'entry',
  'usage',
  'audit',
  'audit_head',
  'audit_pruned',
] as const;
/** The migration that brought the codes of former keys. */
const FORMER_CODES = 14;

/** Runs statements one by one. */
function reading(client: Client): (statement: Statement) => Promise<readonly Row[]> {
  return async ({ text, values = [] }) => (await client.query<Row>(text, [...values])).rows;
}

/** Looks whether the audit log is whole, at one moment. @throws {EngineFault} where it is not */
export async function verifyAll(
  place: PostgresOptions,
  keys: RowKeys,
  heads: readonly string[],
): Promise<WholeLog> {
  const client = await connectAlone(place);
  try {
    const read = reading(client);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const chains = await read({ text: `SELECT chain FROM ${place.schema}.audit_head` });
    const house = await read({ text: `SELECT * FROM ${place.schema}.house` });
    verifyChains(
      keys,
      house,
      chains.map((row) => row['chain'] as string),
    );
    return await verifyLog(read, place.schema, keys, heads);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @throws {EngineFault} unless these are all versions and holders that a record stands for */
function requireWhole(
  former: RowKeys,
  owner: string,
  record: StoredRecord,
  { kept, holders }: { readonly kept: VersionNumbers; readonly holders: readonly Holder[] },
): void {
  if (record.kept !== kept) throw changedElsewhere('list of versions', owner);
  if (!areHolders(former, owner, record, holders))
    throw changedElsewhere('list of holders of the lock', owner);
}

/** Authenticates every row that is there, inside a transaction. */
class Adoption {
  readonly client: Client;
  readonly schema: string;
  /** The key that rows are authenticated with; null to take them as they are. */
  readonly #former: RowKeys | null;
  readonly #keyIdOf: KeyIdOf;
  readonly #read: (statement: Statement) => Promise<readonly Row[]>;

  constructor(client: Client, schema: string, keyIdOf: KeyIdOf, former: RowKeys | null = null) {
    this.client = client;
    this.schema = schema;
    this.#former = former;
    this.#keyIdOf = keyIdOf;
    this.#read = reading(client);
  }

  async adoptAll(keys: RowKeys, { sealed }: RowKey): Promise<void> {
    const chains = await this.#adoptLog(keys);
    for (const row of await this.#select('address', null)) await this.#adoptAddress(keys, row);
    await this.#adopt(keys, ENTRY, { table: 'entry', id: ['kind', 'name'] });
    const credentials = await this.#adopt(keys, CREDENTIAL, { table: 'credential', id: ['id'] });
    const house = HOUSE_ROW.row(keys, HOUSE, {
      credentials: digestOfCredentials(keys, credentials),
      chains: digestOfChains(chains),
    });
    const keyId = sealed.length === 0 ? '' : this.#keyIdOf(sealed);
    await this.#store('house', ['id'], [{ id: 1, sealed_key: toBuffer(sealed), key_id: keyId, ...house }]);
  }

  /** First of all, while what the row of the house and the log stand for is as it was. @returns the names of the chains */
  async #adoptLog(keys: RowKeys): Promise<readonly string[]> {
    const former = this.#former;
    if (former === null) return adoptLog(this.#read, this.schema, keys);
    const house = await this.#select('house', null);
    credentialsFrom(former, house, await this.#select('credential', null));
    const heads = await this.#select('audit_head', null);
    const chains = heads.map((row) => row['chain'] as string);
    verifyChains(former, house, chains);
    await changeLogKey(this.#read, this.schema, { former, keys });
    return chains;
  }

  async #adoptAddress(keys: RowKeys, row: Row): Promise<void> {
    const address = ADDRESS.read(row);
    const owner = ownerOf(address);
    const record = this.#taken(RECORD, owner, row);
    await this.#adopt(keys, QUEUE_ENTRY, { table: 'place', id: ['waiter'], address });
    await this.#adopt(keys, RELEASE, { table: 'release', id: ['lock_id'], address });
    const holders = await this.#adopt(keys, HOLDER, { table: 'holder', id: ['lock_id'], address });
    const rows = await this.#select('version', address);
    const versions = rows.map((of) => ({
      ...ADDRESS.row(address),
      ...this.#version(keys, owner, of),
      unsealed: null,
    }));
    const kept = versionRanges(rows.map((of) => Number(of['number'])));
    const byFence = holders.toSorted((a, b) => a.fence - b.fence);
    if (this.#former !== null) requireWhole(this.#former, owner, record, { kept, holders: byFence });
    await this.#store('version', [...ADDRESS_COLUMNS, 'number'], versions);
    const whole = RECORD.row(keys, owner, {
      ...record,
      kept,
      holders: digestOf(byFence.map((holder) => HOLDER.macOf(keys, owner, holder))),
    });
    await this.#store('address', ADDRESS_COLUMNS, [
      { ...ADDRESS.row(address), name: formatAddress(address), ...whole },
    ]);
  }

  #version(keys: RowKeys, owner: string, row: Row): NewRow {
    if (this.#former !== null) return versionRow(keys, owner, toVersion(this.#former, owner, row));
    const version = VERSION.unverified(row);
    const facts = sealFacts(keys, owner, version.number, Buffer.from(row['unsealed'] as string));
    return VERSION.row(keys, owner, { ...version, facts });
  }

  /** What a row says, held against the former key where there is one. */
  #taken<T extends object>(table: AuthenticatedTable<T>, owner: string, row: Row): T {
    return this.#former === null ? table.unverified(row) : table.read(this.#former, owner, row);
  }

  async #adopt<T extends object>(
    keys: RowKeys,
    table: AuthenticatedTable<T>,
    { table: name, id, address }: { table: string; id: readonly string[]; address?: Address },
  ): Promise<T[]> {
    const owner = address === undefined ? HOUSE : ownerOf(address);
    const values = (await this.#select(name, address ?? null)).map((row) => this.#taken(table, owner, row));
    const of = address === undefined ? {} : ADDRESS.row(address);
    const columns = address === undefined ? id : [...ADDRESS_COLUMNS, ...id];
    await this.#store(
      name,
      columns,
      values.map((value) => ({ ...of, ...table.row(keys, owner, value, this.#keyIdOf) })),
    );
    return values;
  }

  async #select(table: string, address: Address | null): Promise<readonly Row[]> {
    if (address === null) return this.#read({ text: `SELECT * FROM ${this.schema}.${table}` });
    return this.#read({
      text: `SELECT * FROM ${this.schema}.${table} WHERE project = $1 AND key = $2 AND workspace = $3`,
      values: [address.project, address.key, address.workspace],
    });
  }

  async #store(table: string, id: readonly string[], rows: readonly NewRow[]): Promise<void> {
    for (const statement of replaceAll(`${this.schema}.${table}`, id, rows)) await this.#read(statement);
  }
}
