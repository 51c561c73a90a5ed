import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, lockInfo, stateText } from '../aws/sdk.ts';

const aws = AwsHouse.forThisFile();
const NEW = 'attribute_not_exists(LockID)';

async function table(TableName: string): Promise<string> {
  await aws.db.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  return TableName;
}

describe('what terragrunt asks of a lock table', () => {
  it('is encryption, which it waits to see (enable_lock_table_ssencryption)', async () => {
    const TableName = await table('encrypted');
    const described = async (): Promise<unknown> =>
      (await aws.db.send(new DescribeTableCommand({ TableName }))).Table?.SSEDescription;
    expect(await described()).toBe(undefined);
    const SSESpecification = { Enabled: true, SSEType: 'KMS' } as const;
    await aws.db.send(new UpdateTableCommand({ TableName, SSESpecification }));
    expect(await described()).toEqual({
      Status: 'ENABLED',
      SSEType: 'KMS',
      KMSMasterKeyArn: 'arn:aws:kms:us-east-1:000000000000:alias/aws/dynamodb',
    });
    const named = { ...SSESpecification, KMSMasterKeyId: 'alias/ours' };
    await aws.db.send(new UpdateTableCommand({ TableName, SSESpecification: named }));
    expect(await described()).toMatchObject({
      KMSMasterKeyArn: 'arn:aws:kms:us-east-1:000000000000:alias/ours',
    });
    await aws.db.send(new UpdateTableCommand({ TableName, SSESpecification: { Enabled: false } }));
    expect(await described()).toBe(undefined);
  });

  it('is the digest of a state that it has moved, as a new item (backend migrate)', async () => {
    const TableName = await table('moved');
    const digestOf = async (key: string): Promise<Record<string, never> | undefined> =>
      (await aws.db.send(new GetItemCommand({ TableName, Key: { LockID: { S: `acme/${key}-md5` } } })))
        .Item as never;
    for (const [Key, serial] of [
      ['old', 1],
      ['new', 1],
      ['other', 2],
    ] as const) {
      await aws.s3.send(new PutObjectCommand({ Bucket: 'acme', Key, Body: stateText(serial) }));
    }
    const item = (await digestOf('old')) ?? {};
    const put = (key: string): Promise<string> =>
      failure(
        aws.db.send(
          new PutItemCommand({
            TableName,
            Item: { ...item, LockID: { S: `acme/${key}-md5` } },
            ConditionExpression: NEW,
          }),
        ),
      );
    expect(await put('new')).toBe('none');
    // Another state's digest is not so there.
    expect(await put('other')).toBe('ConditionalCheckFailedException 400');
    const Key = { LockID: { S: 'acme/old-md5' } };
    expect(await failure(aws.db.send(new DeleteItemCommand({ TableName, Key })))).toBe('none');
  });
});

describe('an attribute that no lock item of Terraform has', () => {
  const LockID = { S: 'acme/extra' };
  const item = { LockID, Info: { S: lockInfo('extra-1', 'acme/extra') } };

  it('is refused and not forgotten, and takes no lock', async () => {
    const TableName = await table('extra');
    const put = (Item: Record<string, { S: string }>): Promise<string> =>
      failure(aws.db.send(new PutItemCommand({ TableName, Item, ConditionExpression: NEW })));
    expect(await put({ ...item, Team: { S: 'net' } })).toBe('ValidationException 400');
    expect(await put({ LockID: { S: 'acme/extra-md5' }, Digest: { S: 'x' }, Team: { S: 'net' } })).toBe(
      'ValidationException 400',
    );
    expect(await put(item)).toBe('none');
    const update = aws.db.send(
      new UpdateItemCommand({
        TableName,
        Key: { LockID },
        UpdateExpression: 'SET Team = :t',
        ExpressionAttributeValues: { ':t': { S: 'net' } },
      }),
    );
    expect(await failure(update)).toBe('ValidationException 400');
  });

  it('is none that was read: an item can be put back', async () => {
    const TableName = 'extra';
    const { Item } = await aws.db.send(new GetItemCommand({ TableName, Key: { LockID } }));
    expect(Object.keys(Item ?? {})).toContain('Fence');
    expect(await failure(aws.db.send(new PutItemCommand({ TableName, Item })))).toBe('none');
  });
});
