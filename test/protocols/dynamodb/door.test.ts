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
  paginateScan,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TagResourceCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { LOCK_INFO_TAKEN_BYTES_MAX } from '../../../src/core/lock-info.ts';
import type { Item } from '../../../src/protocols/dynamodb/attribute.ts';
import { itemBytes } from '../../../src/protocols/dynamodb/size.ts';
import { SCAN_BYTES_MAX } from '../../../src/protocols/dynamodb/layout.ts';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { dynamoClient, lockInfo, s3Client, stateText } from '../aws/sdk.ts';

const aws = AwsHouse.forThisFile();
let bucket = '';

beforeEach(() => {
  bucket = aws.newBucket();
});

const TableName = 'terraform-locks';
const KEY = 'net.tfstate';
const lockId = (): string => `${bucket}/${KEY}`;
const key = (id = lockId()): { LockID: { S: string } } => ({ LockID: { S: id } });
const take = (id: string, more: Partial<PutItemCommandInput> = {}, client = aws.db): Promise<unknown> =>
  client.send(
    new PutItemCommand({
      TableName,
      Item: { ...key(), Info: { S: lockInfo(id) } },
      ConditionExpression: 'attribute_not_exists(LockID)',
      ...more,
    }),
  );
const info = async (client = aws.db): Promise<string> => {
  const asked = { TableName, Key: key(), ConsistentRead: true, ProjectionExpression: 'LockID, Info' };
  return (await client.send(new GetItemCommand(asked))).Item?.['Info']?.S ?? 'no item';
};
const write = (serial: number): Promise<{ ETag?: string | undefined }> =>
  aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: KEY, Body: stateText(serial) }));
const md5Of = ({ ETag = '' }: { ETag?: string | undefined }): string => ETag.replaceAll('"', '');
const failure = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: { name: string }) => error.name,
  );

