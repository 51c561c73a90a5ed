import {
  CreateBucketCommand,
  GetBucketAccelerateConfigurationCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyStatusCommand,
  GetBucketReplicationCommand,
  GetBucketRequestPaymentCommand,
  GetBucketWebsiteCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  PutBucketAclCommand,
  PutBucketLoggingCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, stateText } from '../aws/sdk.ts';
import { code, sendSigned } from '../aws/send-signed.ts';

const aws = AwsHouse.forThisFile();
const LOG_DELIVERY = 'http://acs.amazonaws.com/groups/s3/LogDelivery';

/** A bucket with a state in it, of which nobody has set anything. */
async function untouched(): Promise<{ Bucket: string; Key: string }> {
  const at = { Bucket: aws.newBucket(), Key: 'net/app' };
  await aws.s3.send(new PutObjectCommand({ ...at, Body: stateText(1) }));
  return at;
}

it('says of a bucket what holds where nobody has set anything, as audits ask it', async () => {
  const { Bucket } = await untouched();
  const acl = await aws.s3.send(new GetBucketAclCommand({ Bucket }));
  expect(acl.Grants).toEqual([
    {
      Grantee: expect.objectContaining({ Type: 'CanonicalUser', ID: acl.Owner?.ID }) as object,
      Permission: 'FULL_CONTROL',
    },
  ]);
  const status = await aws.s3.send(new GetBucketPolicyStatusCommand({ Bucket }));
  expect(status.PolicyStatus?.IsPublic).toBe(false);
  expect((await aws.s3.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toBe(undefined);
  expect((await aws.s3.send(new GetBucketAccelerateConfigurationCommand({ Bucket }))).Status).toBe(undefined);
  expect((await aws.s3.send(new GetBucketRequestPaymentCommand({ Bucket }))).Payer).toBe('BucketOwner');
  const told = await aws.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
  expect(told.TopicConfigurations).toBe(undefined);
  const none: readonly (readonly [string, Promise<unknown>])[] = [
    ['NoSuchCORSConfiguration', aws.s3.send(new GetBucketCorsCommand({ Bucket }))],
    ['NoSuchWebsiteConfiguration', aws.s3.send(new GetBucketWebsiteCommand({ Bucket }))],
    ['ReplicationConfigurationNotFoundError', aws.s3.send(new GetBucketReplicationCommand({ Bucket }))],
    ['ObjectLockConfigurationNotFoundError', aws.s3.send(new GetObjectLockConfigurationCommand({ Bucket }))],
  ];
  for (const [name, asked] of none) expect(await failure(asked)).toBe(`${name} 404`);
  expect(await failure(aws.s3.send(new GetBucketAclCommand({ Bucket: 'nowhere' })))).toBe('NoSuchBucket 404');
});

it('says the same of a state, and its attributes', async () => {
  const at = await untouched();
  expect((await aws.s3.send(new GetObjectAclCommand(at))).Grants).toHaveLength(1);
  expect((await aws.s3.send(new GetObjectTaggingCommand(at))).TagSet).toEqual([]);
  // As S3 says it of a bucket without an object lock.
  expect(await failure(aws.s3.send(new GetObjectRetentionCommand(at)))).toBe('InvalidRequest 400');
  expect(await failure(aws.s3.send(new GetObjectLegalHoldCommand(at)))).toBe('InvalidRequest 400');
  const attributes = await aws.s3.send(
    new GetObjectAttributesCommand({
      ...at,
      ObjectAttributes: ['ETag', 'ObjectSize', 'StorageClass', 'Checksum'],
    }),
  );
  expect(attributes).toMatchObject({
    ObjectSize: stateText(1).length,
    StorageClass: 'STANDARD',
    VersionId: '1',
  });
  expect(attributes.ETag).toMatch(/^[0-9a-f]{32}$/);
  expect(attributes.Checksum?.ChecksumSHA256).toMatch(/=$/);
  await aws.s3.send(new PutObjectCommand({ ...at, Body: stateText(2, 'lineage', { more: 'x' }) }));
  const old = { ...at, VersionId: '1', ObjectAttributes: ['ObjectSize' as const] };
  expect((await aws.s3.send(new GetObjectAttributesCommand(old))).ObjectSize).toBe(stateText(1).length);
  expect(await failure(aws.s3.send(new GetObjectAclCommand({ ...at, VersionId: '99' })))).toBe(
    'NoSuchVersion 404',
  );
  expect(await failure(aws.s3.send(new GetObjectAclCommand({ ...at, Key: 'other' })))).toBe('NoSuchKey 404');
});

it('remembers what terragrunt sets for a bucket of access logs (accesslogging_bucket_name), and waits to see', async () => {
  const { Bucket } = await untouched();
  const logs = `${Bucket}-logs`;
  await aws.s3.send(new CreateBucketCommand({ Bucket: logs }));
  const uri = `uri=${LOG_DELIVERY}`;
  await aws.s3.send(new PutBucketAclCommand({ Bucket: logs, GrantWrite: uri, GrantReadACP: uri }));
  const { Grants } = await aws.s3.send(new GetBucketAclCommand({ Bucket: logs }));
  const ofGroup = Grants?.filter(({ Grantee }) => Grantee?.URI === LOG_DELIVERY);
  expect(ofGroup?.map(({ Permission }) => Permission).sort()).toEqual(['READ_ACP', 'WRITE']);
  const LoggingEnabled = { TargetBucket: logs, TargetPrefix: 'TFStateLogs/' };
  await aws.s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));
  expect((await aws.s3.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toEqual(LoggingEnabled);
  await aws.s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: {} }));
  expect((await aws.s3.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toBe(undefined);
  await aws.s3.send(new PutBucketAclCommand({ Bucket: logs, ACL: 'private' }));
  expect((await aws.s3.send(new GetBucketAclCommand({ Bucket: logs }))).Grants).toHaveLength(1);
});

it('says that neither an ACL nor access logging does anything, and takes no ACL that it cannot show', async () => {
  const { Bucket } = await untouched();
  const put = (setting: string, headers: Record<string, string>, body = ''): ReturnType<typeof sendSigned> =>
    sendSigned(aws.house, { method: 'PUT', path: `/${Bucket}`, query: [[setting, '']], headers, body });
  const granted = await put('acl', { 'x-amz-grant-read': `uri="${LOG_DELIVERY}"` });
  expect([granted.status, granted.headers['x-statehouse-not-done']]).toEqual([200, 'acl']);
  const logging =
    '<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix/></LoggingEnabled></BucketLoggingStatus>';
  const logged = await put('logging', {}, logging);
  expect([logged.status, logged.headers['x-statehouse-not-done']]).toEqual([200, 'logging']);
  expect(code(await put('acl', { 'x-amz-acl': 'everybody' }))).toBe('400 InvalidArgument');
  expect(code(await put('acl', { 'x-amz-grant-read': 'emailAddress="a@b"' }))).toBe('400 InvalidArgument');
  expect(code(await put('acl', { 'x-amz-grant-read': 'id="<x>"' }))).toBe('400 InvalidArgument');
});
