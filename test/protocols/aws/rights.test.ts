import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import type { Pair } from '../../support/test-admin.ts';
import { lockInfo, stateText } from './sdk.ts';
import { code, sendSigned, type Sent } from './send-signed.ts';

let house: TestHouse;
let stranger: Pair;
let reader: Pair;
let writer: Pair;
let brief: Pair;

const s3 = (request: Sent): Promise<Answer> => sendSigned(house, request);
const db = (operation: string, body: object, more: Sent = {}): Promise<Answer> =>
  sendSigned(house, {
    method: 'POST',
    service: 'dynamodb',
    headers: {
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      'content-type': 'application/x-amz-json-1.0',
    },
    body: JSON.stringify(body),
    ...more,
  });
const lockFile = (as: Pair, more: Sent = {}): Promise<Answer> =>
  s3({ method: 'DELETE', path: '/acme/net.tflock', as, ...more });
const item = (as: Pair, LockID = 'acme/net'): Promise<Answer> =>
  db('DeleteItem', { TableName: 'locks', Key: { LockID: { S: LockID } } }, { as });

beforeAll(async () => {
  // Locks that nobody named are broken here while they are young.
  house = await TestHouse.open({ breakGuard: 0 });
  stranger = await house.credential('stranger', [{ role: 'writer', pattern: 'sandbox/*' }]);
  reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
  writer = await house.credential('writer', [{ role: 'writer', pattern: 'acme/*' }]);
  const expiresAt = Date.now() + 200;
  brief = await house.credential('brief', [{ role: 'writer', pattern: 'acme/*' }], expiresAt);
  await s3({ method: 'PUT', path: '/acme/net', body: stateText(1) });
  await db('PutItem', {
    TableName: 'locks',
    Item: { LockID: { S: 'acme/other' }, Info: { S: lockInfo('other') } },
  });
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, expiresAt - Date.now()) + 50));
});

afterAll(async () => {
  await house.close();
});

describe('who may not do what it asks for is told so, although nothing is there to be done', () => {
  const isFree = async (): Promise<boolean> => (await s3({ path: '/acme/net.tflock' })).status === 404;
  const take = (): Promise<Answer> =>
    s3({ method: 'PUT', path: '/acme/net.tflock', body: lockInfo(crypto.randomUUID()) });

  it('when it ends a lock through its lock file', async () => {
    for (const held of [false, true]) {
      if (held) expect((await take()).status).toBe(200);
      expect(code(await lockFile(stranger))).toBe('403 AccessDenied');
      expect(code(await lockFile(reader))).toBe('403 AccessDenied');
      expect(code(await lockFile(brief))).toBe('400 ExpiredToken');
      expect(await isFree()).toBe(!held);
    }
    const listed = await s3({
      method: 'POST',
      path: '/acme',
      query: [['delete', '']],
      body: '<Delete><Object><Key>net.tflock</Key></Object></Delete>',
      as: stranger,
    });
    expect(listed.text).toContain('<Code>AccessDenied</Code>');
    expect(listed.text).not.toContain('<Deleted>');
    expect((await lockFile(writer)).status).toBe(403);
    const { status } = await house.ask('UNLOCK', '/http/acme/net', { body: '' });
    expect(status).toBe(200);
    expect((await lockFile(writer)).status).toBe(204);
  });

  it('when it ends a lock through its item', async () => {
    for (const held of [false, true]) {
      if (held) expect((await take()).status).toBe(200);
      expect(code(await item(stranger))).toBe('400 AccessDeniedException');
      expect(code(await item(reader))).toBe('400 AccessDeniedException');
      expect(code(await item(brief))).toBe('400 ExpiredTokenException');
      expect(await isFree()).toBe(!held);
    }
    expect((await house.ask('UNLOCK', '/http/acme/net', { body: '' })).status).toBe(200);
    expect((await item(writer)).status).toBe(200);
  });

  it('when it deletes what can be nothing, or an item that is none', async () => {
    const nothing = (as: Pair): Promise<Answer> => s3({ method: 'DELETE', path: '/acme/a//b', as });
    expect(code(await nothing(stranger))).toBe('403 AccessDenied');
    expect(code(await nothing(reader))).toBe('403 AccessDenied');
    expect(code(await nothing(brief))).toBe('400 ExpiredToken');
    expect((await nothing(writer)).status).toBe(204);
    expect(code(await item(reader, 'acme//'))).toBe('400 AccessDeniedException');
    expect(code(await item(brief, 'acme//'))).toBe('400 ExpiredTokenException');
    expect((await item(writer, 'acme//')).status).toBe(200);
  });

  it('when it brings back a state that is deleted', async () => {
    await s3({ method: 'PUT', path: '/acme/gone', body: stateText(1) });
    const mark = async (): Promise<string> => {
      const { headers } = await s3({ method: 'DELETE', path: '/acme/gone' });
      return String(headers['x-amz-version-id']);
    };
    const id = await mark();
    const undelete = (as: Pair): Promise<Answer> =>
      s3({ method: 'DELETE', path: '/acme/gone', query: [['versionId', id]], as });
    expect(code(await undelete(reader))).toBe('403 AccessDenied');
    expect(code(await undelete(brief))).toBe('400 ExpiredToken');
    await house.ask('LOCK', '/http/acme/gone', { body: lockInfo('somebody') });
    // Held by another: it stays deleted, and that is said.
    expect(code(await undelete(writer))).toBe('409 OperationAborted');
    expect((await s3({ path: '/acme/gone' })).status).toBe(404);
    await house.ask('UNLOCK', '/http/acme/gone', { body: '' });
    expect((await undelete(writer)).status).toBe(204);
    expect((await s3({ path: '/acme/gone' })).text).toBe(stateText(1));
    expect((await undelete(writer)).status).toBe(204);
    expect(code(await undelete(brief))).toBe('400 ExpiredToken');
  });
});

