import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stateText } from '../protocols/aws/sdk.ts';
import { code, sendSigned, type Sent } from '../protocols/aws/send-signed.ts';
import { TestHouse } from '../support/open-test-house.ts';
import type { Answer } from '../support/request.ts';
import type { Pair } from '../support/test-admin.ts';

const SCRIPT = '<script>fetch("/api/v1/credentials",{method:"POST",body:"{}"})</script>';
const STATE = stateText(1, 'lineage', { outputs: { x: { value: SCRIPT, type: 'string' } } });
const SAFE = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};
const NEW_ADMIN = JSON.stringify({ name: 'mallory', grants: [{ role: 'admin', pattern: '*' }] });

let house: TestHouse;
let writer: Pair;

beforeAll(async () => {
  house = await TestHouse.open();
  writer = await house.credential('writer', [{ role: 'writer', pattern: 'sandbox/*' }]);
  expect((await put({ headers: { 'content-type': 'text/html' } })).status).toBe(200);
});

afterAll(async () => {
  await house.close();
});

const put = (more: Sent = {}): Promise<Answer> =>
  sendSigned(house, { method: 'PUT', path: '/sandbox/x', body: STATE, as: writer, ...more });

/** Opens a link to the state that the writer presigned. */
const open = (...said: readonly (readonly [string, string])[]): Promise<Answer> =>
  sendSigned(house, {
    path: '/sandbox/x',
    query: said.map(([name, value]) => [`response-${name}`, value] as const),
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    expiresIn: 60,
    as: writer,
  });

describe('a state with a script in it', () => {
  it.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/xml',
    'application/xml',
    'text/javascript',
    'application/pdf',
    'multipart/x-mixed-replace',
    'text/plain; charset=utf-7',
    'application/json, text/html',
    '*/*',
    '',
  ])('is shown by no link as %s', async (type) => {
    const answer = await open(['content-type', type]);
    expect(code(answer)).toBe('400 InvalidArgument');
    expect(answer.headers).toMatchObject(SAFE);
  });

  it('is shown as what it is, and as what no browser runs', async () => {
    const plain = await open();
    expect(plain.text).toBe(STATE);
    expect(plain.headers).toMatchObject({ ...SAFE, 'content-type': 'application/json' });
    for (const type of ['text/plain', 'text/plain; charset=UTF-8', 'application/octet-stream']) {
      const { status, headers } = await open(['content-type', type]);
      expect([status, headers]).toMatchObject([200, { ...SAFE, 'content-type': type }]);
    }
    const name = 'attachment; filename="net.tfstate"';
    const saved = await open(
      ['content-disposition', name],
      ['cache-control', 'private, max-age=60'],
      ['content-encoding', 'utf-8'],
    );
    expect(saved.headers).toMatchObject({
      ...SAFE,
      'content-disposition': name,
      'cache-control': 'private, max-age=60',
      'content-encoding': 'utf-8',
    });
    expect(saved.text).toBe(STATE);
  });

  it.each<readonly [string, string]>([
    ['content-disposition', 'inline\r\nset-cookie: a=b'],
    ['content-disposition', 'form-data'],
    ['content-encoding', 'gzip'],
    ['content-encoding', 'BR'],
    ['content-encoding', 'utf-8, zstd'],
    ['cache-control', 'public, max-age=600'],
    ['cache-control', 'max-age=600'],
    ['expires', 'never'],
  ])('is not sent with %s: %s', async (name, value) => {
    expect(code(await open([name, value]))).toBe('400 InvalidArgument');
  });

  it('could not make an admin of its writer, if it ran', async () => {
    const to = (headers: Record<string, string>): Promise<Answer> =>
      house.ask('POST', '/api/v1/credentials', { body: NEW_ADMIN, headers });
    const typed = { 'content-type': 'application/json' };
    const statuses = [
      // What any page can send without being asked.
      await to({ 'content-type': 'text/plain;charset=UTF-8' }),
      await to({ 'content-type': 'application/x-www-form-urlencoded' }),
      await to({}),
      // A page without an origin, which is what a sandbox makes of it, and another site.
      await to({ ...typed, origin: 'null', 'sec-fetch-site': 'cross-site' }),
      await to({ ...typed, origin: 'https://evil.example' }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([415, 415, 415, 403, 403]);
    const { credentials } = JSON.parse((await house.ask('GET', '/api/v1/credentials')).text) as {
      credentials: readonly { name: string }[];
    };
    expect(credentials.map(({ name }) => name)).not.toContain('mallory');
    expect((await to({ 'content-type': 'application/json; charset=utf-8' })).status).toBe(201);
  });
});

describe('browsers', () => {
  it('run nothing of any answer of any door, and keep nothing', async () => {
    const amz = { 'x-amz-target': 'DynamoDB_20120810.ListTables' };
    const etag = (await house.ask('GET', '/http/sandbox/x')).headers.etag ?? '';
    const answers: Readonly<Record<string, Promise<Answer>>> = {
      index: house.ask('GET', '/'),
      nowhere: house.ask('GET', '/nowhere'),
      'too long': house.ask('GET', `/${'x'.repeat(9_000)}`),
      health: house.ask('GET', '/healthz'),
      metrics: house.ask('GET', '/metrics', { as: null }),
      document: house.ask('GET', '/api/openapi.json'),
      api: house.ask('GET', '/api/v1/states'),
      content: house.ask('GET', '/api/v1/state/content?address=sandbox/x'),
      stranger: house.ask('GET', '/api/v1/states', { as: null }),
      http: house.ask('GET', '/http/sandbox/x'),
      head: house.ask('HEAD', '/http/sandbox/x'),
      unchanged: house.ask('GET', '/http/sandbox/x', { headers: { 'if-none-match': etag } }),
      method: house.ask('PATCH', '/http/sandbox/x'),
      s3: sendSigned(house, { path: '/sandbox', query: [['list-type', '2']] }),
      'no such key': sendSigned(house, { path: '/sandbox/nothing' }),
      dynamodb: sendSigned(house, { method: 'POST', service: 'dynamodb', headers: amz, body: '{}' }),
      sts: sendSigned(house, { method: 'POST', service: 'sts', body: 'Action=GetCallerIdentity' }),
    };
    for (const [name, answer] of Object.entries(answers)) {
      expect((await answer).headers, name).toMatchObject(SAFE);
    }
  });

  it('are not asked for a credential that they would remember and send along', async () => {
    for (const path of ['/api/v1/states', '/http/sandbox/x', '/metrics']) {
      const challenge = async (headers: Record<string, string>): Promise<string | undefined> =>
        (await house.ask('GET', path, { as: null, headers })).headers['www-authenticate'];
      expect(await challenge({})).toMatch(/^Basic /);
      expect(await challenge({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' })).toMatch(/^Bearer /);
    }
  });
});
