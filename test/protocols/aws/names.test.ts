import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { isAddress, makeAddress, type Address } from '../../../src/core/address.ts';
import { awsService } from '../../../src/protocols/aws/service.ts';
import { digestIdOf, lockIdOf, readLockId } from '../../../src/protocols/dynamodb/layout.ts';
import {
  bucketOfHost,
  lockObject,
  readObjectName,
  readVersionId,
  stateObject,
} from '../../../src/protocols/s3/layout.ts';

const part = fc.string({ unit: fc.constantFrom(...'abzA09.-_:@env/~ ä'), minLength: 1, maxLength: 12 });
const address: fc.Arbitrary<Address> = fc
  .tuple(
    fc.constantFrom('acme', 'a.b-c'),
    fc.oneof(
      part,
      part.map((text) => `x/${text}`),
    ),
    fc.oneof(fc.constant('default'), part),
  )
  .map(([project, key, workspace]) => makeAddress(project, key, workspace))
  .filter((made) => isAddress(made));

describe('the names of the AWS doors', () => {
  it('name each state in one way, and are read back', () => {
    fc.assert(
      fc.property(address, (one) => {
        expect(readObjectName(one.project, stateObject(one))).toEqual({ kind: 'state', address: one });
        expect(readObjectName(one.project, lockObject(one))).toEqual({ kind: 'lock-file', address: one });
        expect(readLockId(lockIdOf(one))).toEqual({ kind: 'lock', address: one });
        expect(readLockId(digestIdOf(one))).toEqual({ kind: 'digest', address: one });
      }),
      { numRuns: 2_000 },
    );
  });

  it('are no two for one state, whatever they are', () => {
    const name = fc.string({
      unit: fc.constantFrom('env:', '/', 'default', 'dev', 'a', '.tflock', '-md5', '.', ' '),
      maxLength: 8,
    });
    fc.assert(
      fc.property(name, (text) => {
        const read = readObjectName('acme', text);
        if (read.kind === 'state') expect(stateObject(read.address)).toBe(text);
        if (read.kind === 'lock-file') expect(lockObject(read.address)).toBe(text);
        const item = readLockId(`acme/${text}`);
        if (item.kind === 'lock') expect(lockIdOf(item.address)).toBe(`acme/${text}`);
        if (item.kind === 'digest') expect(digestIdOf(item.address)).toBe(`acme/${text}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['env:/dev/net/terraform.tfstate', 'state'],
    ['net/terraform.tfstate.tflock', 'lock-file'],
    ['env:/dev/k.tflock', 'lock-file'],
    ['env:/default/k', 'none'],
    ['env:/dev', 'none'],
    ['env:/dev/', 'none'],
    ['env:', 'none'],
    ['.tflock', 'none'],
    ['a.tflock.tflock', 'none'],
    ['a-md5', 'none'],
    ['/a', 'none'],
    ['', 'none'],
  ])('%s is %s', (name, kind) => {
    expect(readObjectName('acme', name).kind).toBe(kind);
  });

  it.each([
    ['127.0.0.1:7117', null],
    ['[::1]:7117', null],
    ['localhost:7117', null],
    ['my-bucket.localhost:7117', 'my-bucket'],
    ['house.example.com', null],
    ['my-bucket.house.example.com', 'my-bucket'],
    ['a.b.house.example.com:443', 'a.b'],
    ['s3.house.example.com', null],
    ['my-bucket.s3.house.example.com', 'my-bucket'],
    ['my-bucket.s3.eu-central-1.house.example.com', 'my-bucket'],
    ['other.example.com', null],
    ['my-bucket.s3.other.example.com', 'my-bucket'],
    ['', null],
  ])('the host %s names bucket %s', (host, bucket) => {
    expect(bucketOfHost(host, 'house.example.com')).toBe(bucket);
  });

  it('of versions are numbers, and those of deletions', () => {
    expect(readVersionId('7')).toEqual({ kind: 'version', number: 7 });
    expect(readVersionId('d7')).toEqual({ kind: 'delete-marker', number: 7 });
    for (const wrong of ['', '0', '-1', '1.5', 'null', '07', 'dd1', '9'.repeat(20)]) {
      expect(readVersionId(wrong)).toBeNull();
    }
  });
});

describe('an AWS call', () => {
  const service = (headers: Record<string, string>, query = ''): string | null =>
    awsService({ method: 'POST', path: '/', query, header: (name) => headers[name] });
  const signed = (name: string): string =>
    `AWS4-HMAC-SHA256 Credential=AK/20261120/us-east-1/${name}/aws4_request, SignedHeaders=host, Signature=x`;

  it.each<[string, Record<string, string>, string, string | null]>([
    ['signed for S3', { authorization: signed('s3') }, '', 's3'],
    ['signed for DynamoDB', { authorization: signed('dynamodb') }, '', 'dynamodb'],
    ['signed for STS', { authorization: signed('sts') }, '', 'query'],
    ['signed for another service', { authorization: signed('kms') }, '', 'query'],
    ['with a target', { 'x-amz-target': 'DynamoDB_20120810.GetItem' }, '', 'dynamodb'],
    ['presigned', {}, 'X-Amz-Credential=AK%2F20261120%2Fus-east-1%2Fs3%2Faws4_request', 's3'],
    ['presigned for STS', {}, 'X-Amz-Credential=AK%2F20261120%2Fus-east-1%2Fsts%2Faws4_request', 'query'],
    ['signed as long ago', { authorization: 'AWS AK:sig' }, '', 's3'],
    ['with half a signature', { authorization: 'AWS4-HMAC-SHA256 nonsense' }, '', 's3'],
    ['of an SDK that signs nothing', { 'user-agent': 'aws-sdk-go/1.55.5 (go1.22; linux; amd64)' }, '', 's3'],
    ['of a newer one', { 'amz-sdk-invocation-id': 'x' }, '', 's3'],
    ['with a token of another', { 'content-type': 'application/x-www-form-urlencoded' }, '', 'query'],
    ['with such a token, in its query', {}, 'Action=AssumeRoleWithWebIdentity', 'query'],
    ['that is none: a browser', { 'user-agent': 'Mozilla/5.0', accept: 'text/html' }, '', null],
    ['that is none: Basic', { authorization: 'Basic abc' }, '', null],
    ['that is none: Bearer', { authorization: 'Bearer AWS.secret' }, 'list-type=2', null],
    ['that is none at all', {}, '', null],
  ])('%s', (_, headers, query, expected) => {
    expect(service(headers, query)).toBe(expected);
  });
});