describe('a signature', () => {
  const identity: Sent = {
    method: 'POST',
    service: 'sts',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  };
  const list: Sent = { service: 's3' };

  it('for one service opens no other', async () => {
    expect(code(await db('ListTables', {}, list))).toBe('400 InvalidSignatureException');
    expect(code(await db('ListTables', {}, { service: 'sts' }))).toBe('400 InvalidSignatureException');
    expect((await db('ListTables', {})).status).toBe(200);
    expect(code(await s3({ ...identity, service: 'iam' }))).toBe('403 SignatureDoesNotMatch');
    expect(code(await s3({ ...identity, service: 'ec2' }))).toBe('403 SignatureDoesNotMatch');
    expect((await s3(identity)).status).toBe(200);
    const presigned = { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, expiresIn: 60 };
    expect((await s3({ ...presigned, path: '/acme/net' })).status).toBe(200);
    const forged = { 'x-amz-target': 'DynamoDB_20120810.ListTables' };
    expect(code(await s3({ ...presigned, path: '/acme/net', forged }))).toBe('400 InvalidSignatureException');
  });

  it.each<[string, (authorization: string) => string]>([
    ['another terminator', (text) => text.replace('aws4_request', 'aws5_request')],
    ['another day', (text) => text.replace(/\/\d{8}\//, '/20200101/')],
    ['no day', (text) => text.replace(/\/\d{8}\//, '//')],
    ['a region that is none', (text) => text.replace('us-east-1', '<b>')],
  ])('with %s in its scope is malformed', async (_, change) => {
    const answers: Answer[] = [];
    for (const service of ['s3', 'dynamodb']) {
      const signed = { ...list, service, forged: await authorization(service, change) };
      answers.push(
        service === 's3' ? await s3({ path: '/acme/net', ...signed }) : await db('ListTables', {}, signed),
      );
    }
    expect(answers.map(code)).toEqual([
      '400 AuthorizationHeaderMalformed',
      '400 IncompleteSignatureException',
    ]);
  });
});

/** An `Authorization` header whose scope was changed. */
async function authorization(
  service: string,
  change: (text: string) => string,
): Promise<Readonly<Record<string, string>>> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const scope = change(`${writer.id}/${day}/us-east-1/${service}/aws4_request`);
  const signature = '0'.repeat(64);
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  };
}
