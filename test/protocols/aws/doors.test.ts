import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';
import { signWithSmithy } from './request-signers.ts';
import { code, sendSigned, type Sent } from './send-signed.ts';
import { stateText } from './sdk.ts';

let house: TestHouse;

beforeAll(async () => {
  house = await TestHouse.open();
});

afterAll(async () => {
  await house.close();
});

const send = (request: Sent): Promise<Answer> => sendSigned(house, request);

const UNSIGNED = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
const hours = (count: number): Date => new Date(Date.now() + count * 3_600_000);
const state = (name: string): Partial<Sent> => ({
  method: 'PUT',
  path: `/acme/${name}`,
  body: stateText(1),
});

describe('who may enter the S3 door', () => {
  it('is whoever signs with a credential of the house, in any region', async () => {
    for (const region of ['us-east-1', 'eu-central-1', 'moon-base-7']) {
      expect((await send({ ...state('any'), region })).status).toBe(200);
      expect((await send({ path: '/acme/any', region })).text).toBe(stateText(1));
    }
  });

  it.each<[string, Sent, string]>([
    ['an unknown key', { as: { id: 'SHUNKNOWNUNKNOWN', secret: 'x' } }, '403 InvalidAccessKeyId'],
    ['another secret', { as: { ...TEST_ADMIN, secret: 'wrong' } }, '403 SignatureDoesNotMatch'],
    ['a date of the past', { date: hours(-1) }, '403 RequestTimeTooSkewed'],
    ['a date of the future', { date: hours(1) }, '403 RequestTimeTooSkewed'],
    ['another path', { tampered: (target) => `${target}acme/x` }, '403 SignatureDoesNotMatch'],
    ['another query', { tampered: (target) => `${target}?versions` }, '403 SignatureDoesNotMatch'],
    ['a header more', { forged: { 'x-amz-copy-source': '/a/b' } }, '403 AccessDenied'],
    ['another header', { forged: { 'x-amz-date': '20200101T000000Z' } }, '400 AuthorizationHeaderMalformed'],
    [
      'another kind of signature',
      { forged: { authorization: 'AWS AKID:c2lnbmF0dXJl' } },
      '400 InvalidRequest',
    ],
    [
      'half a signature',
      { forged: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } },
      '400 AuthorizationHeaderMalformed',
    ],
    ['two signatures', { tampered: (target) => `${target}?X-Amz-Signature=x` }, '400 InvalidArgument'],
    ['no payload hash', { headers: { 'x-amz-content-sha256': 'nonsense' } }, '400 InvalidRequest'],
  ])('is not who comes with %s', async (_, request, expected) => {
    expect(code(await send(request))).toBe(expected);
  });

  it('is told of the body, where that is another than was signed', async () => {
    const other = { sent: stateText(2) };
    expect(code(await send({ ...state('body'), ...other }))).toBe('400 XAmzContentSHA256Mismatch');
    const md5 = createHash('md5').update('x').digest('base64');
    expect(code(await send({ ...state('body'), headers: { ...UNSIGNED, 'content-md5': md5 } }))).toBe(
      '400 BadDigest',
    );
    expect((await send({ path: '/acme/body' })).status).toBe(404);
    expect((await send({ ...state('body'), headers: UNSIGNED })).status).toBe(200);
  });

  it('may come presigned, as long as that lasts', async () => {
    await send(state('link'));
    const link = { path: '/acme/link', headers: UNSIGNED, expiresIn: 60 };
    expect((await send({ ...link })).text).toBe(stateText(1));
    const late = { ...link, date: hours(-1) };
    expect(code(await send(late))).toBe('403 AccessDenied');
    expect((await send({ ...late, expiresIn: 4_000 })).status).toBe(200);
    const longer = (target: string): string => target.replace('Expires=60', 'Expires=600');
    expect(code(await send({ ...link, tampered: longer }))).toBe('403 SignatureDoesNotMatch');
  });

  it.each([
    [
      'longer than a week',
      'X-Amz-Expires=60',
      'X-Amz-Expires=604801',
      '400 AuthorizationQueryParametersError',
    ],
    ['less than no time', 'X-Amz-Expires=60', 'X-Amz-Expires=-7', '400 AuthorizationQueryParametersError'],
    ['no number', 'X-Amz-Expires=60', 'X-Amz-Expires=soon', '400 AuthorizationQueryParametersError'],
    ['no end', 'X-Amz-Expires=60&', '', '400 AuthorizationQueryParametersError'],
    ['another credential', '%2Faws4_request', '', '400 AuthorizationQueryParametersError'],
  ])('may not come presigned for %s', async (_, from, to, expected) => {
    const tampered = (target: string): string => target.replace(from, to);
    const link = { path: '/acme/link', headers: UNSIGNED, expiresIn: 60 };
    expect(code(await send({ ...link, tampered }))).toBe(expected);
  });

  it('has expired at once with a link for no time', async () => {
    const link = { path: '/acme/link', headers: UNSIGNED, expiresIn: 0 };
    expect(code(await send(link))).toBe('403 AccessDenied');
  });

  it.each(['', '200-ok'])('may expect what HTTP does not know: "%s"', async (expect_) => {
    expect((await send({ ...state('expecting'), forged: { expect: expect_ } })).status).toBe(200);
  });

  it('is told so once its credential has expired, whatever is asked', async () => {
    const expiresAt = Date.now() + 300;
    const as = await house.credential('brief', [{ role: 'writer', pattern: '*' }], expiresAt);
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
    expect(code(await send({ ...state('other'), as }))).toBe('400 ExpiredToken');
    expect(code(await send({ path: '/acme/other', as }))).toBe('400 ExpiredToken');
    expect(code(await send({ path: '/acme', query: [['list-type', '2']], as }))).toBe('400 ExpiredToken');
  });
});

