import {
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Grant } from '../../../src/core/grant.ts';
import { TAGS_MAX, TABLES_OF_ONE_MAX } from '../../../src/protocols/dynamodb/layout.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { dynamoClient, failure, lockInfo } from '../aws/sdk.ts';

const aws = AwsHouse.forThisFile();
let made = 0;

/** A client with a credential of its own. */
async function client(role: Grant['role'], pattern: string, expiresAt?: number): Promise<DynamoDBClient> {
  made += 1;
  const pair = await aws.house.credential(`${role}-${made}`, [{ role, pattern }], expiresAt ?? null);
  return dynamoClient(aws.house.url, pair);
}

const create = (db: DynamoDBClient, TableName: string, more: Partial<CreateTableCommandInput> = {}) =>
  db.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
      ...more,
    }),
  );
const lock = (db: DynamoDBClient, TableName: string, name: string): Promise<unknown> =>
  db.send(
    new PutItemCommand({
      TableName,
      Item: { LockID: { S: name }, Info: { S: lockInfo(name) } },
      ConditionExpression: 'attribute_not_exists(LockID)',
    }),
  );
const arn = (name: string): string => `arn:aws:dynamodb:us-east-1:000000000000:table/${name}`;
const tags = (from: number, count: number): { Key: string; Value: string }[] =>
  Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}`, Value: 'v' }));
const DENIED = 'AccessDeniedException 400';
/** All that can be asked of tables but making one. */
const all = (db: DynamoDBClient, TableName: string): Promise<readonly string[]> => {
  const ResourceArn = arn(TableName);
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
  return Promise.all(
    [
      db.send(new DescribeTableCommand({ TableName })),
      db.send(new DescribeTimeToLiveCommand({ TableName })),
      db.send(new DescribeContinuousBackupsCommand({ TableName })),
      db.send(new ListTablesCommand({})),
      db.send(new ListTagsOfResourceCommand({ ResourceArn })),
      db.send(new TagResourceCommand({ ResourceArn, Tags: tags(0, 1) })),
      db.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['k0'] })),
      db.send(new UpdateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST' })),
      db.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification })),
      db.send(new DeleteTableCommand({ TableName })),
    ].map(failure),
  );
};

describe('the billing of a table', () => {
  it('by request has no capacity, also where it is not named again', async () => {
    const db = await client('writer', '*');
    await create(db, 'by-request');
    const ProvisionedThroughput = { ReadCapacityUnits: 1, WriteCapacityUnits: 1 };
    const change = (more: object): Promise<unknown> =>
      db.send(new UpdateTableCommand({ TableName: 'by-request', ProvisionedThroughput, ...more }));
    expect(await failure(change({}))).toBe('ValidationException 400');
    await change({ BillingMode: 'PROVISIONED' });
    await change({});
  });
});

describe('the tables of others', () => {
  it('are neither seen nor changed by who may lock elsewhere, and not known to who may lock nothing', async () => {
    const TableName = 'of-the-admin';
    await create(aws.db, TableName, { Tags: tags(0, 2), DeletionProtectionEnabled: true });
    const writer = await client('writer', 'elsewhere/*');
    const none = 'none';
    // What a tool needs to see whether its table is there, and no more.
    expect(await all(writer, TableName)).toEqual([none, none, none, none, ...Array(6).fill(DENIED)]);
    expect((await writer.send(new ListTablesCommand({}))).TableNames).toEqual([]);
    expect(await all(writer, 'nowhere')).toEqual([
      ...Array(3).fill('ResourceNotFoundException 400'),
      none,
      ...Array(5).fill('ResourceNotFoundException 400'),
      DENIED,
    ]);
    const reader = await client('reader', '*');
    expect(await all(reader, TableName)).toEqual(Array(10).fill(DENIED));
    expect(await all(await client('outputs', 'sandbox/x'), 'nowhere')).toEqual(Array(10).fill(DENIED));
    expect(await failure(create(reader, 'by-a-reader'))).toBe(DENIED);
    expect((await aws.db.send(new ListTagsOfResourceCommand({ ResourceArn: arn(TableName) }))).Tags).toEqual(
      tags(0, 2),
    );
  });

  it('are nothing to a credential that has expired', async () => {
    const expiresAt = Date.now() + 400;
    const late = await client('admin', '*', expiresAt);
    await create(late, 'of-the-late');
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
    expect(await all(late, 'of-the-late')).toEqual(Array(10).fill('ExpiredTokenException 400'));
    expect(await failure(create(late, 'another'))).toBe('ExpiredTokenException 400');
  });
});

describe('a writer', () => {
  // The calls of terragrunt's remote state bootstrap, in their order.
  it('has a table made, found and tagged by terragrunt', async () => {
    const TableName = 'terragrunt-locks';
    const writer = await client('writer', 'team/*');
    const find = (): Promise<string> => failure(writer.send(new DescribeTableCommand({ TableName })));
    expect(await find()).toBe('ResourceNotFoundException 400');
    await create(writer, TableName);
    const { Table } = await writer.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({ TableStatus: 'ACTIVE', TableArn: arn(TableName) });
    await writer.send(new TagResourceCommand({ ResourceArn: arn(TableName), Tags: tags(0, 1) }));
    await lock(writer, TableName, 'team/net');
    await writer.send(new DeleteItemCommand({ TableName, Key: { LockID: { S: 'team/net' } } }));
    expect((await writer.send(new ListTablesCommand({}))).TableNames).toEqual([TableName]);
    // A second run of it, or another team's.
    expect(await failure(create(await client('writer', 'other/*'), TableName))).toBe(
      'ResourceInUseException 400',
    );
    expect(await failure(writer.send(new DeleteTableCommand({ TableName })))).toBe(DENIED);
  });

  it('neither protects a table nor lifts a protection', async () => {
    const writer = await client('writer', 'team/*');
    expect(await failure(create(writer, 'protected', { DeletionProtectionEnabled: true }))).toBe(DENIED);
    // As terraform's provider says it of every table.
    await create(writer, 'not-protected', { DeletionProtectionEnabled: false });
    const change = (db: DynamoDBClient, DeletionProtectionEnabled: boolean): Promise<string> =>
      failure(db.send(new UpdateTableCommand({ TableName: 'not-protected', DeletionProtectionEnabled })));
    expect(await change(writer, true)).toBe(DENIED);
    expect(await change(aws.db, true)).toBe('none');
    expect(await change(writer, false)).toBe(DENIED);
    expect(await change(aws.db, false)).toBe('none');
  });

  it('makes and uses so many tables and no more, and takes no lock where it would be one more', async () => {
    const writer = await client('writer', 'team/*');
    for (let index = 0; index < TABLES_OF_ONE_MAX - 1; index += 1) await create(writer, `many-${index}`);
    await lock(writer, 'used', 'team/used');
    const limit = 'LimitExceededException 400';
    expect(await failure(create(writer, 'one-more'))).toBe(limit);
    expect(await failure(lock(writer, 'one-more', 'team/more'))).toBe(limit);
    const more = { LockID: { S: 'team/more' } };
    const { Item } = await writer.send(new GetItemCommand({ TableName: 'used', Key: more }));
    expect(Item).toBeUndefined();
    // What is there goes on, and an admin may make what is missing.
    await lock(writer, 'many-0', 'team/other');
    await create(aws.db, 'one-more');
    await lock(writer, 'one-more', 'team/more');
  });
});

describe('a table', () => {
  it('has at most 50 tags, however they come', async () => {
    const TableName = 'tagged';
    const ResourceArn = arn(TableName);
    const tag = (from: number, count: number): Promise<string> =>
      failure(aws.db.send(new TagResourceCommand({ ResourceArn, Tags: tags(from, count) })));
    expect(await failure(create(aws.db, TableName, { Tags: tags(0, TAGS_MAX + 1) }))).toBe(
      'ValidationException 400',
    );
    await create(aws.db, TableName, { Tags: tags(0, 30) });
    expect(await tag(30, 21)).toBe('ValidationException 400');
    expect(await tag(20, 30)).toBe('none');
    expect(await tag(50, 1)).toBe('ValidationException 400');
    expect((await aws.db.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags).toHaveLength(TAGS_MAX);
  });
});
