import { z } from 'zod';
import type { Address } from '../../../core/address.ts';
import { defineRecords, type RecordDefinition } from '../../../house/records/define.ts';
import { DYNAMODB_TABLE_KIND } from '../../../house/records/kinds.ts';
import type { Records } from '../../../house/records/records.ts';
import { TABLES_MAX, TABLES_OF_ONE_MAX } from '../layout.ts';
import type { DoorCall } from './call.ts';
import { refused, type DynamoError } from './errors.ts';

/** What the house remembers of a table: it has no items of its own, they are the house's locks and states. */
export interface Table {
  readonly createdAt: number;
  /** The subject that made or first used it; "" where that is not known. */
  readonly madeBy: string;
  readonly billing: 'PROVISIONED' | 'PAY_PER_REQUEST';
  readonly read: number;
  readonly write: number;
  readonly protected: boolean;
  readonly backups: boolean;
  /** The KMS key that it is said to be encrypted with, "" for the account's own; null where nobody has asked for one. */
  readonly kmsKey: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

const UNSET: Omit<Table, 'createdAt' | 'madeBy'> = {
  billing: 'PAY_PER_REQUEST',
  read: 0,
  write: 0,
  protected: false,
  backups: false,
  kmsKey: null,
  tags: {},
};

const TABLES: RecordDefinition<Table> = defineRecords<Table>(
  DYNAMODB_TABLE_KIND,
  z.object({
    createdAt: z.number(),
    madeBy: z.string().default(''),
    billing: z.enum(['PROVISIONED', 'PAY_PER_REQUEST']).default(UNSET.billing),
    read: z.number().default(UNSET.read),
    write: z.number().default(UNSET.write),
    protected: z.boolean().default(UNSET.protected),
    backups: z.boolean().default(UNSET.backups),
    kmsKey: z.string().nullable().default(UNSET.kmsKey),
    tags: z.record(z.string(), z.string()).default({}),
  }),
);

export function tablesOf({ house }: DoorCall): Records<Table> {
  return house.records(TABLES);
}

/** A table by its name; what another node has just made is looked for once more. */
export async function findTable(call: DoorCall, name: string): Promise<Table | null> {
  const tables = tablesOf(call);
  const known = await tables.find(name);
  return known ?? (await tables.list()).find((candidate) => candidate.name === name)?.record ?? null;
}

/** Whether a table is known. */
export async function isTable(call: DoorCall, name: string): Promise<boolean> {
  return (await findTable(call, name)) !== null;
}

/** Makes a table, unless there are too many. @returns null where there is one of that name */
export async function makeTable(
  call: DoorCall,
  name: string,
  settings: Partial<Table>,
): Promise<Table | null | DynamoError> {
  const { caller, house } = call;
  const { subject } = caller.identity;
  const tables = await tablesOf(call).list();
  if (tables.some((table) => table.name === name)) return null;
  if (tables.length >= TABLES_MAX) {
    return tooMany(`This server has ${TABLES_MAX} tables, which is the most: an admin can delete some.`);
  }
  const own = tables.filter(({ record }) => record.madeBy === subject).length;
  if (own >= TABLES_OF_ONE_MAX && !isAdmin(call)) {
    return tooMany(
      `${subject} has made or used ${TABLES_OF_ONE_MAX} tables, which is the most: use one of them, or ask an admin of the server to make this one.`,
    );
  }
  const table = { ...UNSET, ...settings, madeBy: subject, createdAt: await house.now() };
  const stored = await tablesOf(call).update(caller, name, (before) => before ?? table);
  return stored === table ? table : null;
}

/**
 * Makes a table known that was never created, because somebody who may take a lock asks for it there, whoever holds it. So
 * a `dynamodb_table` works with nothing but an endpoint set.
 * @returns why it cannot be, where there are too many
 */
export async function ensureTable(
  call: DoorCall,
  name: string,
  address: Address,
): Promise<DynamoError | null> {
  const { caller, house } = call;
  if (
    house.gate.known(caller.identity) !== null ||
    (await house.locks.refuse(caller, 'lock', address)) !== null
  )
    return null;
  if (await isTable(call, name)) return null;
  const made = await makeTable(call, name, {});
  return made !== null && 'error' in made ? made : null;
}

/** Why a caller may not know of tables at all; null for who may take a lock somewhere, and so needs one. */
export function refuseTables({ caller, house }: DoorCall): DynamoError | null {
  const refusal = house.refuseEverywhere(caller, 'lock');
  return refusal === null ? null : refused(refusal);
}

/** Whether a caller may do whatever there is to do to tables. */
export function isAdmin({ caller, house }: DoorCall): boolean {
  return house.refuse(caller, 'manage') === null;
}

/** A table that the caller may change, and see all of: its own, or, for an admin of the house, any. */
export async function ownTable(call: DoorCall, name: string): Promise<Table | DynamoError> {
  const refusal = refuseTables(call);
  if (refusal !== null) return refusal;
  const table = await findTable(call, name);
  if (table === null) return noTable(name);
  const { subject } = call.caller.identity;
  if (table.madeBy === subject || isAdmin(call)) return table;
  return denied(
    `${subject} may not change the table ${name} or see its tags: it was made by another. Ask an admin of the server.`,
  );
}

export function noTable(name: string): DynamoError {
  return {
    error: 'ResourceNotFoundException',
    message: `Requested resource not found: Table: ${name} not found`,
  };
}

export function denied(message: string): DynamoError {
  return { error: 'AccessDeniedException', message };
}

function tooMany(message: string): DynamoError {
  return { error: 'LimitExceededException', message: `Subscriber limit exceeded: ${message}` };
}
