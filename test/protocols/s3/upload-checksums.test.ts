import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type ChecksumAlgorithm,
  type CompleteMultipartUploadCommandOutput,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { newDigest } from '../../../src/protocols/wire/digest.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, stateText } from '../aws/sdk.ts';
import { code, sendSigned } from '../aws/send-signed.ts';

const aws = AwsHouse.forThisFile();
const Key = 'net/terraform.tfstate';
const text = stateText(1, 'l', { filler: 'x'.repeat(1_000) });
const parts = [text.slice(0, 500), text.slice(500)] as const;
let Bucket = '';

beforeEach(() => {
  Bucket = aws.newBucket();
});

const sha256 = (bytes: string | Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const crc = (bytes: string): string => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(bytes));
  return value.toString('base64');
};
const compositeSha256 = `${sha256(Buffer.concat(parts.map(sha256))).toString('base64')}-2`;

interface Begun {
  readonly upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string };
  readonly Parts: readonly { readonly PartNumber: number; readonly ETag?: string | undefined }[];
}

/** Begins an upload and sends its parts. */
async function begin(creation: object, sent: object = {}): Promise<Begun> {
  const { UploadId = '' } = await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...creation }));
  const upload = { Bucket, Key, UploadId };
  const Parts = [];
  for (const [index, Body] of parts.entries()) {
    const part = { ...upload, PartNumber: index + 1, Body, ...sent };
    const { $metadata: _, ...answer } = await aws.s3.send(new UploadPartCommand(part));
    Parts.push({ PartNumber: index + 1, ...answer });
  }
  return { upload, Parts };
}

const complete = (
  { upload, Parts }: Begun,
  more: object = {},
): Promise<CompleteMultipartUploadCommandOutput> =>
  aws.s3.send(
    new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...Parts] }, ...more }),
  );
const get = async (): Promise<string> => {
  const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? '';
};

