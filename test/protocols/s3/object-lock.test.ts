import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  UploadPartCommand,
  type DefaultRetention,
  type ObjectLockRetentionMode,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import { callApi } from '../../server/api-client.ts';
import { failure, lockInfo, s3Client, stateText } from '../aws/sdk.ts';

const DAY_MS = 86_400_000;
const DENIED = 'AccessDenied 403';
let house: TestHouse;
let admin: S3Client;
let writer: S3Client;
let buckets = 0;

beforeAll(async () => {
  house = await TestHouse.open({
    s3: { account: '000000000000', strict: true, unsignedBodies: false, deleteVersions: true },
  });
  admin = s3Client(house.url);
  writer = s3Client(house.url, await house.credential('writer', [{ role: 'writer', pattern: '*' }]));
});

afterAll(async () => {
  admin.destroy();
  writer.destroy();
  await house.close();
});

const rule = (retention: Partial<DefaultRetention>): object => ({
  ObjectLockConfiguration: {
    ObjectLockEnabled: 'Enabled',
    Rule: { DefaultRetention: retention },
  },
});

/** A bucket of its own with an object lock, and with a default retention if one is given. */
async function lockedBucket(retention?: Partial<DefaultRetention>): Promise<string> {
  buckets += 1;
  const Bucket = `locked-${buckets}`;
  await admin.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  if (retention !== undefined)
    await admin.send(new PutObjectLockConfigurationCommand({ Bucket, ...rule(retention) }));
  return Bucket;
}

const put = (Bucket: string, serial: number, more: object = {}, client = admin): Promise<unknown> =>
  client.send(new PutObjectCommand({ Bucket, Key: 'net', Body: stateText(serial), ...more }));
const drop = (Bucket: string, VersionId: string, more: object = {}): Promise<unknown> =>
  admin.send(new DeleteObjectCommand({ Bucket, Key: 'net', VersionId, ...more }));
const retain = (
  Bucket: string,
  Mode: ObjectLockRetentionMode,
  days: number,
  more: object = {},
): Promise<unknown> =>
  admin.send(
    new PutObjectRetentionCommand({
      Bucket,
      Key: 'net',
      Retention: { Mode, RetainUntilDate: new Date(Date.now() + days * DAY_MS) },
      ...more,
    }),
  );
const BYPASS = { BypassGovernanceRetention: true };

describe('an object lock of a bucket', () => {
  it('is shown as it was set, in its unit, and as what the project has by other means', async () => {
    const Bucket = await lockedBucket();
    const shown = async (): Promise<unknown> => {
      const { ObjectLockConfiguration } = await admin.send(new GetObjectLockConfigurationCommand({ Bucket }));
      return ObjectLockConfiguration;
    };
    expect(await shown()).toEqual({ ObjectLockEnabled: 'Enabled' });
    await admin.send(
      new PutObjectLockConfigurationCommand({ Bucket, ...rule({ Mode: 'COMPLIANCE', Years: 2 }) }),
    );
    expect(await shown()).toMatchObject({ Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Years: 2 } } });
    const { json } = await callApi(house, `GET /projects/${Bucket}`);
    expect(json).toMatchObject({ set: { retainAtLeast: 730 }, retainMode: 'compliance' });
    const body = { retainAtLeast: 10, retainMode: null };
    await callApi(house, `PATCH /projects/${Bucket}`, { body });
    expect(await shown()).toMatchObject({ Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 10 } } });
  });

  it('is set by admins of the server alone, and as S3 would take it', async () => {
    const Bucket = await lockedBucket();
    const set = (retention: object, client = admin): Promise<string> =>
      failure(client.send(new PutObjectLockConfigurationCommand({ Bucket, ...rule(retention) })));
    expect(await set({ Mode: 'GOVERNANCE', Days: 1 }, writer)).toBe(DENIED);
    expect(await set({ Mode: 'GOVERNANCE', Days: 0 })).toBe('InvalidRetentionPeriod 400');
    expect(await set({ Mode: 'GOVERNANCE', Years: 101 })).toBe('InvalidRetentionPeriod 400');
    expect(await set({ Mode: 'governance', Days: 1 })).toBe('MalformedXML 400');
    expect(await set({ Mode: 'GOVERNANCE', Days: 1, Years: 1 })).toBe('MalformedXML 400');
    expect(
      await failure(
        writer.send(new CreateBucketCommand({ Bucket: 'by-a-writer', ObjectLockEnabledForBucket: true })),
      ),
    ).toBe(DENIED);
  });

  it('keeps what is written under it: from deletion one by one and in many, and the bucket with it', async () => {
    const Bucket = await lockedBucket({ Mode: 'COMPLIANCE', Days: 1 });
    await put(Bucket, 1, {}, writer);
    await put(Bucket, 2, {}, writer);
    expect(await failure(drop(Bucket, '1', BYPASS))).toBe(DENIED);
    await admin.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
      }),
    );
    expect(await failure(drop(Bucket, '1', BYPASS))).toBe(DENIED);
    const Objects = ['1', '2'].map((VersionId) => ({ Key: 'net', VersionId }));
    const { Errors } = await admin.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects }, ...BYPASS }));
    expect(Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied', 'OperationAborted']);
    // A mark can be left and taken away: nothing goes by it.
    const { VersionId } = await writer.send(new DeleteObjectCommand({ Bucket, Key: 'net' }));
    const purged = await house.ask('POST', `/api/v1/state/purge?address=${Bucket}/net&bypassRetention=true`);
    expect([purged.status, JSON.parse(purged.text)]).toMatchObject([
      403,
      { error: 'retained', mode: 'compliance', legalHold: false },
    ]);
    expect(await failure(admin.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty 409');
    await admin.send(new DeleteObjectCommand({ Bucket, Key: 'net', VersionId }));
    expect((await admin.send(new HeadObjectCommand({ Bucket, Key: 'net' }))).ObjectLockMode).toBe(
      'COMPLIANCE',
    );
  });

  it('lets states and lock files be written as ever', async () => {
    const Bucket = await lockedBucket({ Mode: 'COMPLIANCE', Days: 1 });
    const Key = 'net.tflock';
    await writer.send(new PutObjectCommand({ Bucket, Key, Body: lockInfo('one'), IfNoneMatch: '*' }));
    await put(Bucket, 1, {}, writer);
    await writer.send(new DeleteObjectCommand({ Bucket, Key }));
    const lock = { Body: lockInfo('two'), ObjectLockLegalHoldStatus: 'ON' } as const;
    expect(await failure(admin.send(new PutObjectCommand({ Bucket, Key, ...lock })))).toBe(
      'InvalidRequest 400',
    );
  });
});

