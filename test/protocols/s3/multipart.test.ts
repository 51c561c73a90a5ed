import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { UPLOADS_MAX } from '../../../src/house/states/upload-limits.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { failure, s3Client, stateText } from '../aws/sdk.ts';

const aws = AwsHouse.forThisFile();
const clients: S3Client[] = [];

/** A client of a new credential. */
async function clientOf(
  name: string,
  pattern: string,
  role: 'writer' | 'admin' = 'writer',
): Promise<S3Client> {
  const client = s3Client(aws.house.url, await aws.house.credential(name, [{ role, pattern }]));
  clients.push(client);
  return client;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

describe('multipart uploads', () => {
  it('of one credential leave room for those of another, and a full share is told as SlowDown', async () => {
    const Bucket = aws.newBucket();
    const [sandbox, other] = [await clientOf('many', '*'), await clientOf('one', '*')];
    for (let n = 0; n < UPLOADS_MAX.subject; n += 1)
      await sandbox.send(new CreateMultipartUploadCommand({ Bucket, Key: `k${n}` }));
    const raw = await failure(sandbox.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' })));
    expect(raw).toBe('SlowDown 503');
    const { UploadId } = await other.send(new CreateMultipartUploadCommand({ Bucket, Key: 'mine' }));
    const part = { Bucket, Key: 'mine', UploadId, PartNumber: 1 };
    const { ETag } = await other.send(new UploadPartCommand({ ...part, Body: stateText(1) }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await other.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'mine', UploadId, MultipartUpload }));
    const { Uploads = [] } = await aws.s3.send(new ListMultipartUploadsCommand({ Bucket }));
    for (const { Key, UploadId: id } of Uploads)
      await aws.s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: id }));
  });

  it('are listed and aborted by an admin of the address, and by no other stranger', async () => {
    const Bucket = aws.newBucket();
    const owner = await clientOf('owner', `${Bucket}/*`);
    const { UploadId } = await owner.send(new CreateMultipartUploadCommand({ Bucket, Key: 'a' }));
    const part = { Bucket, Key: 'a', UploadId, PartNumber: 1 };
    await owner.send(new UploadPartCommand({ ...part, Body: stateText(1) }));
    const stranger = await clientOf('stranger', `${Bucket}/*`);
    const admin = await clientOf('address-admin', `${Bucket}/*`, 'admin');
    expect((await stranger.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined();
    const abort = new AbortMultipartUploadCommand({ Bucket, Key: 'a', UploadId });
    expect(await failure(stranger.send(abort))).toBe('NoSuchUpload 404');
    const { Uploads } = await admin.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads?.map((upload) => upload.UploadId)).toEqual([UploadId]);
    const { Parts } = await admin.send(new ListPartsCommand({ Bucket, Key: 'a', UploadId }));
    expect(Parts).toHaveLength(1);
    const added = new UploadPartCommand({ ...part, PartNumber: 2, Body: stateText(1) });
    expect(await failure(admin.send(added))).toBe('NoSuchUpload 404');
    await admin.send(abort);
    expect((await owner.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined();
  });

  it('are refused at every step once their credential has expired, and are in the audit log', async () => {
    const Bucket = aws.newBucket();
    const expiresAt = Date.now() + 1_000;
    const pair = await aws.house.credential('late', [{ role: 'writer', pattern: '*' }], expiresAt);
    const client = s3Client(aws.house.url, pair);
    clients.push(client);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'a' }));
    const part = { Bucket, Key: 'a', UploadId, PartNumber: 1 };
    const { ETag } = await client.send(new UploadPartCommand({ ...part, Body: stateText(1) }));
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const steps = [
      client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'b' })),
      client.send(new UploadPartCommand({ ...part, Body: stateText(1) })),
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'a', UploadId, MultipartUpload })),
      client.send(new ListPartsCommand({ Bucket, Key: 'a', UploadId })),
    ];
    for (const step of await Promise.all(steps.map(failure))) expect(step).toBe('ExpiredToken 400');
    await aws.s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'a', UploadId }));
    const { text } = await aws.house.ask('GET', `/api/v1/audit?address=${Bucket}/a`);
    expect(text).toContain('"upload-begin"');
    expect(text).toContain('"upload-abort"');
  });
});