describe('the checksum of an upload in parts', () => {
  it('is announced when it is begun, and confirmed', async () => {
    const create = (more: object): Promise<object> =>
      aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
    const types: readonly (readonly [string, string])[] = [
      ['CRC32', 'COMPOSITE'],
      ['CRC32C', 'COMPOSITE'],
      ['CRC64NVME', 'FULL_OBJECT'],
      ['SHA1', 'COMPOSITE'],
      ['SHA256', 'COMPOSITE'],
    ];
    for (const [ChecksumAlgorithm, ChecksumType] of types) {
      expect(await create({ ChecksumAlgorithm })).toMatchObject({ ChecksumAlgorithm, ChecksumType });
    }
    const full = { ChecksumAlgorithm: 'CRC32C', ChecksumType: 'FULL_OBJECT' };
    expect(await create(full)).toMatchObject(full);
    const wrong = [
      { ChecksumAlgorithm: 'XXHASH64' },
      { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' },
      { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' },
    ];
    for (const more of wrong) expect(await failure(create(more))).toBe('InvalidRequest 400');
    const { Uploads } = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads?.map(({ ChecksumAlgorithm }) => ChecksumAlgorithm)).toContain('CRC64NVME');
  });

  it('is composite: of the checksums of its parts, with or without their number', async () => {
    for (const ChecksumSHA256 of [compositeSha256, compositeSha256.slice(0, -2)]) {
      Bucket = aws.newBucket();
      const begun = await begin({ ChecksumAlgorithm: 'SHA256' }, { ChecksumAlgorithm: 'SHA256' });
      const listed = await aws.s3.send(new ListPartsCommand(begun.upload));
      expect(listed).toMatchObject({ ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' });
      expect(listed.Parts?.[0]?.ChecksumSHA256).toBe(sha256(parts[0]).toString('base64'));
      const answer = await complete(begun, { ChecksumSHA256 });
      expect(answer).toMatchObject({ ChecksumSHA256: compositeSha256, ChecksumType: 'COMPOSITE' });
      // The answer was lost and the client asks again.
      expect(await complete(begun, { ChecksumSHA256 })).toMatchObject({ ChecksumSHA256: compositeSha256 });
      expect(await get()).toBe(text);
    }
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'])('is of the whole object: %s', async (algorithm) => {
    const ChecksumAlgorithm = algorithm as ChecksumAlgorithm;
    const begun = await begin({ ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' }, { ChecksumAlgorithm });
    const digest = newDigest(algorithm.toLowerCase() as 'crc32');
    digest.update(Buffer.from(text));
    const whole = { [`Checksum${algorithm}`]: Buffer.from(digest.digest()).toString('base64') };
    const wrong = { [`Checksum${algorithm}`]: 'AAAAAA==' };
    const type = { ChecksumType: 'FULL_OBJECT' };
    expect(await failure(complete(begun, { ...wrong, ...type }))).toBe('BadDigest 400');
    expect(await failure(get())).toBe('NoSuchKey 404');
    expect(await complete(begun, { ...whole, ...type })).toMatchObject({ ...whole, ...type });
    expect(await get()).toBe(text);
  });

  it('is checked where it was not announced, too', async () => {
    const begun = await begin({}, { ChecksumAlgorithm: 'CRC32' });
    expect(await failure(complete(begun, { ChecksumSHA256: `${compositeSha256.slice(0, -2)}-3` }))).toBe(
      'BadDigest 400',
    );
    expect(await failure(complete(begun, { ChecksumCRC32: 'AAAAAA==' }))).toBe('BadDigest 400');
    await complete(begun, { ChecksumCRC32: crc(text) });
    expect(await get()).toBe(text);
  });

  it('is of the algorithm that was announced, for each part and for the whole', async () => {
    const begun = await begin({ ChecksumAlgorithm: 'SHA256' }, { ChecksumAlgorithm: 'SHA256' });
    const other = new UploadPartCommand({
      ...begun.upload,
      PartNumber: 3,
      Body: 'x',
      ChecksumAlgorithm: 'CRC32C',
    });
    expect(await failure(aws.s3.send(other))).toBe('InvalidRequest 400');
    expect(await failure(complete(begun, { ChecksumCRC32: crc(text) }))).toBe('InvalidRequest 400');
    expect(await failure(complete(begun, { ChecksumType: 'FULL_OBJECT' }))).toBe('InvalidRequest 400');
  });

  it('is compared for each part that the client names one of', async () => {
    const begun = await begin({ ChecksumAlgorithm: 'CRC32' }, { ChecksumAlgorithm: 'CRC32' });
    const [first, second] = begun.Parts;
    const swapped = { ...begun, Parts: [first!, { ...second!, ChecksumCRC32: crc(parts[0]) }] };
    expect(await failure(complete(swapped))).toBe('InvalidPart 400');
    await complete(begun);
    expect(await get()).toBe(text);
  });

  it('comes with the size of the whole, which is compared', async () => {
    const begun = await begin({ ChecksumAlgorithm: 'CRC32' }, { ChecksumAlgorithm: 'CRC32' });
    expect(await failure(complete(begun, { MpuObjectSize: text.length + 1 }))).toBe('InvalidRequest 400');
    await complete(begun, { MpuObjectSize: text.length });
  });

  it('is refused in a kind that nobody here knows', async () => {
    const { upload, Parts } = await begin({}, { ChecksumAlgorithm: 'CRC32' });
    const part = `<Part><PartNumber>1</PartNumber><ETag>${Parts[0]?.ETag}</ETag><ChecksumXXHASH64>x</ChecksumXXHASH64></Part>`;
    const answer = await sendSigned(aws.house, {
      method: 'POST',
      path: `/${Bucket}/${Key}`,
      query: [['uploadId', upload.UploadId]],
      body: `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`,
    });
    expect(code(answer)).toBe('400 InvalidRequest');
  });
});