describe('the retention of a version', () => {
  it('is made longer, and shorter only by an admin who bypasses governance', async () => {
    const Bucket = await lockedBucket();
    await put(Bucket, 1);
    const named = { Bucket, Key: 'net' };
    expect(await failure(admin.send(new GetObjectRetentionCommand(named)))).toBe(
      'NoSuchObjectLockConfiguration 404',
    );
    await retain(Bucket, 'GOVERNANCE', 2);
    expect(await failure(retain(Bucket, 'GOVERNANCE', 1))).toBe(DENIED);
    await retain(Bucket, 'GOVERNANCE', 3);
    expect(await failure(drop(Bucket, '1'))).toBe(DENIED);
    await retain(Bucket, 'GOVERNANCE', 1, BYPASS);
    await retain(Bucket, 'COMPLIANCE', 1.5, BYPASS);
    expect(await failure(retain(Bucket, 'COMPLIANCE', 1, BYPASS))).toBe(DENIED);
    const { Retention } = await admin.send(new GetObjectRetentionCommand(named));
    expect(Retention?.Mode).toBe('COMPLIANCE');
    expect(await failure(drop(Bucket, '1', BYPASS))).toBe(DENIED);
    expect(await failure(retain(Bucket, 'GOVERNANCE', -1))).toBe('InvalidArgument 400');
  });

  it('and its legal hold are said by admins alone, with a write too, and shown by a HEAD', async () => {
    const Bucket = await lockedBucket();
    const RetainUntilDate = new Date(Date.now() + DAY_MS);
    const lock = {
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: RetainUntilDate,
      ObjectLockLegalHoldStatus: 'ON',
    } as const;
    expect(await failure(put(Bucket, 1, lock, writer))).toBe(DENIED);
    const head = { Bucket, Key: 'net' };
    expect(await failure(admin.send(new HeadObjectCommand(head)))).toMatch(/404/);
    await put(Bucket, 1, lock);
    expect(await admin.send(new HeadObjectCommand(head))).toMatchObject(lock);
    expect(await failure(drop(Bucket, '1', BYPASS))).toBe(DENIED);
    const hold = (Status: 'ON' | 'OFF', client = admin): Promise<unknown> =>
      client.send(new PutObjectLegalHoldCommand({ ...head, LegalHold: { Status } }));
    expect(await failure(hold('OFF', writer))).toBe(DENIED);
    await hold('OFF');
    expect((await admin.send(new GetObjectLegalHoldCommand(head))).LegalHold).toEqual({ Status: 'OFF' });
    expect(await failure(drop(Bucket, '1'))).toBe(DENIED);
    await drop(Bucket, '1', BYPASS);
    const { text } = await house.ask('GET', `/api/v1/audit?address=${Bucket}/net`);
    expect(text).toContain('"bypassed":true');
    expect(text).toContain('"action":"retain"');
  });

  it('is said of copies, and of what is sent in parts', async () => {
    const Bucket = await lockedBucket();
    await put(Bucket, 1);
    const lock = { ObjectLockLegalHoldStatus: 'ON' } as const;
    await admin.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/net`, ...lock }));
    const named = { Bucket, Key: 'parts' };
    const { UploadId } = await admin.send(new CreateMultipartUploadCommand({ ...named, ...lock }));
    const part = { ...named, UploadId, PartNumber: 1 };
    const { ETag } = await admin.send(new UploadPartCommand({ ...part, Body: stateText(1) }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await admin.send(new CompleteMultipartUploadCommand({ ...named, UploadId, MultipartUpload }));
    for (const Key of ['copy', 'parts']) {
      const held = await admin.send(new HeadObjectCommand({ Bucket, Key }));
      expect(held.ObjectLockLegalHoldStatus).toBe('ON');
      expect(await failure(admin.send(new DeleteObjectCommand({ Bucket, Key, VersionId: '1' })))).toBe(
        DENIED,
      );
    }
  });

  it('is nothing where the bucket has no object lock', async () => {
    await put('unlocked', 1);
    expect(await failure(retain('unlocked', 'GOVERNANCE', 1))).toBe('InvalidRequest 400');
    const lock = { ObjectLockLegalHoldStatus: 'ON' } as const;
    expect(await failure(put('unlocked', 2, lock))).toBe('InvalidRequest 400');
  });
});
