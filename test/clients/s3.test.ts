import { randomUUID } from 'node:crypto';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StateClient } from '../../src/ports/state-client.ts';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { readS3Config } from '../../src/protocols/s3/client/config.ts';
import { stateText } from '../../src/contract/client-contract.ts';
import { findMoto, MotoServer } from '../support/moto-server.ts';
import { dynamoOf, makeBucket, makeLockTable, s3Of } from './fixtures/moto.ts';

const AT_ONCE = { milliseconds: 0, signal: null };

describe('the s3 configuration', () => {
  it('is read with the names of every age, and from the environment', () => {
    const env = {
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_S3: 'http://env',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 's',
    };
    const config = readS3Config(
      {
        bucket: 'b',
        key: 'k',
        force_path_style: true,
        encrypt: 'true',
        kms_key_id: 'alias/x',
        workspace_key_prefix: '',
        dynamodb_endpoint: 'http://ddb',
        role_arn: 'arn:r',
        session_name: 'me',
        assume_role_duration_seconds: '900',
      },
      env,
    );
    expect(config).toMatchObject({
      place: { workspacePrefix: '' },
      region: 'eu-west-1',
      pathStyle: true,
      encryption: { type: 'kms', keyId: 'alias/x' },
      endpoints: { s3: 'http://env', dynamodb: 'http://ddb', sts: null },
      credentials: {
        accessKey: 'a',
        assumeRole: { roleArn: 'arn:r', sessionName: 'me', durationSeconds: 900 },
      },
    });
    const nested = readS3Config(
      {
        bucket: 'b',
        key: 'k',
        profile: 'p',
        assume_role: [{ role_arn: 'arn:n', duration: '1h30m', tags: { a: 'b' } }],
      },
      env,
    );
    expect(nested.credentials).toMatchObject({
      accessKey: null,
      profile: 'p',
      assumeRole: { roleArn: 'arn:n', durationSeconds: 5_400, tags: { a: 'b' } },
    });
  });

  it('is refused where terraform refuses it', () => {
    const bad: readonly (readonly [BackendAttributes, string])[] = [
      [{ key: 'k' }, 'needs "bucket"'],
      [{ bucket: 'b' }, 'needs "key"'],
      [{ bucket: 'b', key: '/k' }, 'may not begin or end'],
      [{ bucket: 'b', key: 'k', encrypt: true, kms_key_id: 'k', sse_customer_key: 'x' }, 'not both'],
      [{ bucket: 'b', key: 'k', encrypt: true, sse_customer_key: 'x' }, 'not 32 bytes'],
      [{ bucket: 'b', key: 'k', use_lockfile: 'perhaps' }, 'not true or false'],
    ];
    for (const [attributes, why] of bad) expect(() => readS3Config(attributes, {})).toThrow(why);
  });
});

