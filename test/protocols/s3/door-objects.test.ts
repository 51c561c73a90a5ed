import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  UploadPartCommand,
  AbortMultipartUploadCommand,
  ListObjectsCommand,
  type ChecksumAlgorithm,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, lockInfo, s3Client, stateText } from '../aws/sdk.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';

const aws = AwsHouse.forThisFile();
let Bucket = '';

beforeEach(() => {
  Bucket = aws.newBucket();
});

const Key = 'net/terraform.tfstate';
const put = (Body: string | Uint8Array, key = Key): Promise<unknown> =>
  aws.s3.send(new PutObjectCommand({ Bucket, Key: key, Body }));
const get = async (key = Key, more: object = {}): Promise<string> => {
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket, Key: key, ...more }));
  return (await Body?.transformToString()) ?? '';
};

describe('an object at the S3 door', () => {
  it('comes back byte for byte, with its ETag, size and version', async () => {
    const text = stateText(1, 'l', { zahl: 'ä\u2028', big: 1 });
    const { ETag, VersionId } = await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body: text }));
    expect(VersionId).toBe('1');
    expect(await get()).toBe(text);
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({ ETag, ContentLength: Buffer.byteLength(text), AcceptRanges: 'bytes' });
    expect(await failure(get('absent'))).toBe('NoSuchKey 404');
    expect(await failure(aws.s3.send(new HeadObjectCommand({ Bucket, Key: 'absent' })))).toBe('NotFound 404');
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'])(
    'is checked against its %s, and a wrong one keeps nothing',
    async (ChecksumAlgorithm) => {
      const Body = stateText(1);
      const algorithm = ChecksumAlgorithm as ChecksumAlgorithm;
      await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: algorithm }));
      expect(await get()).toBe(Body);
      const wrong = { ChecksumSHA256: Buffer.alloc(32).toString('base64') };
      expect(await failure(aws.s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body, ...wrong })))).toBe(
        'BadDigest 400',
      );
      expect(await failure(get('other'))).toBe('NoSuchKey 404');
      const ContentMD5 = Buffer.alloc(16).toString('base64');
      expect(
        await failure(aws.s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body, ContentMD5 }))),
      ).toBe('BadDigest 400');
    },
  );

  it('gives its parts: Range from the front, from the back, and beyond', async () => {
    const text = stateText(1);
    await put(text);
    expect(await get(Key, { Range: 'bytes=0-9' })).toBe(text.slice(0, 10));
    expect(await get(Key, { Range: 'bytes=10-' })).toBe(text.slice(10));
    expect(await get(Key, { Range: 'bytes=-5' })).toBe(text.slice(-5));
    expect(await get(Key, { Range: 'bytes=0-5242879' })).toBe(text);
    expect(await failure(get(Key, { Range: `bytes=${text.length}-` }))).toBe('InvalidRange 416');
    const part = await aws.s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=2-3' }));
    expect(part).toMatchObject({ ContentRange: `bytes 2-3/${text.length}`, ContentLength: 2 });
    expect(part.$metadata.httpStatusCode).toBe(206);
  });

  it('is read on conditions', async () => {
    const { ETag = '' } = (await put(stateText(1))) as { ETag?: string };
    expect(await failure(get(Key, { IfMatch: '"other"' }))).toBe('PreconditionFailed 412');
    expect(await get(Key, { IfMatch: ETag })).toBe(stateText(1));
    expect(await failure(get(Key, { IfNoneMatch: ETag }))).toMatch(/304/);
    expect(await failure(get(Key, { IfModifiedSince: new Date(Date.now() + 60_000) }))).toMatch(/304/);
    expect(await failure(get(Key, { IfUnmodifiedSince: new Date(0) }))).toBe('PreconditionFailed 412');
  });

  it('is written on conditions', async () => {
    const write = (Body: string, condition: object): Promise<unknown> =>
      aws.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }));
    expect(await failure(write(stateText(1), { IfMatch: '"x"' }))).toBe('NoSuchKey 404');
    const { ETag } = (await write(stateText(1), { IfNoneMatch: '*' })) as { ETag: string };
    expect(await failure(write(stateText(2), { IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
    await write(stateText(2), { IfMatch: ETag });
    expect(await failure(write(stateText(3), { IfMatch: ETag }))).toBe('PreconditionFailed 412');
    expect(await get()).toBe(stateText(2));
  });

  it('is a state or a lock file and nothing else', async () => {
    expect(await failure(put('hello'))).toBe('InvalidArgument 400');
    expect(await failure(put(''))).toBe('InvalidArgument 400');
    expect(await failure(put(stateText(1).slice(0, -10)))).toBe('InvalidArgument 400');
    expect(await failure(put('{}', `${Key}.tflock`))).toBe('InvalidArgument 400');
    for (const key of ['a//b', 'env:/default/a', 'env:/dev', 'a/../b', 'a-md5', 'env:/a b/c']) {
      expect(await failure(put(stateText(1), key))).toBe('InvalidArgument 400');
      expect(await failure(get(key))).toBe('NoSuchKey 404');
    }
  });

  it('has old versions, a mark where it was deleted, and comes back when that is deleted', async () => {
    await put(stateText(1));
    await put(stateText(2));
    expect(await get(Key, { VersionId: '1' })).toBe(stateText(1));
    expect(await failure(get(Key, { VersionId: '9' }))).toBe('NoSuchVersion 404');
    expect(await failure(get(Key, { VersionId: 'x' }))).toBe('NoSuchVersion 404');
    const gone = await aws.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(gone).toMatchObject({ DeleteMarker: true, VersionId: 'd2' });
    expect(await failure(get())).toBe('NoSuchKey 404');
    expect(await get(Key, { VersionId: '2' })).toBe(stateText(2));
    const { Versions, DeleteMarkers } = await aws.s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      ['2', false],
      ['1', false],
    ]);
    expect(DeleteMarkers).toMatchObject([{ Key, VersionId: 'd2', IsLatest: true }]);
    expect(await failure(aws.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: '1' })))).toBe(
      'AccessDenied 403',
    );
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: 'd2' }));
    expect(await get()).toBe(stateText(2));
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: 'never' }));
  });

  it('is brought back by copying an old version onto itself, and copied elsewhere', async () => {
    await put(stateText(1, 'l', { mark: 'old' }));
    await put(stateText(2, 'l', { mark: 'new' }));
    const copy = (CopySource: string, target: string): Promise<unknown> =>
      aws.s3.send(new CopyObjectCommand({ Bucket, Key: target, CopySource }));
    await copy(`${Bucket}/${Key}?versionId=1`, Key);
    expect(await get()).toBe(stateText(3, 'l', { mark: 'old' }));
    await copy(`${Bucket}/${Key}`, 'copy.tfstate');
    expect(await get('copy.tfstate')).toBe(stateText(3, 'l', { mark: 'old' }));
    expect(await failure(copy(`${Bucket}/${Key}`, Key))).toBe('InvalidRequest 400');
    expect(await failure(copy(`${Bucket}/absent`, 'x'))).toBe('NoSuchKey 404');
    expect(await failure(copy('nonsense', 'x'))).toBe('InvalidRequest 400');
  });

  it('is deleted with others in one request', async () => {
    await put(stateText(1), 'a');
    await put(stateText(1), 'b');
    const Objects = [{ Key: 'a' }, { Key: 'b' }, { Key: 'c' }, { Key: 'a', VersionId: '1' }];
    const { Deleted, Errors } = await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted?.map((one) => one.Key)).toEqual(['a', 'b', 'c']);
    expect(Errors).toMatchObject([{ Key: 'a', VersionId: '1', Code: 'AccessDenied' }]);
    expect(await failure(get('a'))).toBe('NoSuchKey 404');
  });

  it('is locked while its lock file is there, which is listed and never overwritten', async () => {
    const lockKey = `${Key}.tflock`;
    await put(lockInfo('one'), lockKey);
    expect(await failure(put(lockInfo('two'), lockKey))).toBe('PreconditionFailed 412');
    expect(await get(lockKey)).toBe(lockInfo('one'));
    // A run of terraform that was just refused is told more.
    const run = s3Client(aws.house.url, TEST_ADMIN, { customUserAgent: 'Terraform/1.11.4' });
    const refused = run.send(
      new PutObjectCommand({ Bucket, Key: lockKey, Body: lockInfo('three'), IfNoneMatch: '*' }),
    );
    expect(await failure(refused)).toBe('PreconditionFailed 412');
    const told = await run.send(new GetObjectCommand({ Bucket, Key: lockKey }));
    expect(JSON.parse((await told.Body?.transformToString()) ?? '')).toMatchObject({
      ID: 'one',
      Info: expect.stringMatching(/^held by .* for \ds; see http:\/\/[\w.:]+\/s\/\S+$/) as string,
    });
    expect(await get(lockKey)).toBe(lockInfo('one'));
    const listed = await aws.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents?.map((one) => one.Key)).toEqual([lockKey]);
    expect(listed.Contents?.[0]?.Size).toBe(lockInfo('one').length);
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: lockKey }));
    expect(await failure(get(lockKey))).toBe('NoSuchKey 404');
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: lockKey }));
  });
});

