import * as z from 'zod';
import { attributeProblem, type AttributeValue } from '../attribute.ts';
import { ITEM_BYTES_MAX, TABLE_NAME, TAGS_MAX } from '../layout.ts';
import { itemBytes } from '../size.ts';

// What each operation takes, as far as this door reads it. Members that it does not know are passed over, as AWS's newer
// clients send some; those that would change the meaning of a request are refused.

/** Members of the time before expressions, and of indexes, which lock tables do not have. */
export const REFUSED_MEMBERS: Readonly<Record<string, string>> = {
  AttributesToGet: 'write a ProjectionExpression instead',
  AttributeUpdates: 'write an UpdateExpression instead',
  ConditionalOperator: 'write a ConditionExpression instead',
  Expected: 'write a ConditionExpression instead',
  IndexName: 'a lock table has no index',
  GlobalSecondaryIndexes: 'a lock table has no index',
  GlobalSecondaryIndexUpdates: 'a lock table has no index',
  LocalSecondaryIndexes: 'a lock table has no index',
  KeyConditions: 'write a KeyConditionExpression instead',
  QueryFilter: 'write a FilterExpression instead',
  ScanFilter: 'write a FilterExpression instead',
};

/** What DynamoDB takes for a number of units; none is ever used here. */
const CAPACITY_MAX = 1_000_000_000_000;
/** Members of an array that is no item's. */
const MEMBERS_MAX = 50;

type Attributes = Readonly<Record<string, AttributeValue>>;
type Capacity = 'INDEXES' | 'TOTAL' | 'NONE';
type Billing = 'PROVISIONED' | 'PAY_PER_REQUEST';

interface OfTable {
  readonly TableName: string;
  readonly ReturnConsumedCapacity?: Capacity | undefined;
}

interface Expressive extends OfTable {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Attributes | undefined;
}

interface Conditional extends Expressive {
  readonly ConditionExpression?: string | undefined;
  readonly ReturnValues?: string | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE' | undefined;
}

export interface GetItem extends Expressive {
  readonly Key: Attributes;
  readonly ConsistentRead?: boolean | undefined;
  readonly ProjectionExpression?: string | undefined;
}

export interface PutItem extends Conditional {
  readonly Item: Attributes;
}

export interface DeleteItem extends Conditional {
  readonly Key: Attributes;
}

export interface UpdateItem extends Conditional {
  readonly Key: Attributes;
  readonly UpdateExpression?: string | undefined;
}

interface ReadRequest extends Expressive {
  readonly ConsistentRead?: boolean | undefined;
  readonly FilterExpression?: string | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly Select?: string | undefined;
  readonly Limit?: number | undefined;
  readonly ExclusiveStartKey?: Attributes | undefined;
}

export interface Query extends ReadRequest {
  readonly KeyConditionExpression: string;
}

export interface Scan extends ReadRequest {
  readonly Segment?: number | undefined;
  readonly TotalSegments?: number | undefined;
}

interface TableSettings {
  readonly BillingMode?: Billing | undefined;
  readonly ProvisionedThroughput?:
    | { readonly ReadCapacityUnits: number; readonly WriteCapacityUnits: number }
    | undefined;
  readonly DeletionProtectionEnabled?: boolean | undefined;
  readonly SSESpecification?: EncryptionSettings | undefined;
}

/** Which key a table is to be encrypted with. */
interface EncryptionSettings {
  readonly Enabled?: boolean | undefined;
  readonly SSEType?: 'AES256' | 'KMS' | undefined;
  readonly KMSMasterKeyId?: string | undefined;
}

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

export interface CreateTable extends OfTable, TableSettings {
  readonly KeySchema: readonly { readonly AttributeName: string; readonly KeyType: string }[];
  readonly AttributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: string;
  }[];
  readonly Tags?: readonly Tag[] | undefined;
}

export interface UpdateTable extends OfTable, TableSettings {}

export interface NamedTable extends OfTable {}

export interface ListTables {
  readonly Limit?: number | undefined;
  readonly ExclusiveStartTableName?: string | undefined;
}

export interface UpdateBackups extends OfTable {
  readonly PointInTimeRecoverySpecification: { readonly PointInTimeRecoveryEnabled: boolean };
}

export interface ListTags {
  readonly ResourceArn: string;
}

export interface TagResource extends ListTags {
  readonly Tags: readonly Tag[];
}

export interface UntagResource extends ListTags {
  readonly TagKeys: readonly string[];
}

/** Attribute values by name, of which the first that is wrong ends the looking, and is told of in DynamoDB's words. */
function attributesOf(
  tooLarge: string,
  tell = (problem: string, _name: string): string => problem,
): z.ZodType<Attributes> {
  const problemOf = (value: unknown): string | null => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return 'attribute values are given by name, such as {"LockID": {"S": "text"}}';
    }
    for (const [name, one] of Object.entries(value)) {
      const problem = attributeProblem(one);
      if (problem !== null) return tell(problem, name);
    }
    return itemBytes(Object.entries(value as Attributes)) > ITEM_BYTES_MAX ? tooLarge : null;
  };
  return z.custom<Attributes>((value) => problemOf(value) === null, {
    error: ({ input }) => problemOf(input) ?? '',
  });
}