describe('what the S3 door refuses', () => {
  it.each<[string, Sent, string]>([
    ['a method', { method: 'PATCH', path: '/acme/x' }, '405 MethodNotAllowed'],
    ['a subresource', { path: '/acme', query: [['analytics', '']] }, '501 NotImplemented'],
    ['a path that is no UTF-8', { path: '/acme/%FF' }, '400 InvalidURI'],
    ['a bucket that is none', { method: 'PUT', path: '/Not_A_Bucket' }, '400 InvalidBucketName'],
    ['a bucket that is a network address', { method: 'PUT', path: '/192.168.5.4' }, '400 InvalidBucketName'],
    [
      'an MD5 that is none',
      { ...state('digest'), headers: { ...UNSIGNED, 'content-md5': 'nonsense' } },
      '400 InvalidDigest',
    ],
    ['a range of pages', { path: '/acme', query: [['max-keys', '-1']] }, '400 InvalidArgument'],
    ['an encoding', { path: '/acme', query: [['encoding-type', 'base64']] }, '400 InvalidArgument'],
    ['settings of no bucket', { path: '/nowhere', query: [['versioning', '']] }, '404 NoSuchBucket'],
    [
      'a part without a number',
      {
        method: 'PUT',
        path: '/acme/x',
        query: [
          ['partNumber', '0'],
          ['uploadId', 'x'],
        ],
        body: 'x',
      },
      '400 InvalidArgument',
    ],
    [
      'an upload that is none',
      {
        method: 'PUT',
        path: '/acme/x',
        query: [
          ['partNumber', '1'],
          ['uploadId', 'x'],
        ],
        body: 'x',
      },
      '404 NoSuchUpload',
    ],
    [
      'XML that is none',
      { method: 'POST', path: '/acme/x', query: [['uploadId', 'x']], body: '<CompleteMultipartUpload>' },
      '400 MalformedXML',
    ],
    [
      'XML with entities',
      {
        method: 'POST',
        path: '/acme',
        query: [['delete', '']],
        body: '<!DOCTYPE d [<!ENTITY x "y">]><Delete>&x;</Delete>',
      },
      '400 MalformedXML',
    ],
    [
      'XML without end',
      { method: 'POST', path: '/acme', query: [['delete', '']], body: '<a>'.repeat(30_000) },
      '400 MaxMessageLengthExceeded',
    ],
    [
      'another state of versioning',
      {
        method: 'PUT',
        path: '/made',
        query: [['versioning', '']],
        body: '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>',
      },
      '409 InvalidBucketState',
    ],
    [
      'a lock file that is too large',
      { method: 'PUT', path: '/acme/x.tflock', body: 'x'.repeat(70_000) },
      '400 InvalidArgument',
    ],
  ])('%s', async (_, request, expected) => {
    await send({ method: 'PUT', path: '/made' });
    expect(code(await send(request))).toBe(expected);
  });

  it('an old version that is put back as it is, and says how it is brought back', async () => {
    for (const serial of [1, 2]) await send({ ...state('restored'), body: stateText(serial) });
    const old = await send({ ...state('restored'), body: stateText(1) });
    expect(code(old)).toBe('412 PreconditionFailed');
    expect(old.text).toContain('aws s3api copy-object');
    expect(old.text).toContain('?versionId=');
    expect(old.text).toContain('statehouse restore');
  });

  it('headers without end, and targets without end', async () => {
    const large = await send({ headers: { 'x-amz-meta-a': 'x'.repeat(40_000) } }).catch(() => null);
    expect(large === null || large.status === 431).toBe(true);
    expect((await send({ path: `/${'x'.repeat(9_000)}` })).status).toBe(414);
  });

  it('chunks that lie about their length, and keeps nothing of them', async () => {
    const body = `${(stateText(1).length + 5).toString(16)}\r\n${stateText(1)}\r\n0\r\n\r\n`;
    const headers = {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': String(stateText(1).length),
    };
    expect(code(await send({ ...state('lie'), headers, body }))).toBe('400 IncompleteBody');
    expect((await send({ path: '/acme/lie' })).status).toBe(404);
  });

  it('a body that never comes to its end, without a trace of it', async () => {
    const { hostname, port } = new URL(house.url);
    const signed = await signWithSmithy(
      {
        method: 'PUT',
        host: `${hostname}:${port}`,
        path: '/acme/half',
        query: [],
        headers: { ...UNSIGNED, 'content-length': '5000' },
        service: 's3',
        region: 'us-east-1',
        body: '',
        date: new Date(),
      },
      undefined,
      TEST_ADMIN,
    );
    const socket = connect(Number(port), hostname);
    const lines = signed.rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [`${name}: ${signed.rawHeaders[index + 1]}`] : [],
    );
    socket.write([`PUT /acme/half HTTP/1.1`, ...lines, '', stateText(1)].join('\r\n'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.end();
    await buffer(socket).catch(() => null);
    expect((await send({ path: '/acme/half' })).status).toBe(404);
  });
});

describe('what the DynamoDB and STS doors say', () => {
  const db = (target: string, body: string, more: Sent = {}): Promise<Answer> =>
    send({
      method: 'POST',
      service: 'dynamodb',
      headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' },
      body,
      ...more,
    });
  const sts = (body: string, more: Sent = {}): Promise<Answer> =>
    send({
      method: 'POST',
      service: 'sts',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      ...more,
    });

  it.each<[string, () => Promise<Answer>, string]>([
    ['an unknown operation', () => db('DynamoDB_20120810.Nope', '{}'), '400 UnknownOperationException'],
    ['an unknown version', () => db('DynamoDB_20110101.GetItem', '{}'), '400 UnknownOperationException'],
    ['no JSON', () => db('DynamoDB_20120810.GetItem', '{'), '400 SerializationException'],
    ['no object', () => db('DynamoDB_20120810.GetItem', 'null'), '400 ValidationException'],
    ['no table', () => db('DynamoDB_20120810.GetItem', '{"Key":{}}'), '400 ValidationException'],
    [
      'a prototype',
      () => db('DynamoDB_20120810.GetItem', '{"TableName":"abc","Key":{"__proto__":{"S":"x"}}}'),
      '400 ValidationException',
    ],
    ['too much', () => db('DynamoDB_20120810.GetItem', ' '.repeat(1_100_000)), '400 ValidationException'],
    [
      'another body',
      () => db('DynamoDB_20120810.ListTables', '{}', { sent: '{"Limit":1}' }),
      '400 InvalidSignatureException',
    ],
    [
      'another target',
      () =>
        db('DynamoDB_20120810.ListTables', '{}', { forged: { 'x-amz-target': 'DynamoDB_20120810.Scan' } }),
      '400 InvalidSignatureException',
    ],
    [
      'an old date',
      () => db('DynamoDB_20120810.ListTables', '{}', { date: hours(-1) }),
      '400 InvalidSignatureException',
    ],
    [
      'no signature',
      () => db('DynamoDB_20120810.ListTables', '{}', { forged: { authorization: '' } }),
      '400 MissingAuthenticationTokenException',
    ],
    ['an unknown action', () => sts('Action=GetFederationToken&Version=2011-06-15'), '400 InvalidAction'],
    ['an unknown service', () => send({ service: 'kms', method: 'POST', body: '{}' }), '400 InvalidAction'],
    [
      'another secret',
      () => sts('Action=GetCallerIdentity', { as: { ...TEST_ADMIN, secret: 'x' } }),
      '403 SignatureDoesNotMatch',
    ],
    [
      'an unknown key',
      () => sts('Action=GetCallerIdentity', { as: { id: 'SHUNKNOWNUNKNOWN', secret: 'x' } }),
      '403 InvalidClientTokenId',
    ],
  ])('to %s', async (_, request, expected) => {
    expect(code(await request())).toBe(expected);
  });

  it('to whoever asks who they are', async () => {
    const pair = await house.credential('ci/prod', [{ role: 'reader', pattern: 'acme/*' }]);
    const { text, status } = await sts('Action=GetCallerIdentity&Version=2011-06-15', { as: pair });
    expect(status).toBe(200);
    expect(text).toContain('<Arn>arn:aws:iam::000000000000:user/ci-prod</Arn>');
    expect(text).toContain(`<UserId>${pair.id}</UserId>`);
    expect((await sts('Action=GetUser', { service: 'iam', as: pair })).text).toContain(
      '<UserName>ci-prod</UserName>',
    );
  });
});