describe('a listing at the S3 door', () => {
  const keys = ['a/1', 'a/2', 'b', 'c/x y+ä/1', 'env:/dev/a/1', 'env:/dev/b', 'z'];
  const list = async (more: object): Promise<readonly (readonly string[])[]> => {
    const { Contents = [], CommonPrefixes = [] } = await aws.s3.send(
      new ListObjectsV2Command({ Bucket, ...more }),
    );
    return [Contents.map((one) => one.Key ?? ''), CommonPrefixes.map((one) => one.Prefix ?? '')];
  };

  it('has all names in the order of their bytes, by prefix and delimiter, page by page', async () => {
    for (const key of [...keys].reverse()) await put(stateText(1), key);
    await aws.s3.send(new PutObjectCommand({ Bucket: `${Bucket}x`, Key: 'a/3', Body: stateText(1) }));
    expect(await list({})).toEqual([keys, []]);
    expect(await list({ EncodingType: 'url' })).toEqual([
      ['a/1', 'a/2', 'b', 'c/x%20y%2B%C3%A4/1', 'env%3A/dev/a/1', 'env%3A/dev/b', 'z'],
      [],
    ]);
    expect(await list({ Delimiter: '/' })).toEqual([
      ['b', 'z'],
      ['a/', 'c/', 'env:/'],
    ]);
    expect(await list({ Prefix: 'env:/' })).toEqual([['env:/dev/a/1', 'env:/dev/b'], []]);
    expect(await list({ Prefix: 'env:/d', Delimiter: '/' })).toEqual([[], ['env:/dev/']]);
    expect(await list({ Prefix: 'e' })).toEqual([['env:/dev/a/1', 'env:/dev/b'], []]);
    expect(await list({ Prefix: 'a/2' })).toEqual([['a/2'], []]);
    expect(await list({ StartAfter: 'b' })).toEqual([keys.slice(3), []]);
    expect(await list({ StartAfter: 'a/1', Delimiter: '/' })).toEqual([
      ['b', 'z'],
      ['a/', 'c/', 'env:/'],
    ]);
    const pages: string[][] = [];
    for await (const page of paginateListObjectsV2(
      { client: aws.s3, pageSize: 2 },
      { Bucket, Delimiter: '/' },
    )) {
      pages.push([
        ...(page.Contents ?? []).map((one) => one.Key ?? ''),
        ...(page.CommonPrefixes ?? []).map((one) => one.Prefix ?? ''),
      ]);
      expect(page.KeyCount).toBe(pages.at(-1)?.length);
    }
    expect(pages).toEqual([['b', 'a/'], ['c/', 'env:/'], ['z']]);
    const first = await aws.s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }));
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'a/' });
    const second = await aws.s3.send(
      new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: 'a/', MaxKeys: 1 }),
    );
    expect(second.Contents).toMatchObject([{ Key: 'b' }]);
    expect(await failure(list({ ContinuationToken: '!' }))).toBe('InvalidArgument 400');
  });

  it('of versions goes page by page through states and their versions', async () => {
    for (const key of ['a', 'b']) for (const serial of [1, 2, 3]) await put(stateText(serial), key);
    await aws.s3.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));
    const seen: string[] = [];
    let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let page = 0; page < 10; page += 1) {
      const answer = await aws.s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }));
      const lines = [...(answer.DeleteMarkers ?? []), ...(answer.Versions ?? [])];
      expect(lines.length).toBeLessThanOrEqual(2);
      seen.push(...lines.map(({ Key: key, VersionId }) => `${key}@${VersionId}`));
      if (answer.IsTruncated !== true) break;
      markers = {
        ...(answer.NextKeyMarker === undefined ? {} : { KeyMarker: answer.NextKeyMarker }),
        ...(answer.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: answer.NextVersionIdMarker }),
      };
    }
    // Within a page the SDK tells versions and marks apart.
    expect(seen.toSorted()).toEqual(['a@1', 'a@2', 'a@3', 'b@1', 'b@2', 'b@3', 'b@d3']);
  });

  it('shows only what the caller may see', async () => {
    await put(stateText(1), 'mine/a');
    await put(stateText(1), 'theirs/a');
    const pair = await aws.house.credential(`reader-${Bucket}`, [
      { role: 'reader', pattern: `${Bucket}/mine/*` },
    ]);
    const reader = s3Client(aws.house.url, pair);
    const { Contents } = await reader.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map((one) => one.Key)).toEqual(['mine/a']);
    expect(await failure(reader.send(new GetObjectCommand({ Bucket, Key: 'theirs/a' })))).toBe(
      'AccessDenied 403',
    );
    expect(
      await failure(reader.send(new PutObjectCommand({ Bucket, Key: 'mine/a', Body: stateText(2) }))),
    ).toBe('AccessDenied 403');
    expect(await failure(reader.send(new ListObjectsV2Command({ Bucket: 'other' })))).toBe(
      'AccessDenied 403',
    );
  });
});