describe('a lock item', () => {
  it('is read as it was written, with what people ask of a lock, and given back when it is deleted', async () => {
    await take('one');
    expect(await info()).toBe(lockInfo('one'));
    const { Item } = await aws.db.send(new GetItemCommand({ TableName, Key: key() }));
    expect(Item).toMatchObject({
      IsLocked: { BOOL: true },
      LockedBy: { S: 'user@host' },
      Door: { S: 'dynamodb' },
    });
    const old = await aws.db.send(new DeleteItemCommand({ TableName, Key: key(), ReturnValues: 'ALL_OLD' }));
    expect(old.Attributes?.['Info']?.S).toBe(lockInfo('one'));
    expect(await info()).toBe('no item');
    await aws.db.send(new DeleteItemCommand({ TableName, Key: key() }));
  });

  it('is shown to one whose condition failed, where that is asked', async () => {
    await take('one');
    const error = await take('two', { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }).catch(
      (fault: { Item?: Record<string, { S?: string }> }) => fault,
    );
    const shown = (error as { Item?: Record<string, { S?: string }> }).Item?.['Info']?.S ?? '';
    expect(shown).toBe(lockInfo('one'));
  });

  it('says in Info, once, to a run that was just refused, who holds it; that text releases it as its own does', async () => {
    await take('one');
    const run = dynamoClient(aws.house.url, TEST_ADMIN, { customUserAgent: 'Terraform/1.11.4' });
    const refused = 'ConditionalCheckFailedException';
    expect(await failure(take('two', {}, run))).toBe(refused);
    const told = await info(run);
    expect(JSON.parse(told)).toEqual({
      ...(JSON.parse(lockInfo('one')) as object),
      Info: expect.stringMatching(
        /^held by token:\S+ \(user@host, apply\) for \ds; see http:\/\/[\w.:]+\/s\/\S+$/,
      ) as string,
    });
    expect(await info(run)).toBe(lockInfo('one'));
    // Other programs may take it for the holder's own words.
    expect(await failure(take('two'))).toBe(refused);
    expect(await info()).toBe(lockInfo('one'));
    await run.send(
      new DeleteItemCommand({
        TableName,
        Key: key(),
        ConditionExpression: 'Info = :info',
        ExpressionAttributeValues: { ':info': { S: told } },
      }),
    );
    expect(await info()).toBe('no item');
  });

  it('is never overwritten, whatever the condition', async () => {
    await take('one');
    const overwrite = (more: Partial<PutItemCommandInput>): Promise<string> => failure(take('two', more));
    const condition = 'ConditionalCheckFailedException';
    expect(await overwrite({ ConditionExpression: undefined })).toBe(condition);
    expect(await overwrite({ ConditionExpression: 'attribute_exists(LockID)' })).toBe(condition);
    expect(await failure(take('one', { ConditionExpression: 'attribute_exists(LockID)' }))).toBe('none');
    expect(JSON.parse(await info())).toMatchObject({ ID: 'one' });
  });

  it('is released as tofu does it, on the condition that it is still its own', async () => {
    await take('one');
    const release = (id: string): Promise<unknown> =>
      aws.db.send(
        new DeleteItemCommand({
          TableName,
          Key: key(),
          ConditionExpression: 'Info = :info',
          ExpressionAttributeValues: { ':info': { S: lockInfo(id) } },
        }),
      );
    expect(await failure(release('two'))).toBe('ConditionalCheckFailedException');
    await release('one');
    // The answer was lost, and somebody else has the lock by now.
    await take('two');
    await release('one');
    expect(await info()).toBe(lockInfo('two'));
  });

  it('is broken by an operator, which is in the audit log', async () => {
    const operator = await aws.house.credential(`operator-${bucket}`, [{ role: 'operator', pattern: '*' }]);
    await take('one');
    const drop = new DeleteItemCommand({ TableName, Key: key() });
    await dynamoClient(aws.house.url, operator).send(drop);
    expect(await info()).toBe('no item');
    const answer = await aws.house.house.audit.read(ADMIN_CALLER, { action: 'force-unlock', limit: 1 });
    expect(answer).toMatchObject({
      type: 'records',
      records: [{ note: { subject: `token:operator-${bucket}`, door: 'dynamodb' } }],
    });
  });

  it('is updated as far as that changes nothing, and made by an update where there is none', async () => {
    await take('one');
    const update = (id: string): Promise<unknown> =>
      aws.db.send(
        new UpdateItemCommand({
          TableName,
          Key: key(),
          UpdateExpression: 'SET Info = :i',
          ExpressionAttributeValues: { ':i': { S: lockInfo(id) } },
        }),
      );
    await update('one');
    expect(await failure(update('two'))).toBe('ConditionalCheckFailedException');
    await aws.db.send(new DeleteItemCommand({ TableName, Key: key() }));
    await update('two');
    expect(await info()).toBe(lockInfo('two'));
  });

  it('has a lock info and the name of a state', async () => {
    const put = (Item: PutItemCommandInput['Item']): Promise<string> =>
      failure(aws.db.send(new PutItemCommand({ TableName, Item })));
    expect(await put(key())).toBe('ValidationException');
    expect(await put({ ...key(), Info: { S: 'no JSON' } })).toBe('ValidationException');
    expect(await put({ ...key(), Info: { N: '1' } })).toBe('ValidationException');
    expect(await put({ Info: { S: lockInfo('one') } })).toBe('ValidationException');
    for (const id of ['', 'nothing', 'a//b', 'a/b.tflock', '/a', 'a/env:/default/b']) {
      expect(await put({ ...key(id), Info: { S: lockInfo('one') } })).toBe('ValidationException');
    }
  });
});

describe('a digest item', () => {
  it('is that of the newest state, whoever wrote it, and cannot be made another', async () => {
    const id = `${lockId()}-md5`;
    const digest = async (): Promise<string | undefined> =>
      (await aws.db.send(new GetItemCommand({ TableName, Key: key(id) }))).Item?.['Digest']?.S;
    const put = (text: string): Promise<string> =>
      failure(aws.db.send(new PutItemCommand({ TableName, Item: { ...key(id), Digest: { S: text } } })));
    await take('x');
    expect(await digest()).toBeUndefined();
    const first = md5Of(await write(1));
    expect(await put(first)).toBe('none');
    await aws.db.send(new DeleteItemCommand({ TableName, Key: key() }));
    await aws.house.ask('POST', `/http/${lockId()}`, { body: stateText(2) });
    const second = await digest();
    expect(second).not.toBe(first);
    // Late, after the next version was written: taken, and of no effect.
    expect(await put(first)).toBe('none');
    expect(await put('0'.repeat(32))).toBe('ValidationException');
    expect(await digest()).toBe(second);
    await aws.db.send(new DeleteItemCommand({ TableName, Key: key(id) }));
    expect(await digest()).toBe(second);
    await aws.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: KEY }));
    expect(await digest()).toBeUndefined();
  });
});

