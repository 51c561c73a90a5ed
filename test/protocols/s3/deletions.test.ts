import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '../../support/request.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, lockInfo, stateText } from '../aws/sdk.ts';
import { code, sendSigned, type Sent } from '../aws/send-signed.ts';

const aws = AwsHouse.forThisFile();
const Key = 'net.tfstate';
let Bucket = '';

beforeEach(() => {
  Bucket = aws.newBucket();
});

const put = async (serial: number, key = Key): Promise<string> => {
  const Body = stateText(serial);
  return (await aws.s3.send(new PutObjectCommand({ Bucket, Key: key, Body }))).ETag ?? '';
};
const get = async (more: object = {}): Promise<string> => {
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return (await Body?.transformToString()) ?? '';
};
const remove = (more: object = {}): Promise<{ VersionId?: string | undefined }> =>
  aws.s3.send(new DeleteObjectCommand({ Bucket, Key, ...more }));
const raw = (method: string, more: Sent = {}): Promise<Answer> =>
  sendSigned(aws.house, { method, path: `/${Bucket}/${Key}`, ...more });
const REFUSED = 'PreconditionFailed 412';

describe('a deletion on a condition', () => {
  it.each<readonly [string, (etag: string) => object]>([
    ['another ETag', () => ({ IfMatch: '"x"' })],
    ['another size', () => ({ IfMatchSize: 1 })],
    ['another time', () => ({ IfMatchLastModifiedTime: new Date(0) })],
    ['the ETag and another size', (IfMatch) => ({ IfMatch, IfMatchSize: 1 })],
  ])('that does not hold leaves the state: %s', async (_, condition) => {
    expect(await failure(remove(condition(await put(1))))).toBe(REFUSED);
    expect(await get()).toBe(stateText(1));
  });

  it('that holds is done', async () => {
    for (const any of [false, true]) {
      const IfMatch = await put(1, `${Key}${any}`);
      const more = { Key: `${Key}${any}`, IfMatch: any ? '*' : IfMatch };
      const { LastModified } = await aws.s3.send(new HeadObjectCommand({ Bucket, Key: more.Key }));
      const exact = { IfMatchSize: stateText(1).length, IfMatchLastModifiedTime: LastModified };
      expect(await remove({ ...more, ...exact })).toMatchObject({ DeleteMarker: true });
    }
  });

  it('is no deletion of what is not there, or is deleted already', async () => {
    expect(await failure(remove({ IfMatch: '*' }))).toBe('NoSuchKey 404');
    await put(1);
    await remove();
    expect(await failure(remove({ IfMatch: '*' }))).toBe(REFUSED);
    expect(await failure(remove({ Key: 'a//b', IfMatch: '*' }))).toBe('NoSuchKey 404');
  });

  it('is set for each object of many', async () => {
    const [a, b] = [await put(1, 'a'), await put(1, 'b')];
    const Objects = [
      { Key: 'a', ETag: '"x"' },
      { Key: 'b', ETag: b, Size: stateText(1).length },
      { Key: 'c', ETag: a },
    ];
    const answer = await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted).toMatchObject([{ Key: 'b' }]);
    expect(answer.Errors?.map(({ Code }) => Code)).toEqual(['PreconditionFailed', 'NoSuchKey']);
    const unknown = '<Delete><Object><Key>a</Key><IfTomorrow>yes</IfTomorrow></Object></Delete>';
    const refused = await sendSigned(aws.house, {
      method: 'POST',
      path: `/${Bucket}`,
      query: [['delete', '']],
      body: unknown,
    });
    expect(code(refused)).toBe('400 MalformedXML');
  });

  it('ends the lock that meets it, and no other', async () => {
    const lock = { Bucket, Key: `${Key}.tflock` };
    expect(await failure(remove({ ...lock, IfMatch: '*' }))).toBe('NoSuchKey 404');
    const { ETag } = await aws.s3.send(new PutObjectCommand({ ...lock, Body: lockInfo('one') }));
    expect(await failure(remove({ ...lock, IfMatch: '"x"' }))).toBe(REFUSED);
    expect(await failure(remove({ ...lock, VersionId: '1' }))).toBe('NoSuchVersion 404');
    await aws.s3.send(new HeadObjectCommand(lock));
    await remove({ ...lock, IfMatch: ETag });
    expect(await failure(aws.s3.send(new HeadObjectCommand(lock)))).toBe('NotFound 404');
  });
});