describe('a multipart upload', () => {
  const big = stateText(1, 'l', { filler: 'x'.repeat(11 * 1024 * 1024) });
  const PART = 5 * 1024 * 1024;

  it('becomes one state, whose parts may come in any order and twice', async () => {
    const { UploadId } = await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const upload = { Bucket, Key, UploadId };
    const part = async (number: number, Body: string): Promise<{ PartNumber: number; ETag: string }> => {
      const { ETag = '' } = await aws.s3.send(new UploadPartCommand({ ...upload, PartNumber: number, Body }));
      return { PartNumber: number, ETag };
    };
    const third = await part(3, big.slice(2 * PART));
    await part(1, 'to be replaced');
    const first = await part(1, big.slice(0, PART));
    const second = await part(2, big.slice(PART, 2 * PART));
    const { Parts } = await aws.s3.send(new ListPartsCommand(upload));
    expect(Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, PART],
      [2, PART],
      [3, big.length - 2 * PART],
    ]);
    const open = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(open.Uploads).toMatchObject([{ Key, UploadId }]);
    const complete = (parts: object[]): Promise<unknown> =>
      aws.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
    expect(await failure(complete([second, first]))).toBe('InvalidPartOrder 400');
    expect(await failure(complete([first, { ...second, ETag: '"x"' }]))).toBe('InvalidPart 400');
    expect(await failure(complete([first, second]))).toBe('InvalidArgument 400');
    await complete([first, second, third]);
    // The answer was lost and the client asks again.
    await complete([first, second, third]);
    expect(await get()).toBe(big);
    expect(await failure(part(4, 'late'))).toBe('NoSuchUpload 404');
    const { Versions } = await aws.s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions).toHaveLength(1);
    expect((await aws.s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined();
  });

  it('obeys the rules when it is completed, and is nobody else’s', async () => {
    await put(stateText(5));
    const { UploadId } = await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const upload = { Bucket, Key, UploadId };
    const { ETag } = await aws.s3.send(
      new UploadPartCommand({ ...upload, PartNumber: 1, Body: stateText(4) }),
    );
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    expect(
      await failure(aws.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }))),
    ).toBe('PreconditionFailed 412');
    const other = s3Client(
      aws.house.url,
      await aws.house.credential(`other-${Bucket}`, [{ role: 'writer', pattern: '*' }]),
    );
    expect(await failure(other.send(new AbortMultipartUploadCommand(upload)))).toBe('NoSuchUpload 404');
    await aws.s3.send(new AbortMultipartUploadCommand(upload));
    expect(await failure(aws.s3.send(new ListPartsCommand(upload)))).toBe('NoSuchUpload 404');
    expect(
      await failure(aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: `${Key}.tflock` }))),
    ).toBe('InvalidRequest 400');
  });
});