const attributes = attributesOf('Item size has exceeded the maximum allowed size');
const values = attributesOf(
  'ExpressionAttributeValues exceeds max size',
  (problem, name) => `ExpressionAttributeValues contains invalid value: ${problem} for key ${name}`,
);
const names = z.custom<Readonly<Record<string, string>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((name) => typeof name === 'string'),
  'ExpressionAttributeNames are texts by name, such as {"#i": "Info"}',
);
/** A table by its name, or by the name in its ARN. */
const tableName = z
  .string()
  .transform((name) => name.replace(/^arn:[^/]*:table\//, ''))
  .refine(
    (name) => TABLE_NAME.test(name),
    'TableName must be at least 3 characters long and at most 255 characters long, of the characters a-z, A-Z, 0-9, "_", "-" and "."',
  );
const expressive = {
  TableName: tableName,
  ReturnConsumedCapacity: z.enum(['INDEXES', 'TOTAL', 'NONE']).optional(),
  ExpressionAttributeNames: names.optional(),
  ExpressionAttributeValues: values.optional(),
};
const conditional = {
  ...expressive,
  ConditionExpression: z.string().optional(),
  ReturnValues: z.enum(['NONE', 'ALL_OLD']).optional(),
  ReturnValuesOnConditionCheckFailure: z.enum(['ALL_OLD', 'NONE']).optional(),
};
const reading = {
  ...expressive,
  ConsistentRead: z.boolean().optional(),
  FilterExpression: z.string().optional(),
  ProjectionExpression: z.string().optional(),
  Select: z.enum(['ALL_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT']).optional(),
  Limit: z.int().min(1).optional(),
  ExclusiveStartKey: attributes.optional(),
};
const capacity = z.int().min(1).max(CAPACITY_MAX);
const settings = {
  TableName: tableName,
  BillingMode: z.enum(['PROVISIONED', 'PAY_PER_REQUEST']).optional(),
  ProvisionedThroughput: z.object({ ReadCapacityUnits: capacity, WriteCapacityUnits: capacity }).optional(),
  DeletionProtectionEnabled: z.boolean().optional(),
  SSESpecification: z
    .object({
      Enabled: z.boolean().optional(),
      SSEType: z.enum(['AES256', 'KMS']).optional(),
      KMSMasterKeyId: z.string().min(1).max(2_048).optional(),
    })
    .optional(),
};
/** An array that is not looked into where it is longer than allowed. */
function arrayOf<T>(element: z.ZodType<T>, most: number): z.ZodType<readonly T[]> {
  const short = z.custom<unknown[]>(
    (value) => Array.isArray(value) && value.length <= most,
    `an array has at most ${most} members here`,
  );
  return short.pipe(z.array(element));
}

const tags = arrayOf(z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256) }), TAGS_MAX);

export const GET_ITEM: z.ZodType<GetItem> = z.object({
  ...expressive,
  Key: attributes,
  ConsistentRead: z.boolean().optional(),
  ProjectionExpression: z.string().optional(),
});

export const PUT_ITEM: z.ZodType<PutItem> = z.object({ ...conditional, Item: attributes });

export const DELETE_ITEM: z.ZodType<DeleteItem> = z.object({ ...conditional, Key: attributes });

export const UPDATE_ITEM: z.ZodType<UpdateItem> = z.object({
  ...conditional,
  Key: attributes,
  UpdateExpression: z.string().optional(),
  ReturnValues: z.enum(['NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW']).optional(),
});

export const QUERY: z.ZodType<Query> = z.object({ ...reading, KeyConditionExpression: z.string() });

export const SCAN: z.ZodType<Scan> = z.object({
  ...reading,
  Segment: z.int().min(0).optional(),
  TotalSegments: z.int().min(1).optional(),
});

export const CREATE_TABLE: z.ZodType<CreateTable> = z.object({
  ...settings,
  KeySchema: arrayOf(
    z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }),
    MEMBERS_MAX,
  ),
  AttributeDefinitions: arrayOf(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
    MEMBERS_MAX,
  ),
  Tags: tags.optional(),
});

export const UPDATE_TABLE: z.ZodType<UpdateTable> = z
  .object(settings)
  .refine(
    ({ BillingMode, ProvisionedThroughput }) =>
      BillingMode !== 'PROVISIONED' || ProvisionedThroughput !== undefined,
    'One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED',
  )
  .refine(
    ({ BillingMode, ProvisionedThroughput }) =>
      BillingMode !== 'PAY_PER_REQUEST' || ProvisionedThroughput === undefined,
    'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
  );

export const NAMED_TABLE: z.ZodType<NamedTable> = z.object({ TableName: tableName });

export const LIST_TABLES: z.ZodType<ListTables> = z.object({
  Limit: z.int().min(1).max(100).optional(),
  ExclusiveStartTableName: tableName.optional(),
});

export const UPDATE_BACKUPS: z.ZodType<UpdateBackups> = z.object({
  TableName: tableName,
  PointInTimeRecoverySpecification: z.object({ PointInTimeRecoveryEnabled: z.boolean() }),
});

export const LIST_TAGS: z.ZodType<ListTags> = z.object({ ResourceArn: tableName });
export const TAG_RESOURCE: z.ZodType<TagResource> = z.object({ ResourceArn: tableName, Tags: tags });
export const UNTAG_RESOURCE: z.ZodType<UntagResource> = z.object({
  ResourceArn: tableName,
  TagKeys: arrayOf(z.string(), MEMBERS_MAX),
});