describe('the mark of a deletion', () => {
  it('is told in place of the state', async () => {
    expect((await raw('GET')).headers['x-amz-delete-marker']).toBeUndefined();
    await put(1);
    await put(2);
    await remove();
    for (const method of ['GET', 'HEAD']) {
      const gone = await raw(method);
      expect(gone.status).toBe(404);
      expect(gone.headers).toMatchObject({ 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'd2' });
      const mark = await raw(method, { query: [['versionId', 'd2']] });
      expect(mark.status).toBe(405);
      expect(mark.headers).toMatchObject({ 'x-amz-delete-marker': 'true', allow: 'DELETE' });
      expect((await raw(method, { query: [['versionId', 'd1']] })).status).toBe(404);
    }
  });

  it('is told by a deletion of many: when it is left, and when it is removed', async () => {
    await put(1);
    const many = async (object: object): Promise<unknown> => {
      const Objects = [{ Key, ...object }];
      return (await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted;
    };
    const mark = { DeleteMarker: true, DeleteMarkerVersionId: 'd1' };
    expect(await many({})).toEqual([{ Key, ...mark }]);
    expect(await many({ VersionId: 'd1' })).toEqual([{ Key, VersionId: 'd1', ...mark }]);
    expect(await get()).toBe(stateText(1));
  });

  it('undeletes only if it is the present one', async () => {
    await put(1);
    await remove();
    await put(2);
    await remove();
    await remove({ VersionId: 'd1' });
    expect(await failure(get())).toBe('NoSuchKey 404');
    await remove({ VersionId: 'd2' });
    expect(await get()).toBe(stateText(2));
    expect(await failure(remove({ VersionId: 'd2', IfMatch: '*' }))).toBe('NotImplemented 501');
  });
});

describe('a part of a state', () => {
  it('is the whole, by its number', async () => {
    await put(1);
    const { length } = stateText(1);
    for (const method of ['GET', 'HEAD']) {
      const first = await raw(method, { query: [['partNumber', '1']] });
      expect([first.status, first.headers['content-range']]).toEqual([
        206,
        `bytes 0-${length - 1}/${length}`,
      ]);
      expect(first.text).toBe(method === 'GET' ? stateText(1) : '');
    }
    expect(code(await raw('GET', { query: [['partNumber', '2']] }))).toBe('416 InvalidPartNumber');
    expect(code(await raw('GET', { query: [['partNumber', '0']] }))).toBe('400 InvalidArgument');
    const both = { query: [['partNumber', '1']], headers: { range: 'bytes=0-1' } } as const;
    expect(code(await raw('GET', both))).toBe('400 InvalidRequest');
  });

  it('is only that of the state that was begun with (If-Range)', async () => {
    const etag = await put(1);
    const range = { range: 'bytes=0-4' };
    expect((await raw('GET', { headers: { ...range, 'if-range': etag } })).status).toBe(206);
    expect((await raw('GET', { headers: { ...range, 'if-range': '"x"' } })).text).toBe(stateText(1));
  });
});

it('of several objects means the very names, spaces at their ends too', async () => {
  const names = [' spaced ', 'spaced'];
  for (const key of names) await put(1, key);
  const Objects = [{ Key: ' spaced ' }];
  await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  const there = names.map((name) => failure(get({ Key: name })));
  expect(await Promise.all(there)).toEqual(['NoSuchKey 404', 'none']);
});
