import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { CopyObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { dynamoClient, failure, lockInfo, stateText } from '../aws/sdk.ts';

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

describe('the digest of a state that a client has copied', () => {
  it('is not there for its next look, as at AWS, and is put without a digest (backend migrate)', async () => {
    const TableName = await table('copied');
    await aws.s3.send(new PutObjectCommand({ Bucket: 'acme', Key: 'from', Body: stateText(1) }));
    await aws.s3.send(new CopyObjectCommand({ Bucket: 'acme', Key: 'to', CopySource: 'acme/from' }));
    const LockID = { S: 'acme/to-md5' };
    const look = async (client = aws.db): Promise<unknown> =>
      (await client.send(new GetItemCommand({ TableName, Key: { LockID } }))).Item?.['Digest'];
    const other = dynamoClient(
      aws.house.url,
      await aws.house.credential('other', [{ role: 'reader', pattern: 'acme/*' }]),
    );
    expect(await look(other)).toBeDefined();
    expect(await look()).toBe(undefined);
    await aws.db.send(new PutItemCommand({ TableName, Item: { LockID } }));
    expect(await look()).toBeDefined();
    // What would be forgotten is refused as before.
    const update = new UpdateItemCommand({ TableName, Key: { LockID }, UpdateExpression: 'REMOVE Digest' });
    expect(await failure(aws.db.send(update))).toBe('ValidationException 400');
  });

  it('is there where the state was written over another', async () => {
    const TableName = 'copied';
    await aws.s3.send(new PutObjectCommand({ Bucket: 'acme', Key: 'there', Body: stateText(1) }));
    await aws.s3.send(new PutObjectCommand({ Bucket: 'acme', Key: 'newer', Body: stateText(2) }));
    await aws.s3.send(new CopyObjectCommand({ Bucket: 'acme', Key: 'there', CopySource: 'acme/newer' }));
    const Key = { LockID: { S: 'acme/there-md5' } };
    const { Item } = await aws.db.send(new GetItemCommand({ TableName, Key }));
    expect(Item?.['Digest']).toBeDefined();
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