describe('a table', () => {
  const input = (name: string, more: Partial<CreateTableCommandInput> = {}): CreateTableCommandInput => ({
    TableName: name,
    KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
    ...more,
  });

  it('is made, described, changed, tagged, listed and forgotten', async () => {
    const name = `table-${bucket}`;
    const of = { TableName: name };
    expect(await failure(aws.db.send(new DescribeTableCommand(of)))).toBe('ResourceNotFoundException');
    const made = await aws.db.send(new CreateTableCommand(input(name, { Tags: [{ Key: 'a', Value: 'b' }] })));
    expect(made.TableDescription).toMatchObject({ TableName: name, TableStatus: 'ACTIVE' });
    expect(await failure(aws.db.send(new CreateTableCommand(input(name))))).toBe('ResourceInUseException');
    const ProvisionedThroughput = { ReadCapacityUnits: 5, WriteCapacityUnits: 6 };
    await aws.db.send(
      new UpdateTableCommand({
        ...of,
        BillingMode: 'PROVISIONED',
        ProvisionedThroughput,
        DeletionProtectionEnabled: true,
      }),
    );
    const { Table } = await aws.db.send(new DescribeTableCommand(of));
    expect(Table).toMatchObject({ ProvisionedThroughput, DeletionProtectionEnabled: true });
    const ResourceArn = Table?.TableArn ?? '';
    await aws.db.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: 'c', Value: 'd' }] }));
    expect((await aws.db.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags).toEqual([
      { Key: 'a', Value: 'b' },
      { Key: 'c', Value: 'd' },
    ]);
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    await aws.db.send(new UpdateContinuousBackupsCommand({ ...of, PointInTimeRecoverySpecification }));
    const backups = await aws.db.send(new DescribeContinuousBackupsCommand(of));
    expect(
      backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
    ).toBe('ENABLED');
    const life = await aws.db.send(new DescribeTimeToLiveCommand(of));
    expect(life.TimeToLiveDescription?.TimeToLiveStatus).toBe('DISABLED');
    expect((await aws.db.send(new ListTablesCommand({}))).TableNames).toContain(name);
    expect(await failure(aws.db.send(new DeleteTableCommand(of)))).toBe('ValidationException');
    await aws.db.send(new UpdateTableCommand({ ...of, DeletionProtectionEnabled: false }));
    await aws.db.send(new DeleteTableCommand(of));
    expect(await failure(aws.db.send(new DeleteTableCommand(of)))).toBe('ResourceNotFoundException');
  });

  it('has the one key of lock tables', async () => {
    const create = (more: Partial<CreateTableCommandInput>): Promise<string> =>
      failure(aws.db.send(new CreateTableCommand(input('other-table', more))));
    const definition = { AttributeName: 'id', AttributeType: 'S' as const };
    expect(
      await create({
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [definition],
      }),
    ).toBe('ValidationException');
    expect(await create({ AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'N' }] })).toBe(
      'ValidationException',
    );
    expect(await create({ AttributeDefinitions: [] })).toBe('ValidationException');
    expect(await create({ BillingMode: 'PROVISIONED' })).toBe('ValidationException');
    expect(await create({ TableName: 'a b' })).toBe('ValidationException');
  });

  it('that nobody made is unknown until a lock is taken in it', async () => {
    const TableName_ = `fresh-${bucket}`;
    const asked = { TableName: TableName_, Key: key() };
    for (const command of [
      new GetItemCommand(asked),
      new DeleteItemCommand(asked),
      new ScanCommand(asked),
      new UpdateItemCommand(asked),
    ]) {
      expect(await failure(aws.db.send(command as never))).toBe('ResourceNotFoundException');
    }
    await take('one', { TableName: TableName_ });
    expect((await aws.db.send(new GetItemCommand(asked))).Item?.['Info']?.S).toBe(lockInfo('one'));
  });
});

