import { createHash } from 'node:crypto';
import { HASH_KEY, TAGS_MAX } from '../layout.ts';
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
import {
  denied,
  findTable,
  isAdmin,
  makeTable,
  noTable,
  ownTable,
  refuseTables,
  tablesOf,
  type Table,
} from './table-records.ts';

export async function createTable(call: DoorCall, asked: CreateTable): Promise<Answer> {
  const problem = schemaProblem(asked);
  if (problem !== null) return invalid(problem);
  const refusal = refuseTables(call) ?? refuseToProtect(call, asked, false);
  if (refusal !== null) return refusal;
  const table = await makeTable(call, asked.TableName, {
    ...settingsOf(asked),
    tags: Object.fromEntries((asked.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
  });
  if (table === null) {
    return { error: 'ResourceInUseException', message: `Table already exists: ${asked.TableName}` };
  }
  if ('error' in table) return table;
  return { content: { TableDescription: describe(call, asked.TableName, table) } };
}

const NO_CAPACITY =
  'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST';

/** For whoever may take a lock: a tool that is to make the table of a block looks first whether it is there. */
export async function describeTable(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  const table = await knownTable(call, TableName);
  return 'error' in table ? table : { content: { Table: describe(call, TableName, table) } };
}

/** All tables for an admin of the house, and for others those that they have made or used first. */
export async function listTables(call: DoorCall, asked: ListTables): Promise<Answer> {
  const refusal = refuseTables(call);
  if (refusal !== null) return refusal;
  const { Limit = 100, ExclusiveStartTableName = '' } = asked;
  const { subject } = call.caller.identity;
  const seesAll = isAdmin(call);
  const names = (await tablesOf(call).list())
    .filter(({ record }) => seesAll || record.madeBy === subject)
    .map(({ name }) => name)
    .filter((name) => name > ExclusiveStartTableName)
    .sort();
  const page = names.slice(0, Limit);
  const last = names.length > page.length ? { LastEvaluatedTableName: page.at(-1) } : {};
  return { content: { TableNames: page, ...last } };
}

export async function updateTable(call: DoorCall, asked: UpdateTable): Promise<Answer> {
  const { TableName } = asked;
  const own = await ownTable(call, TableName);
  if ('error' in own) return own;
  const refusal = refuseToProtect(call, asked, own.protected);
  if (refusal !== null) return refusal;
  const { BillingMode = own.billing, ProvisionedThroughput } = asked;
  if (BillingMode === 'PAY_PER_REQUEST' && ProvisionedThroughput !== undefined) return invalid(NO_CAPACITY);
  const changed = await changeTable(call, TableName, settingsOf(asked));
  return 'error' in changed ? changed : { content: { TableDescription: describe(call, TableName, changed) } };
}

/** DeleteTable forgets the name, for an admin of the house: others may use it. Locks and states are the house's, and stay. */
export async function deleteTable(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  const forbidden = call.house.refuse(call.caller, 'manage');
  if (forbidden !== null) return refuseTables(call) ?? refused(forbidden);
  const table = await findTable(call, TableName);
  if (table === null) return noTable(TableName);
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
  const table = await knownTable(call, TableName);
  if ('error' in table) return table;
  return { content: { TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } } };
}

/** What is answered says what is set. The house keeps every version of a state in any case. */
export async function describeContinuousBackups(call: DoorCall, { TableName }: NamedTable): Promise<Answer> {
  const table = await knownTable(call, TableName);
  return 'error' in table ? table : { content: backups(table) };
}

export async function updateContinuousBackups(call: DoorCall, asked: UpdateBackups): Promise<Answer> {
  const { PointInTimeRecoveryEnabled } = asked.PointInTimeRecoverySpecification;
  const changed = await changeTable(call, asked.TableName, { backups: PointInTimeRecoveryEnabled });
  return 'error' in changed ? changed : { content: backups(changed) };
}

export async function listTags(call: DoorCall, { ResourceArn }: ListTags): Promise<Answer> {
  const table = await ownTable(call, ResourceArn);
  if ('error' in table) return table;
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

/** A table that is there, for whoever may know of one. */
async function knownTable(call: DoorCall, name: string): Promise<Table | DynamoError> {
  return refuseTables(call) ?? (await findTable(call, name)) ?? noTable(name);
}

async function retag(
  call: DoorCall,
  name: string,
  change: (tags: Table['tags']) => Table['tags'],
): Promise<Answer> {
  let tooMany = false;
  const changed = await changeTable(call, name, ({ tags: before }) => {
    const tags = change(before);
    tooMany = Object.keys(tags).length > TAGS_MAX;
    return tooMany ? {} : { tags };
  });
  if ('error' in changed) return changed;
  if (!tooMany) return { content: {} };
  return invalid(
    `One or more parameter values were invalid: Number of Tags exceed the current limit for the provided ResourceArn: a table has at most ${TAGS_MAX}`,
  );
}

/** Changes what is set for a table, if it is there and the caller may. */
async function changeTable(
  call: DoorCall,
  name: string,
  change: Partial<Table> | ((before: Table) => Partial<Table>),
): Promise<Table | DynamoError> {
  const own = await ownTable(call, name);
  if ('error' in own) return own;
  const changed = await tablesOf(call).update(call.caller, name, (before) => {
    if (before === null) return null;
    const settings = typeof change === 'function' ? change(before) : change;
    return Object.keys(settings).length === 0 ? before : { ...before, ...settings };
  });
  return changed ?? noTable(name);
}

/** A table that is protected cannot be deleted, which concerns all who use it. */
function refuseToProtect(
  call: DoorCall,
  { DeletionProtectionEnabled }: { readonly DeletionProtectionEnabled?: boolean | undefined },
  now: boolean,
): DynamoError | null {
  if (DeletionProtectionEnabled === undefined || DeletionProtectionEnabled === now || isAdmin(call))
    return null;
  return denied(
    `${call.caller.identity.subject} may not change the protection of a table: only an admin of the server may.`,
  );
}

function protectedTable(): DynamoError {
  return invalid(`Resource cannot be deleted as it is currently protected against deletion.`);
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
    return NO_CAPACITY;
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
  SSESpecification?: CreateTable['SSESpecification'];
}): Partial<Table> {
  const { BillingMode, ProvisionedThroughput, DeletionProtectionEnabled, SSESpecification } = asked;
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
    ...(SSESpecification === undefined ? {} : { kmsKey: kmsKeyOf(SSESpecification) }),
  };
}

/** Where encryption is turned on, it is by KMS: what is not so is encrypted by a key of the service's own. */
function kmsKeyOf({
  Enabled = false,
  SSEType = 'KMS',
  KMSMasterKeyId = '',
}: NonNullable<CreateTable['SSESpecification']>): string | null {
  return Enabled && SSEType === 'KMS' ? KMSMasterKeyId : null;
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
    TableArn: `arn:aws:dynamodb:${call.region}:${call.account}:table/${name}`,
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
    ...(table.kmsKey === null
      ? {}
      : {
          SSEDescription: {
            Status: 'ENABLED',
            SSEType: 'KMS',
            KMSMasterKeyArn: keyArn(call, table.kmsKey),
          },
        }),
  };
}

function keyArn({ region, account }: DoorCall, key: string): string {
  if (key.startsWith('arn:')) return key;
  const name = key === '' ? 'alias/aws/dynamodb' : key.startsWith('alias/') ? key : `key/${key}`;
  return `arn:aws:kms:${region}:${account}:${name}`;
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
