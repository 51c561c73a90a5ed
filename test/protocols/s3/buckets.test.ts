import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { TEST_ADMIN } from '../../support/test-admin.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, s3Client, stateText } from '../aws/sdk.ts';
import { code, sendSigned } from '../aws/send-signed.ts';

const aws = AwsHouse.forThisFile();

const names = async (client: S3Client): Promise<readonly (string | undefined)[]> =>
  ((await client.send(new ListBucketsCommand({}))).Buckets ?? []).map(({ Name }) => Name);
const write = (Bucket: string): Promise<unknown> =>
  aws.s3.send(new PutObjectCommand({ Bucket, Key: 'a.tfstate', Body: stateText(1) }));

it('is listed once it is made or has a state, to those who may see something in it', async () => {
  await aws.s3.send(new CreateBucketCommand({ Bucket: 'made' }));
  await write('written');
  await write('by.a-Third_Door');
  expect(await names(aws.s3)).toEqual(['by.a-Third_Door', 'made', 'written']);
  const pair = await aws.house.credential('lister', [{ role: 'reader', pattern: 'written/a*' }]);
  const reader = s3Client(aws.house.url, pair);
  expect(await names(reader)).toEqual(['written']);
  expect(await failure(reader.send(new HeadBucketCommand({ Bucket: 'made' })))).toMatch(/403/);
  expect(await failure(reader.send(new CreateBucketCommand({ Bucket: 'written' })))).toBe('AccessDenied 403');
});

it('is neither listed nor there for who may see nothing in it, although a pattern leaves the project open', async () => {
  await write('unseen');
  await aws.s3.send(new CreateBucketCommand({ Bucket: 'unseen-made' }));
  const Key = 'env:/dev/only-this';
  await aws.s3.send(new PutObjectCommand({ Bucket: 'partly', Key, Body: stateText(1) }));
  const pair = await aws.house.credential('wide', [{ role: 'reader', pattern: '*/only-this@dev' }]);
  const wide = s3Client(aws.house.url, pair);
  expect(await names(wide)).toEqual(['partly']);
  for (const Bucket of ['unseen', 'unseen-made', 'never-was']) {
    expect(await failure(wide.send(new HeadBucketCommand({ Bucket })))).toBe('NotFound 404');
    expect(await failure(wide.send(new GetBucketLocationCommand({ Bucket })))).toBe('NoSuchBucket 404');
  }
  await wide.send(new HeadBucketCommand({ Bucket: 'partly' }));
});

it('is there for its settings once it was made or has a state, and nowhere before', async () => {
  const nowhere = { Bucket: 'nowhere' };
  expect(await failure(aws.s3.send(new HeadBucketCommand(nowhere)))).toMatch(/404/);
  expect(await failure(aws.s3.send(new GetBucketVersioningCommand(nowhere)))).toBe('NoSuchBucket 404');
  await write('seen');
  await aws.s3.send(new HeadBucketCommand({ Bucket: 'seen' }));
  const { Status } = await aws.s3.send(new GetBucketVersioningCommand({ Bucket: 'seen' }));
  expect(Status).toBe('Enabled');
});

it('remembers its settings, each on its own, and lets admins alone set them', async () => {
  const Bucket = 'settings';
  await aws.s3.send(new CreateBucketCommand({ Bucket }));
  const rule = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: 'k' },
  };
  const ServerSideEncryptionConfiguration = { Rules: [rule] };
  await aws.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
  const TagSet = [{ Key: 'team', Value: 'n = m' }];
  await aws.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  const Policy = '{"Version":"2012-10-17","Statement":[]}';
  await aws.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const kept = await aws.s3.send(new GetBucketEncryptionCommand({ Bucket }));
  expect(kept.ServerSideEncryptionConfiguration?.Rules).toEqual([{ ...rule, BucketKeyEnabled: false }]);
  expect((await aws.s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
  expect((await aws.s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
  await aws.s3.send(new DeleteBucketTaggingCommand({ Bucket }));
  expect(await failure(aws.s3.send(new GetBucketTaggingCommand({ Bucket })))).toBe('NoSuchTagSet 404');
  const writer = s3Client(
    aws.house.url,
    await aws.house.credential('setter', [{ role: 'writer', pattern: '*' }]),
  );
  expect(await failure(writer.send(new PutBucketPolicyCommand({ Bucket, Policy })))).toBe('AccessDenied 403');
});

it('is in whatever region its client asks from', async () => {
  const Bucket = 'anywhere';
  const europe = s3Client(aws.house.url, TEST_ADMIN, { region: 'eu-central-1' });
  await europe.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
  );
  const location = async (client: S3Client): Promise<string | undefined> =>
    (await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint;
  expect(await location(europe)).toBe('eu-central-1');
  expect(await location(aws.s3)).toBeUndefined();
  expect(await failure(europe.send(new CreateBucketCommand({ Bucket })))).toBe('BucketAlreadyOwnedByYou 409');
  expect(await failure(aws.s3.send(new CreateBucketCommand({ Bucket })))).toBe('none');
});

it('is forgotten when it is empty, and never with a history in it', async () => {
  const Bucket = 'goes';
  await aws.s3.send(new CreateBucketCommand({ Bucket }));
  await aws.s3.send(new DeleteBucketCommand({ Bucket }));
  expect(await failure(aws.s3.send(new HeadBucketCommand({ Bucket })))).toMatch(/404/);
  await write(Bucket);
  await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: 'a.tfstate' }));
  expect(await failure(aws.s3.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty 409');
  expect(await failure(aws.s3.send(new DeleteBucketCommand({ Bucket: 'never' })))).toBe('NoSuchBucket 404');
});

it('is listed by what its name begins with, and by pages', async () => {
  for (const name of ['paged-1', 'paged-2', 'paged-3']) {
    await aws.s3.send(new CreateBucketCommand({ Bucket: name }));
  }
  const list = async (more: { MaxBuckets?: number; ContinuationToken?: string }): Promise<unknown> => {
    const { Buckets, ContinuationToken, Prefix } = await aws.s3.send(
      new ListBucketsCommand({ Prefix: 'paged-', ...more }),
    );
    return [Prefix, (Buckets ?? []).map(({ Name }) => Name), ContinuationToken];
  };
  expect(await list({})).toEqual(['paged-', ['paged-1', 'paged-2', 'paged-3'], undefined]);
  const [, first, token] = (await list({ MaxBuckets: 2 })) as [string, string[], string];
  expect(first).toEqual(['paged-1', 'paged-2']);
  expect(await list({ MaxBuckets: 2, ContinuationToken: token })).toEqual(['paged-', ['paged-3'], undefined]);
  expect(await failure(list({ MaxBuckets: 0 }))).toBe('InvalidArgument 400');
  expect(await failure(list({ ContinuationToken: '!' }))).toBe('InvalidArgument 400');
});

it.each(['192.168.5.123', 'foo.-bar', 'foo-.bar', 'foo..bar', 'xn--foo', 'foo--ol-s3', 'Foo', 'ab'])(
  'is not made where S3 would make none: %s',
  async (name) => {
    expect(code(await sendSigned(aws.house, { method: 'PUT', path: `/${name}` }))).toBe(
      '400 InvalidBucketName',
    );
  },
);

it('is listed from its beginning where a client sends an empty token, which it is shown', async () => {
  await write('with-token');
  const query = [
    ['list-type', '2'],
    ['continuation-token', ''],
  ] as const;
  const { text } = await sendSigned(aws.house, { path: '/with-token', query });
  expect(text).toContain('<Key>a.tfstate</Key>');
  expect(text).toContain('<ContinuationToken></ContinuationToken>');
});