describe('reading many items', () => {
  it('ends a page of a scan where it has enough bytes', async () => {
    const own = await TestHouse.open();
    const client = dynamoClient(own.url);
    // As large as a lock info may be, so that a page is full of bytes before it is full of items.
    const Info = (id: string): { S: string } => {
      const room = LOCK_INFO_TAKEN_BYTES_MAX - Buffer.byteLength(lockInfo(id, ''));
      return { S: lockInfo(id, 'x'.repeat(room)) };
    };
    const ids = Array.from({ length: 300 }, (_, index) => `acme/${String(index).padStart(3, '0')}`);
    const put = (id: string): Promise<unknown> =>
      client.send(new PutItemCommand({ TableName, Item: { LockID: { S: id }, Info: Info(id) } }));
    for (let at = 0; at < ids.length; at += 20) await Promise.all(ids.slice(at, at + 20).map(put));
    const first = await client.send(new ScanCommand({ TableName }));
    const bytes = (first.Items ?? []).map((item) => itemBytes(new Map(Object.entries(item)) as Item));
    const total = bytes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeLessThanOrEqual(SCAN_BYTES_MAX);
    expect(total + Math.max(...bytes)).toBeGreaterThan(SCAN_BYTES_MAX);
    const found: string[] = [];
    for await (const page of paginateScan({ client }, { TableName })) {
      found.push(...(page.Items ?? []).map(({ LockID }) => LockID?.S ?? ''));
    }
    expect(found.sort()).toEqual(ids.sort());
    await own.close();
  });

  it('scans locks and digests page by page, filtered and projected', async () => {
    const own = await TestHouse.open();
    const [client, store] = [dynamoClient(own.url), s3Client(own.url)];
    const put = (Item: PutItemCommandInput['Item']): Promise<unknown> =>
      client.send(new PutItemCommand({ TableName, Item }));
    for (const name of ['a', 'b', 'c']) {
      await store.send(new PutObjectCommand({ Bucket: 'acme', Key: name, Body: stateText(1) }));
    }
    await put({ LockID: { S: 'acme/b' }, Info: { S: lockInfo('one') } });
    await put({ LockID: { S: 'acme/env:/dev/a' }, Info: { S: lockInfo('two') } });
    const expected = ['acme/a-md5', 'acme/b', 'acme/b-md5', 'acme/c-md5', 'acme/env:/dev/a'];
    const all = await client.send(new ScanCommand({ TableName }));
    expect(all.Items?.map(({ LockID }) => LockID?.S ?? '').sort()).toEqual(expected);
    const pages: string[] = [];
    for await (const page of paginateScan({ client, pageSize: 1 }, { TableName })) {
      pages.push(...(page.Items ?? []).map(({ LockID }) => LockID?.S ?? ''));
    }
    expect(pages.sort()).toEqual(expected);
    const locks = await client.send(
      new ScanCommand({
        TableName,
        FilterExpression: 'attribute_exists(Info)',
        ProjectionExpression: 'LockID',
      }),
    );
    expect(locks).toMatchObject({ Count: 2, ScannedCount: 5 });
    expect(locks.Items?.[0]).toEqual({ LockID: { S: expect.stringMatching(/^acme\//) } });
    expect((await client.send(new ScanCommand({ TableName, Select: 'COUNT' }))).Items).toBeUndefined();
    const query = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#k = :id',
        ExpressionAttributeNames: { '#k': 'LockID' },
        ExpressionAttributeValues: { ':id': { S: 'acme/b' } },
      }),
    );
    expect(query.Items).toMatchObject([{ Info: { S: lockInfo('one') } }]);
    expect(
      await failure(
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'Info = :id',
            ExpressionAttributeValues: { ':id': { S: 'x' } },
          }),
        ),
      ),
    ).toBe('ValidationException');
    const reader = dynamoClient(
      own.url,
      await own.credential('reader', [{ role: 'reader', pattern: 'acme/a' }]),
    );
    expect((await reader.send(new ScanCommand({ TableName }))).Items).toHaveLength(2);
    await own.close();
  });
});