const moto = await findMoto();
describe.skipIf(moto === null)('states in S3 (skipped unless moto_server is on PATH)', () => {
  let server: MotoServer;
  const opened: StateClient[] = [];
  beforeAll(async () => {
    server = await MotoServer.start(moto!);
    await makeBucket(server, 'states', true);
    await makeLockTable(server, 'locks');
    await makeLockTable(server, 'odd', 'ID');
  });
  afterEach(async () => {
    for (const client of opened.splice(0)) await client.close();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const open = async (attributes: BackendAttributes = {}): Promise<StateClient> => {
    const all = {
      bucket: 'states',
      key: `${randomUUID()}/s`,
      use_path_style: true,
      use_lockfile: true,
      ...attributes,
    };
    const client = await openClient({ type: 's3', attributes: all, folder: '/', env: server.env });
    opened.push(client);
    return client;
  };

  it('say that bucket or table is missing', async () => {
    await expect((await open({ bucket: 'none' })).read('default')).rejects.toThrow(
      'there is no S3 bucket "none"',
    );
    const client = await open({ dynamodb_table: 'none' });
    const attempt = client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    await expect(attempt).rejects.toThrow('there is no DynamoDB table "none"');
    // The lock object that was taken first is gone again.
    const key = client.locate('default').replace('s3://states/', '');
    expect((await (await open({ key })).inspectLock('default')).type).toBe('free');
  });

  it('say that nobody answers', async () => {
    const dead = await openClient({
      type: 's3',
      attributes: { bucket: 'b', key: 'k', endpoints: { s3: 'http://127.0.0.1:1' }, max_retries: 1 },
      folder: '/',
      env: server.env,
    });
    opened.push(dead);
    await expect(dead.read('default')).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('have a history in a versioned bucket', async () => {
    const client = await open();
    for (const serial of [1, 2, 3]) await client.write('default', stateText(serial, 'l'), null);
    const versions = (await client.history?.list('default', 10)) ?? [];
    expect(versions.length).toBe(3);
    const oldest = versions.at(-1)?.id ?? '';
    const bytes = await client.history?.read('default', oldest);
    expect(Buffer.from(bytes ?? []).equals(stateText(1, 'l'))).toBe(true);
    expect(await client.history?.read('default', 'none').catch(() => null)).toBeNull();
  });

  it('keep the digest, and are not read when it is another', { timeout: 60_000 }, async () => {
    const client = await open({ use_lockfile: false, dynamodb_table: 'locks' });
    await client.write('default', stateText(1, 'l'), null);
    const key = client.locate('default').replace('s3://states/', '');
    await s3Of(server).send(new PutObjectCommand({ Bucket: 'states', Key: key, Body: stateText(2, 'l') }));
    await expect(client.read('default')).rejects.toThrow('does not match the digest in the lock table');
  });

  it('show a lock that is no lock info, and do not break it', async () => {
    const client = await open({ dynamodb_table: 'locks' });
    const key = client.locate('default').replace('s3://states/', '');
    await s3Of(server).send(
      new PutObjectCommand({ Bucket: 'states', Key: `${key}.tflock`, Body: '{"ID":"x","Crea' }),
    );
    expect(await client.inspectLock('default')).toMatchObject({ type: 'unreadable' });
    expect(await client.lock('default', makeLockRequest('test', '0'), AT_ONCE)).toMatchObject({
      type: 'held',
      holder: null,
    });
    expect(await client.breakLock('default', 'x')).toMatchObject({ type: 'impossible' });
    // Nothing was left in the table by the attempt.
    const item = { LockID: { S: `states/${key}` }, Info: { S: '{}' } };
    const put = new PutItemCommand({
      TableName: 'locks',
      Item: item,
      ConditionExpression: 'attribute_not_exists(LockID)',
    });
    await dynamoOf(server).send(put);
  });

  it('are examined: versioning, the table, missing digests', async () => {
    await makeBucket(server, 'plain');
    const topics = async (attributes: BackendAttributes): Promise<string[]> =>
      (await (await open(attributes)).examine()).map(({ level, topic }) => `${level} ${topic}`);
    expect(await topics({})).toContain('good versioning');
    expect(await topics({ bucket: 'plain' })).toContain('warning versioning');
    expect(await topics({ dynamodb_table: 'odd' })).toContain('problem lock table');
    expect(await topics({ use_lockfile: false })).toContain('problem locking');
    const key = randomUUID();
    await (await open({ key })).write('default', stateText(1, 'l'), null);
    expect(await topics({ key, dynamodb_table: 'locks' })).toContain('hint digest');
  });

  it('keep lock and state under a key of the customer', async () => {
    const sse = { encrypt: true, sse_customer_key: Buffer.alloc(32, 7).toString('base64') };
    const client = await open(sse);
    await client.write('default', stateText(1, 'l'), null);
    expect(Buffer.from((await client.read('default')) ?? []).equals(stateText(1, 'l'))).toBe(true);
    const attempt = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    expect(attempt.type).toBe('locked');
    expect((await client.inspectLock('default')).type).toBe('held');
    if (attempt.type === 'locked') expect((await attempt.lock.release()).type).toBe('released');
  });
});