describe('the ways to reach the S3 door', () => {
  it('takes the bucket from the host name, where there is a domain and at localhost', async () => {
    const { port } = new URL(aws.house.url);
    const virtual = s3Client(`http://localhost:${port}`);
    await virtual.send(new PutObjectCommand({ Bucket, Key, Body: stateText(1) }));
    expect(await get()).toBe(stateText(1));
    await using named = await TestHouse.open({ domain: 'state.example.com' });
    const client = s3Client(`http://state.example.com:${new URL(named.url).port}`);
    await client.send(new PutObjectCommand({ Bucket, Key, Body: stateText(1) }));
    const seen = await named.ask('GET', `/http/${Bucket}/${Key}`, {
      headers: { 'accept-encoding': 'identity' },
    });
    expect(seen.text).toBe(stateText(1));
    const path = s3Client(`http://state.example.com:${new URL(named.url).port}`, TEST_ADMIN, {
      forcePathStyle: true,
    });
    const { Body } = await path.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe(stateText(1));
  });

  it('is the same over https, where bodies come in chunks with a trailer, multipart too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-sdk-'));
    await using secure = await TestHouse.open({
      store: { kind: 'directory', path: directory },
      tls: { kind: 'self-signed' },
    });
    const ca = await readFile(secure.certPath ?? '', 'utf8');
    const client = s3Client(secure.url, TEST_ADMIN, { ca });
    const body = stateText(1, 'l', { filler: 'y'.repeat(6 * 1024 * 1024) });
    await client.send(new PutObjectCommand({ Bucket, Key, Body: body }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe(body);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'm' }));
    const upload = { Bucket, Key: 'm', UploadId };
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: body }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    const whole = await client.send(new GetObjectCommand({ Bucket, Key: 'm' }));
    expect(await whole.Body?.transformToString()).toBe(body);
    await secure.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
});
