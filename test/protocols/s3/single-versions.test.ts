import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import { failure, lockInfo, s3Client, stateText } from '../aws/sdk.ts';

let house: TestHouse;
let admin: S3Client;
let writer: S3Client;
const Bucket = 'acme';

beforeAll(async () => {
  house = await TestHouse.open({
    s3: { account: '000000000000', strict: false, unsignedBodies: false, deleteVersions: true },
  });
  admin = s3Client(house.url);
  writer = s3Client(house.url, await house.credential('writer', [{ role: 'writer', pattern: '*' }]));
});

afterAll(async () => {
  admin.destroy();
  writer.destroy();
  await house.close();
});

const put = async (Key: string, ...serials: readonly number[]): Promise<void> => {
  for (const serial of serials)
    await admin.send(new PutObjectCommand({ Bucket, Key, Body: stateText(serial) }));
};
const remove = (Key: string, more: object, client = admin): Promise<unknown> =>
  client.send(new DeleteObjectCommand({ Bucket, Key, ...more }));
const versions = async (Prefix: string): Promise<readonly (string | undefined)[]> => {
  const { Versions = [], DeleteMarkers = [] } = await admin.send(
    new ListObjectVersionsCommand({ Bucket, Prefix }),
  );
  return [...DeleteMarkers, ...Versions].map(({ VersionId }) => VersionId);
};

describe('single versions, where admins may delete them', () => {
  it('go by their number, the newest last and the state with it', async () => {
    await put('a', 1, 2, 3);
    expect(await failure(remove('a', { VersionId: '3' }))).toBe('OperationAborted 409');
    await remove('a', { VersionId: '1' });
    await remove('a', { VersionId: '1' });
    expect(await versions('a')).toEqual(['3', '2']);
    await remove('a', { VersionId: '2' });
    await remove('a', { VersionId: '3' });
    expect(await versions('a')).toEqual([]);
    expect(await failure(admin.send(new GetObjectCommand({ Bucket, Key: 'a' })))).toBe('NoSuchKey 404');
    await put('a', 1);
    expect(await versions('a')).toEqual(['4']);
  });

  it('are deleted by nobody else, and not on another condition', async () => {
    await put('b', 1, 2);
    expect(await failure(remove('b', { VersionId: '1' }, writer))).toBe('AccessDenied 403');
    expect(await failure(remove('b', { VersionId: '1', IfMatch: '"x"' }))).toBe('PreconditionFailed 412');
    expect(await versions('b')).toEqual(['2', '1']);
    await remove('b', { VersionId: '1', IfMatch: '*' });
    expect(await versions('b')).toEqual(['2']);
  });

  it('stay while the state is locked, the newest at least', async () => {
    await put('c', 1);
    await writer.send(new PutObjectCommand({ Bucket, Key: 'c.tflock', Body: lockInfo('one') }));
    expect(await failure(remove('c', { VersionId: '1' }))).toBe('OperationAborted 409');
    expect(await versions('c')).toEqual(['1']);
    await writer.send(new DeleteObjectCommand({ Bucket, Key: 'c.tflock' }));
  });

  it('are in the audit log', async () => {
    await put('d', 1, 2);
    await remove('d', { VersionId: '1' });
    await remove('d', { VersionId: '2' });
    const { text } = await house.ask('GET', `/api/v1/audit?address=${Bucket}/d`);
    for (const action of ['"prune"', '"delete"', '"purge"']) expect(text).toContain(action);
    expect(text).not.toContain('house:retention');
  });

  it('go in one request as they are listed, and the bucket after them', async () => {
    await admin.send(new CreateBucketCommand({ Bucket }));
    await put('e', 1, 2, 3);
    await put('f', 1, 2);
    await remove('f', {});
    const { Versions = [], DeleteMarkers = [] } = await admin.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    const { Errors } = await admin.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Errors).toBeUndefined();
    expect(await versions('')).toEqual([]);
    await admin.send(new DeleteBucketCommand({ Bucket }));
    expect(await failure(admin.send(new DeleteBucketCommand({ Bucket })))).toBe('NoSuchBucket 404');
  });
});
