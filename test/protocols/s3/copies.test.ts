import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, s3Client, stateText } from '../aws/sdk.ts';

const aws = AwsHouse.forThisFile();
let Bucket = '';
let CopySource = '';

beforeEach(() => {
  Bucket = aws.newBucket();
  CopySource = `${Bucket}/from.tfstate`;
});

const put = async (Body: string, Key = 'from.tfstate'): Promise<string> => {
  const { ETag = '' } = await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  return ETag;
};
const get = async (Key: string): Promise<string> => {
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? '';
};
const begin = async (more: object = {}): Promise<{ Bucket: string; Key: string; UploadId: string }> => {
  const Key = 'to.tfstate';
  const { UploadId = '' } = await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return { Bucket, Key, UploadId };
};

describe('a part that is copied', () => {
  const text = stateText(1, 'l', { filler: 'x'.repeat(1_000) });

  it('has the bytes of its range, and the parts become the state', async () => {
    await put(text);
    const upload = await begin();
    const Parts = [];
    for (const [index, range] of ['0-99', `100-${text.length - 1}`].entries()) {
      const part = { ...upload, PartNumber: index + 1, CopySource, CopySourceRange: `bytes=${range}` };
      const { CopyPartResult, CopySourceVersionId } = await aws.s3.send(new UploadPartCopyCommand(part));
      const [from = 0, last = 0] = range.split('-').map(Number);
      const md5 = createHash('md5')
        .update(text.slice(from, last + 1))
        .digest('hex');
      expect([CopyPartResult?.ETag, CopySourceVersionId]).toEqual([`"${md5}"`, '1']);
      Parts.push({ PartNumber: index + 1, ETag: CopyPartResult?.ETag });
    }
    await aws.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    expect(await get('to.tfstate')).toBe(text);
  });

  it('is the whole state without a range, of the version that is named', async () => {
    await put(text);
    await put(stateText(2, 'l'));
    const upload = await begin();
    const part = { ...upload, PartNumber: 1, CopySource: `${CopySource}?versionId=1` };
    const { CopyPartResult } = await aws.s3.send(new UploadPartCopyCommand(part));
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    await aws.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    expect(await get('to.tfstate')).toBe(text);
  });

  it('has the checksum of its upload', async () => {
    await put(text);
    const upload = await begin({ ChecksumAlgorithm: 'SHA256' });
    const part = { ...upload, PartNumber: 1, CopySource };
    const { CopyPartResult } = await aws.s3.send(new UploadPartCopyCommand(part));
    expect(CopyPartResult?.ChecksumSHA256).toBe(createHash('sha256').update(text).digest('base64'));
  });

  it.each([
    ['0-2', 'InvalidArgument 400'],
    ['bytes=0', 'InvalidArgument 400'],
    ['bytes=-5', 'InvalidArgument 400'],
    ['bytes=5-', 'InvalidArgument 400'],
    ['bytes=2-1', 'InvalidArgument 400'],
    ['bytes=0-2,3-5', 'InvalidArgument 400'],
    ['bytes=0-9999', 'InvalidRange 416'],
  ])('is refused for the range %s', async (CopySourceRange, expected) => {
    await put(text);
    const part = { ...(await begin()), PartNumber: 1, CopySource, CopySourceRange };
    expect(await failure(aws.s3.send(new UploadPartCopyCommand(part)))).toBe(expected);
  });

  it('is not made of what is not there, or may not be read', async () => {
    await put(text);
    const upload = await begin();
    const absent = { ...upload, PartNumber: 1, CopySource: `${Bucket}/absent` };
    expect(await failure(aws.s3.send(new UploadPartCopyCommand(absent)))).toBe('NoSuchKey 404');
    const grants = [{ role: 'writer', pattern: `${Bucket}/to.tfstate` }] as const;
    const writer = s3Client(aws.house.url, await aws.house.credential(`writer-${Bucket}`, grants));
    const { UploadId } = await writer.send(new CreateMultipartUploadCommand({ Bucket, Key: upload.Key }));
    const forbidden = { ...upload, UploadId, PartNumber: 1, CopySource };
    expect(await failure(writer.send(new UploadPartCopyCommand(forbidden)))).toBe('AccessDenied 403');
    writer.destroy();
  });
});

describe('the conditions of a copy', () => {
  const early = new Date(0);
  const late = new Date(Date.now() + 3_600_000);
  const REFUSED = 'PreconditionFailed 412';

  it.each<readonly [string, (etag: string) => object, string]>([
    ['the ETag', (CopySourceIfMatch) => ({ CopySourceIfMatch }), 'none'],
    ['another ETag', () => ({ CopySourceIfMatch: '"x"' }), REFUSED],
    ['not the ETag', (CopySourceIfNoneMatch) => ({ CopySourceIfNoneMatch }), REFUSED],
    ['not another ETag', () => ({ CopySourceIfNoneMatch: '"x"' }), 'none'],
    ['changed since', () => ({ CopySourceIfModifiedSince: late }), REFUSED],
    ['changed long since', () => ({ CopySourceIfModifiedSince: early }), 'none'],
    ['as it was', () => ({ CopySourceIfUnmodifiedSince: early }), REFUSED],
    [
      'the ETag, whenever it changed',
      (CopySourceIfMatch) => ({ CopySourceIfMatch, CopySourceIfUnmodifiedSince: early }),
      'none',
    ],
  ])('are honoured, for the whole and for a part: %s', async (_, condition, expected) => {
    const more = condition(await put(stateText(1)));
    const copy = new CopyObjectCommand({ Bucket, Key: 'copy.tfstate', CopySource, ...more });
    expect(await failure(aws.s3.send(copy))).toBe(expected);
    if (expected !== 'none') expect(await failure(get('copy.tfstate'))).toBe('NoSuchKey 404');
    const part = { ...(await begin()), PartNumber: 1, CopySource, ...more };
    expect(await failure(aws.s3.send(new UploadPartCopyCommand(part)))).toBe(expected);
  });

  it('are honoured for what it replaces, when an old version is brought back, too', async () => {
    await put(stateText(1));
    const ETag = await put(stateText(2));
    const restore = (more: object): Promise<unknown> =>
      aws.s3.send(
        new CopyObjectCommand({
          Bucket,
          Key: 'from.tfstate',
          CopySource: `${CopySource}?versionId=1`,
          ...more,
        }),
      );
    expect(await failure(restore({ IfMatch: '"x"' }))).toBe(REFUSED);
    expect(await failure(restore({ IfNoneMatch: '*' }))).toBe(REFUSED);
    expect(await get('from.tfstate')).toBe(stateText(2));
    await restore({ IfMatch: ETag });
    expect(await get('from.tfstate')).toBe(stateText(3));
  });
});

describe('a state that is copied onto itself', () => {
  const copy = (more: object): Promise<unknown> =>
    aws.s3.send(new CopyObjectCommand({ Bucket, Key: 'from.tfstate', CopySource, ...more }));

  it('with other metadata stays as it is, and without is refused', async () => {
    const ETag = await put(stateText(1));
    expect(await failure(copy({}))).toBe('InvalidRequest 400');
    expect(await failure(copy({ MetadataDirective: 'OTHER' }))).toBe('InvalidArgument 400');
    expect(await copy({ MetadataDirective: 'REPLACE', Metadata: { a: 'b' } })).toMatchObject({
      CopyObjectResult: { ETag },
      VersionId: '1',
    });
    const { Versions } = await aws.s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions).toHaveLength(1);
  });
});
