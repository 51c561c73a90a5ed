import { beforeEach, describe, expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { stateText } from '../aws/sdk.ts';
import { code, sendSigned, type Sent } from '../aws/send-signed.ts';
import type { Answer } from '../../support/request.ts';

const aws = AwsHouse.forThisFile();
let path = '';

beforeEach(async () => {
  path = `/${aws.newBucket()}/net.tfstate`;
  await put();
});

const put = (serial = 1, more: Sent = {}): Promise<Answer> =>
  sendSigned(aws.house, { method: 'PUT', path, body: stateText(serial), ...more });
const UNSIGNED = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
const NOT_DONE = '501 NotImplemented';

describe('what the S3 door does not know', () => {
  it.each<readonly [string, Sent]>([
    ['a version to write', { method: 'PUT', query: [['versionId', '1']], body: stateText(2) }],
    ['an offset', { method: 'PUT', headers: { 'x-amz-write-offset-bytes': '5' }, body: stateText(2) }],
    ['a range to write', { method: 'PUT', headers: { 'content-range': 'bytes 0-1/2' }, body: stateText(2) }],
    [
      'a time to write on',
      {
        method: 'PUT',
        headers: { 'if-unmodified-since': new Date(0).toUTCString() },
        body: stateText(2),
      },
    ],
    ['another condition of a deletion', { method: 'DELETE', headers: { 'if-none-match': '*' } }],
    ['a source that is no copy', { method: 'DELETE', headers: { 'x-amz-copy-source': 'a/b' } }],
    ['a header of tomorrow', { headers: { 'x-amz-if-tomorrow': 'yes' } }],
    ['a parameter of tomorrow', { query: [['snapshot', '7']] }],
    [
      'a source in a link',
      { method: 'PUT', query: [['x-amz-copy-source', 'a/b']], expiresIn: 60, headers: UNSIGNED },
    ],
  ])('and what would change the meaning is refused: %s', async (_, request) => {
    expect(code(await sendSigned(aws.house, { path, ...request }))).toBe(NOT_DONE);
    expect((await sendSigned(aws.house, { path })).text).toBe(stateText(1));
  });

  it('and what changes no meaning is passed over', async () => {
    const query = [
      ['x-id', 'GetObject'],
      ['x-trace', 'me'],
    ] as const;
    const headers = { 'x-amz-request-payer': 'requester', 'x-amz-user-agent': 'me' };
    expect((await sendSigned(aws.house, { path, query, headers })).status).toBe(200);
  });

  it('and an encryption of what has none of its own is refused as S3 does', async () => {
    const headers = { 'x-amz-server-side-encryption': 'AES256' };
    expect(code(await sendSigned(aws.house, { path, headers }))).toBe('400 InvalidArgument');
    expect((await sendSigned(aws.house, { path, headers, method: 'HEAD' })).status).toBe(400);
  });

  it('and a time that is none is refused', async () => {
    const headers = { 'if-unmodified-since': 'yesterday' };
    expect(code(await sendSigned(aws.house, { path, headers }))).toBe('400 InvalidArgument');
  });
});

describe('a link at the S3 door', () => {
  it('means what the headers mean that its signer moved into it', async () => {
    const link = (query: Sent['query'], more: Sent = {}): Promise<Answer> =>
      sendSigned(aws.house, { path, expiresIn: 60, headers: UNSIGNED, query: query ?? [], ...more });
    const checksum = await link([['x-amz-checksum-mode', 'ENABLED']]);
    expect(checksum.headers['x-amz-checksum-sha256']).toBeDefined();
    const size = [['x-amz-if-match-size', '1']] as const;
    expect(code(await link(size, { method: 'DELETE' }))).toBe('412 PreconditionFailed');
    const tagged = await link([['x-amz-tagging', 'a=b']], { method: 'PUT', body: stateText(2) });
    expect(tagged.headers['x-statehouse-not-done']).toBe('tags');
  });
});

describe('a condition of a write', () => {
  it('may name the state that is not to be there', async () => {
    const { headers } = await sendSigned(aws.house, { path });
    const etag = String(headers['etag']);
    const write = async (serial: number, conditions: Record<string, string>): Promise<string> =>
      code(await put(serial, { headers: conditions }));
    expect(await write(2, { 'if-none-match': etag })).toBe('412 PreconditionFailed');
    expect(await write(2, { 'if-match': etag, 'if-none-match': '*' })).toBe('412 PreconditionFailed');
    expect(await write(2, { 'if-none-match': '"other"' })).toBe('200 ');
    expect(await write(3, { 'if-match': '*' })).toBe('200 ');
  });
});

describe('an old version that is put back', () => {
  it('is refused with the ways to bring it back', async () => {
    await put(2);
    const answer = await put(1);
    expect(code(answer)).toBe('412 PreconditionFailed');
    expect(answer.text).toContain(`net.tfstate?versionId=`);
    expect(answer.text).toContain('statehouse restore');
  });
});