describe('one who may not', () => {
  const asked = () => ({ TableName, Key: key() });
  /** Fails where it is tried: with an answer of its own, so that it shows whether it was. */
  const condition = {
    ConditionExpression: 'attribute_type(Info, LockID)',
  };
  const writes = (client: DynamoDBClient, id = lockId()): Promise<string[]> =>
    Promise.all([
      failure(
        client.send(
          new PutItemCommand({ TableName, Item: { ...key(id), Info: { S: lockInfo('x') } }, ...condition }),
        ),
      ),
      failure(client.send(new DeleteItemCommand({ TableName, Key: key(id), ...condition }))),
      failure(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key: key(id),
            UpdateExpression: 'REMOVE LockedBy',
            ...condition,
          }),
        ),
      ),
    ]);
  const all = (name: string): string[] => [name, name, name];

  it('write here is refused before anything of the request is tried', async () => {
    await take('one');
    expect(await writes(aws.db)).toEqual(all('ValidationException'));
    const outsider = dynamoClient(
      aws.house.url,
      await aws.house.credential(`outsider-${bucket}`, [{ role: 'admin', pattern: 'elsewhere/*' }]),
    );
    const reader = dynamoClient(
      aws.house.url,
      await aws.house.credential(`reader-${bucket}`, [{ role: 'reader', pattern: '*' }]),
    );
    for (const client of [outsider, reader]) {
      expect(await writes(client)).toEqual(all('AccessDeniedException'));
      expect(await writes(client, `${lockId()}-md5`)).toEqual(all('AccessDeniedException'));
    }
    expect(await failure(outsider.send(new GetItemCommand(asked())))).toBe('AccessDeniedException');
  });

  it('come in any more is refused as well, unless the lock is its own', async () => {
    const expiresAt = Date.now() + 1_500;
    const pair = await aws.house.credential(`late-${bucket}`, [{ role: 'admin', pattern: '*' }], expiresAt);
    const late = dynamoClient(aws.house.url, pair);
    await take('own', {}, late);
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
    expect(await writes(late, `${bucket}/other.tfstate`)).toEqual(all('ExpiredTokenException'));
    expect(await writes(late)).toEqual(all('ValidationException'));
    await late.send(new DeleteItemCommand(asked()));
    await late.send(new DeleteItemCommand(asked()));
    expect(await writes(late)).toEqual(all('ExpiredTokenException'));
  });
});

describe('what the DynamoDB door does not do', () => {
  it('is refused with the error that SDKs know', async () => {
    expect(await failure(aws.db.send(new TransactWriteItemsCommand({ TransactItems: [] })))).toBe(
      'UnknownOperationException',
    );
    expect(await failure(aws.db.send(new GetItemCommand({ TableName, Key: { Other: { S: 'x' } } })))).toBe(
      'ValidationException',
    );
    expect(await failure(take('x', { ConditionExpression: 'nonsense(' }))).toBe('ValidationException');
    expect(await failure(take('x', { ExpressionAttributeValues: { ':a': { S: 'x' } } }))).toBe(
      'ValidationException',
    );
    const old = { Expected: { LockID: { Exists: false } }, ConditionExpression: undefined };
    expect(await failure(take('x', old))).toBe('ValidationException');
    expect(
      await failure(
        dynamoClient(aws.house.url, { id: 'SHUNKNOWNUNKNOWN1', secret: 'x' }).send(new ListTablesCommand({})),
      ),
    ).toBe('UnrecognizedClientException');
    const Info = { S: lockInfo('x') };
    const put = (Item: PutItemCommandInput['Item']): Promise<string> =>
      aws.db.send(new PutItemCommand({ TableName, Item })).then(
        () => 'taken',
        (error: Error) => error.message,
      );
    expect(await put({ ...key(), Info, tags: { SS: ['a', 'a'] } })).toBe(
      'One or more parameter values were invalid: Input collection [a, a] contains duplicates.',
    );
    expect(await put({ ...key(), Info, note: { S: 'x'.repeat(140_000) } })).toBe(
      'Item size has exceeded the maximum allowed size',
    );
    expect(await put({ ...key('x'.repeat(2_049)), Info })).toContain('Size of hashkey has exceeded');
    const wrong = dynamoClient(aws.house.url, { id: 'SHTESTADMIN23456', secret: 'wrong' });
    expect(await failure(wrong.send(new ListTablesCommand({})))).toBe('InvalidSignatureException');
  });
});
