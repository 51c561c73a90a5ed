import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Address } from '../../../core/address.ts';
import { defineRecords, type RecordDefinition } from '../../../house/records/define.ts';
import { DYNAMODB_TABLE_KIND } from '../../../house/records/kinds.ts';
import type { Records } from '../../../house/records/records.ts';
import { ACCOUNT_ID } from '../../aws/account.ts';
import { HASH_KEY } from '../layout.ts';
import type { Answer, DoorCall } from './call.ts';
import { invalid, refused, type DynamoError } from './errors.ts';
import type {
  CreateTable,
  ListTables,
  ListTags,
  NamedTable,
  TagResource,
  UntagResource,
  UpdateBackups,
  UpdateTable,
} from './requests.ts';

/** What the house remembers of a table: it has no items of its own, they are the house's locks and states. */
interface Table {
  readonly createdAt: number;
  readonly billing: 'PROVISIONED' | 'PAY_PER_REQUEST';
  readonly read: number;
  readonly write: number;
  readonly protected: boolean;
  readonly backups: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

const NEW_TABLE: Omit<Table, 'createdAt'> = {
  billing: 'PAY_PER_REQUEST',
  read: 0,
  write: 0,
  protected: false,
  backups: false,
  tags: {},
};

const TABLES: RecordDefinition<Table> = defineRecords<Table>(
  DYNAMODB_TABLE_KIND,
  z.object({
    createdAt: z.number(),
    billing: z.enum(['PROVISIONED', 'PAY_PER_REQUEST']).default(NEW_TABLE.billing),
    read: z.number().default(NEW_TABLE.read),
    write: z.number().default(NEW_TABLE.write),
    protected: z.boolean().default(NEW_TABLE.protected),
    backups: z.boolean().default(NEW_TABLE.backups),
    tags: z.record(z.string(), z.string()).default({}),
  }),
);

export async function createTable(call: DoorCall, asked: CreateTable): Promise<Answer> {
  const problem = schemaProblem(asked);
  if (problem !== null) return invalid(problem);
  const refusal = refuseToWrite(call);
  if (refusal !== null) return refusal;
  const table = {
    ...NEW_TABLE,
    ...settingsOf(asked),
    tags: Object.fromEntries((asked.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    createdAt: await call.house.now(),
  };
  const stored = await tablesOf(call).update(call.caller, asked.TableName, (before) => before ?? table);
  if (stored !== table) {
    return { error: 'ResourceInUseException', message: `Table already exists: ${asked.TableName}` };
  }
  return { content: { TableDescription: describe(call, asked.TableName, table) } };
}

export async function describeTable(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  const table = await findTable(call, TableName);
  if (table === null) return noTable(TableName);
  return { content: { Table: describe(call, TableName, table) } };
}

export async function listTables(call: DoorCall, asked: ListTables): Promise<Answer> {
  const { Limit = 100, ExclusiveStartTableName = '' } = asked;
  const names = (await tablesOf(call).list())
    .map(({ name }) => name)
    .filter((name) => name > ExclusiveStartTableName)
    .sort();
  const page = names.slice(0, Limit);
  const last = names.length > page.length ? { LastEvaluatedTableName: page.at(-1) } : {};
  return { content: { TableNames: page, ...last } };
}

export async function updateTable(call: DoorCall, asked: UpdateTable): Promise<Answer> {
  const { TableName } = asked;
  const changed = await changeTable(call, TableName, settingsOf(asked));
  return 'error' in changed ? changed : { content: { TableDescription: describe(call, TableName, changed) } };
}

/** DeleteTable forgets the name. Locks and states are the house's, and stay. */
export async function deleteTable(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  const table = await findTable(call, TableName);
  if (table === null) return noTable(TableName);
  const forbidden = call.house.refuse(call.caller, 'manage');
  if (forbidden !== null) return refused(forbidden);
  if (table.protected) return protectedTable();
  // It may have been protected since it was looked at.
  const left = await tablesOf(call).update(call.caller, TableName, (now) =>
    now?.protected === true ? now : null,
  );
  if (left !== null) return protectedTable();
  const description = describe(call, TableName, table);
  return { content: { TableDescription: { ...description, TableStatus: 'DELETING' } } };
}

export async function describeTimeToLive(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  if ((await findTable(call, TableName)) === null) return noTable(TableName);
  return { content: { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } } };
}

/** What is answered says what is set. The house keeps every version of a state in any case. */
export async function describeContinuousBackups(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  const table = await findTable(call, TableName);
  return table === null ? noTable(TableName) : { content: backups(table) };
}

export async function updateContinuousBackups(call: DoorCall, asked: UpdateBackups): Promise<Answer> {
  const { PointInTimeRecoveryEnabled } = asked.PointInTimeRecoverySpecification;
  const changed = await changeTable(call, asked.TableName, { backups: PointInTimeRecoveryEnabled });
  return 'error' in changed ? changed : { content: backups(changed) };
}

export async function listTags(call: DoorCall, { ResourceArn }: ListTags): Promise<Answer> {
  const table = await findTable(call, ResourceArn);
  if (table === null) return noTable(ResourceArn);
  return { content: { Tags: Object.entries(table.tags).map(([Key, Value]) => ({ Key, Value })) } };
}

export async function tagResource(call: DoorCall, asked: TagResource): Promise<Answer> {
  return retag(call, asked.ResourceArn, (tags) => ({
    ...tags,
    ...Object.fromEntries(asked.Tags.map(({ Key, Value }) => [Key, Value])),
  }));
}

export async function untagResource(call: DoorCall, asked: UntagResource): Promise<Answer> {
  return retag(call, asked.ResourceArn, (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !asked.TagKeys.includes(key))),
  );
}

/** Whether a table is known; what another node has just made is looked for once more. */
export async function isTable(call: DoorCall, name: string): Promise<boolean> {
  return (await findTable(call, name)) !== null;
}

/**
 * Makes a table known that was never created, because somebody who may take a lock asks for it there, whoever holds it. So
 * a `dynamodb_table` works with nothing but an endpoint set.
 */
export async function ensureTable(call: DoorCall, name: string, address: Address): Promise<void> {
  const { caller, house } = call;
  if (
    house.refuseEverywhere(caller, 'lock') !== null ||
    (await house.locks.refuse(caller, 'lock', address)) !== null
  )
    return;
  if (await isTable(call, name)) return;
  const createdAt = await house.now();
  await tablesOf(call).update(caller, name, (before) => before ?? { ...NEW_TABLE, createdAt });
}

export function noTable(name: string): DynamoError {
  return {
    error: 'ResourceNotFoundException',
    message: `Requested resource not found: Table: ${name} not found`,
  };
}

async function retag(
  call: DoorCall,
  name: string,
  change: (tags: Table['tags']) => Table['tags'],
): Promise<Answer> {
  const changed = await changeTable(call, name, ({ tags }) => ({ tags: change(tags) }));
  return 'error' in changed ? changed : { content: {} };
}

/** Changes what is set for a table, if it is there and the caller may. */
async function changeTable(
  call: DoorCall,
  name: string,
  change: Partial<Table> | ((before: Table) => Partial<Table>),
): Promise<Table | DynamoError> {
  if (!(await isTable(call, name))) return noTable(name);
  const refusal = refuseToWrite(call);
  if (refusal !== null) return refusal;
  const changed = await tablesOf(call).update(call.caller, name, (before) =>
    before === null ? null : { ...before, ...(typeof change === 'function' ? change(before) : change) },
  );
  return changed ?? noTable(name);
}

function protectedTable(): DynamoError {
  return invalid(`Resource cannot be deleted as it is currently protected against deletion.`);
}

function tablesOf({ house }: DoorCall): Records<Table> {
  return house.records(TABLES);
}

async function findTable(call: DoorCall, name: string): Promise<Table | null> {
  const tables = tablesOf(call);
  const known = await tables.find(name);
  return known ?? (await tables.list()).find((candidate) => candidate.name === name)?.record ?? null;
}

/** A lock table has one key, and no other schema would let terraform lock. */
function schemaProblem(asked: CreateTable): string | null {
  const { KeySchema, AttributeDefinitions, BillingMode, ProvisionedThroughput } = asked;
  const [key] = KeySchema;
  const definition = AttributeDefinitions.find(({ AttributeName }) => AttributeName === key?.AttributeName);
  if (key === undefined || definition === undefined) {
    return 'One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions.';
  }
  const right =
    KeySchema.length === 1 &&
    key.AttributeName === HASH_KEY &&
    key.KeyType === 'HASH' &&
    definition.AttributeType === 'S';
  if (!right) {
    return `Only lock tables of Terraform are kept here: their one key is ${HASH_KEY}, a HASH key of type S.`;
  }
  if (AttributeDefinitions.length > 1) {
    return 'One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions';
  }
  if (BillingMode === 'PAY_PER_REQUEST' && ProvisionedThroughput !== undefined) {
    return 'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST';
  }
  if (BillingMode !== 'PAY_PER_REQUEST' && ProvisionedThroughput === undefined) {
    return 'One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED';
  }
  return null;
}

function settingsOf(asked: {
  BillingMode?: Table['billing'] | undefined;
  ProvisionedThroughput?: { ReadCapacityUnits: number; WriteCapacityUnits: number } | undefined;
  DeletionProtectionEnabled?: boolean | undefined;
}): Partial<Table> {
  const { BillingMode, ProvisionedThroughput, DeletionProtectionEnabled } = asked;
  return {
    ...(ProvisionedThroughput === undefined
      ? BillingMode === undefined
        ? {}
        : { billing: BillingMode, read: 0, write: 0 }
      : {
          billing: 'PROVISIONED' as const,
          read: ProvisionedThroughput.ReadCapacityUnits,
          write: ProvisionedThroughput.WriteCapacityUnits,
        }),
    ...(DeletionProtectionEnabled === undefined ? {} : { protected: DeletionProtectionEnabled }),
  };
}

function describe(call: DoorCall, name: string, table: Table): Readonly<Record<string, unknown>> {
  const created = table.createdAt / 1_000;
  const onDemand = table.billing === 'PAY_PER_REQUEST';
  return {
    AttributeDefinitions: [{ AttributeName: HASH_KEY, AttributeType: 'S' }],
    TableName: name,
    KeySchema: [{ AttributeName: HASH_KEY, KeyType: 'HASH' }],
    TableStatus: 'ACTIVE',
    CreationDateTime: created,
    ProvisionedThroughput: {
      NumberOfDecreasesToday: 0,
      ReadCapacityUnits: table.read,
      WriteCapacityUnits: table.write,
    },
    TableSizeBytes: 0,
    ItemCount: 0,
    TableArn: `arn:aws:dynamodb:${call.region}:${ACCOUNT_ID}:table/${name}`,
    TableId: tableId(name, table.createdAt),
    ...(onDemand
      ? {
          BillingModeSummary: {
            BillingMode: 'PAY_PER_REQUEST',
            LastUpdateToPayPerRequestDateTime: created,
          },
        }
      : {}),
    DeletionProtectionEnabled: table.protected,
  };
}

/** A UUID that is always the same for the same table. */
function tableId(name: string, createdAt: number): string {
  const hex = createHash('sha256').update(`${name}\n${createdAt}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function backups({ backups: enabled, createdAt }: Table): Readonly<Record<string, unknown>> {
  const window = enabled
    ? {
        EarliestRestorableDateTime: createdAt / 1_000,
        LatestRestorableDateTime: createdAt / 1_000,
        RecoveryPeriodInDays: 35,
      }
    : {};
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: {
        PointInTimeRecoveryStatus: enabled ? 'ENABLED' : 'DISABLED',
        ...window,
      },
    },
  };
}

function refuseToWrite({ caller, house }: DoorCall): DynamoError | null {
  const refusal = house.refuseEverywhere(caller, 'lock');
  return refusal === null ? null : refused(refusal);
}
