import type { Client } from 'pg';
import type { Address } from '../../core/address.ts';
import { formatAddress } from '../../core/address.ts';
import { UnauthenticatedRows, type OpenRowKey, type RowKey } from '../../ports/row-key.ts';
import { digestOf, NO_ROW_KEY, ownerOf, RowKeys } from '../row-keys.ts';
import { versionRanges } from '../version-numbers.ts';
import { adoptLog, verifyEnd, verifyLog } from './audit-chain.ts';
import { toBuffer, toBytes, type AuthenticatedTable, type KeyIdOf, type NewRow } from './columns.ts';
import { connectAlone, type Row, type Statement } from './connection.ts';
import { digestOfChains, digestOfCredentials, HOUSE_ROW, verifyChains } from './credentials.ts';
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
  sealFacts,
  VERSION,
} from './rows.ts';
import { EngineFault, type WholeLog } from '../../ports/engine.ts';
import { lockSchema } from './migrate.ts';
import type { PostgresOptions } from './session/options.ts';
import { replaceAll } from './session/statements.ts';
import { countAll, isCountedUp } from './usage.ts';

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

/** Authenticates every row that is there as it is, inside a transaction. */
class Adoption {
  readonly client: Client;
  readonly schema: string;
  readonly #keyIdOf: KeyIdOf;
  readonly #read: (statement: Statement) => Promise<readonly Row[]>;

  constructor(client: Client, schema: string, keyIdOf: KeyIdOf) {
    this.client = client;
    this.schema = schema;
    this.#keyIdOf = keyIdOf;
    this.#read = reading(client);
  }

  async adoptAll(keys: RowKeys, { sealed }: RowKey): Promise<void> {
    for (const row of await this.#select('address', null)) {
      await this.#adoptAddress(keys, ADDRESS.read(row), RECORD.unverified(row));
    }
    await this.#adopt(keys, ENTRY, { table: 'entry', id: ['kind', 'name'] });
    const credentials = await this.#adopt(keys, CREDENTIAL, { table: 'credential', id: ['id'] });
    const chains = await adoptLog(this.#read, this.schema, keys);
    const house = HOUSE_ROW.row(keys, HOUSE, {
      credentials: digestOfCredentials(keys, credentials),
      chains: digestOfChains(chains),
    });
    const keyId = sealed.length === 0 ? '' : this.#keyIdOf(sealed);
    await this.#store('house', ['id'], [{ id: 1, sealed_key: toBuffer(sealed), key_id: keyId, ...house }]);
  }

  async #adoptAddress(
    keys: RowKeys,
    address: Address,
    record: ReturnType<typeof RECORD.unverified>,
  ): Promise<void> {
    const owner = ownerOf(address);
    await this.#adopt(keys, QUEUE_ENTRY, { table: 'place', id: ['waiter'], address });
    await this.#adopt(keys, RELEASE, { table: 'release', id: ['lock_id'], address });
    const holders = await this.#adopt(keys, HOLDER, { table: 'holder', id: ['lock_id'], address });
    const rows = await this.#select('version', address);
    const versions = rows.map((row) => {
      const version = VERSION.unverified(row);
      const facts = sealFacts(keys, owner, version.number, Buffer.from(row['unsealed'] as string));
      return { ...ADDRESS.row(address), ...VERSION.row(keys, owner, { ...version, facts }), unsealed: null };
    });
    await this.#store('version', [...ADDRESS_COLUMNS, 'number'], versions);
    const byFence = holders.toSorted((a, b) => a.fence - b.fence);
    const whole = RECORD.row(keys, owner, {
      ...record,
      kept: versionRanges(rows.map((row) => Number(row['number']))),
      holders: digestOf(byFence.map((holder) => HOLDER.macOf(keys, owner, holder))),
    });
    await this.#store('address', ADDRESS_COLUMNS, [
      { ...ADDRESS.row(address), name: formatAddress(address), ...whole },
    ]);
  }

  async #adopt<T extends object>(
    keys: RowKeys,
    table: AuthenticatedTable<T>,
    { table: name, id, address }: { table: string; id: readonly string[]; address?: Address },
  ): Promise<T[]> {
    const owner = address === undefined ? HOUSE : ownerOf(address);
    const values = (await this.#select(name, address ?? null)).map((row) => table.unverified(row));
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
