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
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';
import { failure, s3Client, stateText } from '../aws/sdk.ts';

let house: TestHouse;
let s3: S3Client;

beforeAll(async () => {
  house = await TestHouse.open();
  s3 = s3Client(house.url);
});

afterAll(async () => {
  s3.destroy();
  await house.close();
});

const names = async (client: S3Client): Promise<readonly (string | undefined)[]> =>
  ((await client.send(new ListBucketsCommand({}))).Buckets ?? []).map(({ Name }) => Name);
const write = (Bucket: string): Promise<unknown> =>
  s3.send(new PutObjectCommand({ Bucket, Key: 'a.tfstate', Body: stateText(1) }));

it('is listed once it is made or has a state, to those who may see something in it', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'made' }));
  await write('written');
  await write('by.a-Third_Door');
  expect(await names(s3)).toEqual(['by.a-Third_Door', 'made', 'written']);
  const pair = await house.credential('lister', [{ role: 'reader', pattern: 'written/a*' }]);
  const reader = s3Client(house.url, pair);
  expect(await names(reader)).toEqual(['written']);
  expect(await failure(reader.send(new HeadBucketCommand({ Bucket: 'made' })))).toMatch(/403/);
  expect(await failure(reader.send(new CreateBucketCommand({ Bucket: 'written' })))).toBe('AccessDenied 403');
});

it('is there for its settings once it was made or has a state, and nowhere before', async () => {
  const nowhere = { Bucket: 'nowhere' };
  expect(await failure(s3.send(new HeadBucketCommand(nowhere)))).toMatch(/404/);
  expect(await failure(s3.send(new GetBucketVersioningCommand(nowhere)))).toBe('NoSuchBucket 404');
  await write('seen');
  await s3.send(new HeadBucketCommand({ Bucket: 'seen' }));
  const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket: 'seen' }));
  expect(Status).toBe('Enabled');
});

it('remembers its settings, each on its own, and lets admins alone set them', async () => {
  const Bucket = 'settings';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const rule = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID: 'k' },
  };
  const ServerSideEncryptionConfiguration = { Rules: [rule] };
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
  const TagSet = [{ Key: 'team', Value: 'n & m' }];
  await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
  const Policy = '{"Version":"2012-10-17","Statement":[]}';
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  const kept = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
  expect(kept.ServerSideEncryptionConfiguration?.Rules).toEqual([{ ...rule, BucketKeyEnabled: false }]);
  expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
  expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
  await s3.send(new DeleteBucketTaggingCommand({ Bucket }));
  expect(await failure(s3.send(new GetBucketTaggingCommand({ Bucket })))).toBe('NoSuchTagSet 404');
  const writer = s3Client(house.url, await house.credential('setter', [{ role: 'writer', pattern: '*' }]));
  expect(await failure(writer.send(new PutBucketPolicyCommand({ Bucket, Policy })))).toBe('AccessDenied 403');
});

it('is in whatever region its client asks from', async () => {
  const Bucket = 'anywhere';
  const europe = s3Client(house.url, TEST_ADMIN, { region: 'eu-central-1' });
  await europe.send(
    new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
  );
  const location = async (client: S3Client): Promise<string | undefined> =>
    (await client.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint;
  expect(await location(europe)).toBe('eu-central-1');
  expect(await location(s3)).toBeUndefined();
  expect(await failure(europe.send(new CreateBucketCommand({ Bucket })))).toBe('BucketAlreadyOwnedByYou 409');
  expect(await failure(s3.send(new CreateBucketCommand({ Bucket })))).toBe('none');
});

it('is forgotten when it is empty, and never with a history in it', async () => {
  const Bucket = 'goes';
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
  expect(await failure(s3.send(new HeadBucketCommand({ Bucket })))).toMatch(/404/);
  await write(Bucket);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a.tfstate' }));
  expect(await failure(s3.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty 409');
  expect(await failure(s3.send(new DeleteBucketCommand({ Bucket: 'never' })))).toBe('NoSuchBucket 404');
});
