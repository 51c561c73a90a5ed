import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../../../src/protocols/backends.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';
import type { Answer } from '../../support/request.ts';
import { lockInfo, stateText } from '../aws/sdk.ts';
import { code, sendSigned, type Sent } from '../aws/send-signed.ts';

const REFUSED = '501 NotImplemented';
const NOT_DONE = 'x-statehouse-not-done';
const MODE = 'x-amz-server-side-encryption';

let plain: TestHouse;
let strict: TestHouse;
let writes = 0;

beforeAll(async () => {
  plain = await TestHouse.open();
  strict = await TestHouse.open({
    s3: { account: '000000000000', strict: true, unsignedBodies: false, deleteVersions: false },
  });
  for (const house of [plain, strict]) expect((await sendSigned(house, made)).status).toBe(200);
});

afterAll(async () => {
  await plain.close();
  await strict.close();
});

const made: Sent = { method: 'PUT', path: '/acme' };

/** Writes a state, or what else the request says. */
const put = (house: TestHouse, headers: Record<string, string>, more: Sent = {}): Promise<Answer> => {
  writes += 1;
  const path = `/acme/state-${writes}`;
  return sendSigned(house, { method: 'PUT', path, body: stateText(1), headers, ...more });
};

const customer = `${MODE}-customer-algorithm`;
const KEY = Buffer.alloc(32, 7);
const KEY_MD5 = createHash('md5').update(KEY).digest('base64');
const CUSTOMER_KEY = {
  [customer]: 'AES256',
  [`${MODE}-customer-key`]: KEY.toString('base64'),
  [`${MODE}-customer-key-md5`]: KEY_MD5,
};
const SETTINGS: readonly (readonly [setting: string, document: string, undone: string])[] = [
  ['policy', '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}', 'policy'],
  [
    'publicAccessBlock',
    '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>',
    'public-access-block',
  ],
  [
    'lifecycle',
    '<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>',
    'lifecycle',
  ],
  ['ownershipControls', '<OwnershipControls></OwnershipControls>', 'ownership-controls'],
  [
    'encryption',
    '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>',
    'kms-key',
  ],
  [
    'versioning',
    '<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>',
    'mfa-delete',
  ],
];
const DONE: readonly (readonly [setting: string, document: string])[] = [
  ['versioning', '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'],
  [
    'encryption',
    '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>',
  ],
  ['tagging', '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'],
];

const set = (house: TestHouse, setting: string, body: string): Promise<Answer> =>
  sendSigned(house, { method: 'PUT', path: '/acme', query: [[setting, '']], body });
const show = (house: TestHouse, setting: string): Promise<Answer> =>
  sendSigned(house, { path: '/acme', query: [[setting, '']] });

describe('what is asked for with a state and not done', () => {
  it.each<readonly [string, Record<string, string>, string]>([
    ['a key of KMS', { [MODE]: 'aws:kms', [`${MODE}-aws-kms-key-id`]: 'key' }, 'kms-key'],
    ['KMS without a key', { [MODE]: 'aws:kms' }, 'kms-key'],
    ['a key of the customer', CUSTOMER_KEY, 'customer-key'],
    ['a published state', { 'x-amz-acl': 'public-read' }, 'acl'],
    ['a grant', { 'x-amz-grant-read': 'id=x' }, 'acl'],
    ['a storage class', { 'x-amz-storage-class': 'GLACIER' }, 'storage-class'],
    ['tags and metadata', { 'x-amz-tagging': 'a=b', 'x-amz-meta-a': 'b' }, 'metadata, tags'],
    ['the bucket of another', { 'x-amz-expected-bucket-owner': '123456789012' }, 'bucket-owner'],
  ])('is said in the answer, and refused by a strict server: %s', async (_, headers, undone) => {
    const confirmed = await put(plain, headers);
    expect([confirmed.status, confirmed.headers[NOT_DONE]]).toEqual([200, undone]);
    const refused = await put(strict, headers);
    expect(code(refused)).toBe(REFUSED);
    expect(refused.text).toContain(`<NotDone>${undone}</NotDone>`);
    expect(code(await put(strict, {}, { method: 'GET', body: '' }))).toBe('404 NoSuchKey');
  });

  it('is nothing in what Terraform sends without such settings', async () => {
    const headers = { [MODE]: 'AES256', 'x-amz-acl': 'private', 'x-amz-storage-class': 'STANDARD' };
    for (const house of [plain, strict]) {
      const path = `/acme/plain.tflock`;
      const answers = [
        await put(house, headers),
        await put(house, headers, { path, body: lockInfo('one') }),
        await sendSigned(house, { path }),
        await sendSigned(house, { method: 'DELETE', path }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 204]);
      expect(answers.map((answer) => answer.headers[NOT_DONE])).toEqual(Array(4).fill(undefined));
    }
  });

  it('is not read with a key that nothing was encrypted with, by a strict server', async () => {
    await put(strict, {}, { path: '/acme/read' });
    const headers = CUSTOMER_KEY;
    expect(code(await sendSigned(strict, { path: '/acme/read', headers }))).toBe(REFUSED);
  });
});

describe('what is set for a bucket and not done', () => {
  it.each(SETTINGS)('is said in the answers, and refused by a strict server: %s', async (...row) => {
    const [setting, document, undone] = row;
    const confirmed = await set(plain, setting, document);
    expect([confirmed.status < 300, confirmed.headers[NOT_DONE]]).toEqual([true, undone]);
    expect((await show(plain, setting)).headers[NOT_DONE]).toBe(undone);
    const unset = (await show(strict, setting)).text;
    expect(code(await set(strict, setting, document))).toBe(REFUSED);
    expect((await show(strict, setting)).text.replaceAll(/<RequestId>.*?</g, '')).toBe(
      unset.replaceAll(/<RequestId>.*?</g, ''),
    );
  });

  it('is not shown by a strict server, where it was set before', async () => {
    const { house } = strict;
    const [[setting, document]] = SETTINGS as [readonly [string, string, string]];
    const caller = {
      identity: { subject: 'token:a', grants: [{ role: 'admin', pattern: '*' }], expired: false },
      door: 's3',
    } as const;
    await house.projects.set(caller, 'acme', { 's3-policy': document });
    expect(code(await show(strict, setting))).toBe('404 NoSuchBucketPolicy');
    const removed = await sendSigned(strict, { method: 'DELETE', path: '/acme', query: [[setting, '']] });
    expect(removed.status).toBe(204);
  });

  it.each(DONE)('is not what is so in any case: %s', async (setting, document) => {
    for (const house of [plain, strict]) {
      const answer = await set(house, setting, document);
      expect([answer.status < 300, answer.headers[NOT_DONE]]).toEqual([true, undefined]);
      expect((await show(house, setting)).headers[NOT_DONE]).toBeUndefined();
    }
  });
});

it.each([
  ['policy and publicAccessBlock', 'policy, public-access-block'],
  ['neither', ''],
])('is told by the doctor of a folder: %s', async (settings, undone) => {
  const bucket = settings === 'neither' ? 'unset' : 'deceived';
  await sendSigned(plain, { method: 'PUT', path: `/${bucket}` });
  for (const [setting, body] of SETTINGS.filter(([name]) => settings.includes(name))) {
    await sendSigned(plain, { method: 'PUT', path: `/${bucket}`, query: [[setting, '']], body });
  }
  const env = { AWS_ACCESS_KEY_ID: TEST_ADMIN.id, AWS_SECRET_ACCESS_KEY: TEST_ADMIN.secret };
  const attributes = { bucket, key: 'a', region: 'us-east-1', endpoints: { s3: plain.url } };
  const client = await openClient({ type: 's3', attributes, folder: '/', env });
  const told = (await client.examine()).filter(({ topic }) => topic === 'bucket settings');
  await client.close();
  const message = `these settings of the bucket do nothing on this server: ${undone}`;
  expect(told.map(({ level, message: said }) => [level, said])).toEqual(
    undone === '' ? [] : [['warning', message]],
  );
});

it.each<readonly [string, Record<string, string>]>([
  ['an unknown mode', { [MODE]: 'aes:kms' }],
  ['a key of KMS without KMS', { [`${MODE}-aws-kms-key-id`]: 'key' }],
  ['a key of KMS with AES256', { [MODE]: 'AES256', [`${MODE}-aws-kms-key-id`]: 'key' }],
  ['a key of the customer and another mode', { ...CUSTOMER_KEY, [MODE]: 'AES256' }],
  ['a key of the customer without an algorithm', { [`${MODE}-customer-key`]: KEY.toString('base64') }],
  ['an algorithm without a key', { [customer]: 'AES256' }],
  ['a short key', { ...CUSTOMER_KEY, [`${MODE}-customer-key`]: 'eA==' }],
  ['a digest of another key', { ...CUSTOMER_KEY, [`${MODE}-customer-key-md5`]: 'eA==' }],
])('is refused as S3 refuses it where it contradicts itself: %s', async (_, headers) => {
  for (const house of [plain, strict]) {
    const refused = await put(house, headers);
    expect(code(refused)).toBe('400 InvalidArgument');
    expect(refused.text).not.toContain(KEY.toString('base64'));
  }
});
