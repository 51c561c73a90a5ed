import { DynamoDBClient, GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { sampleState } from '../support/sample-state.ts';
import { basic } from '../support/request.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';
import { signWithSmithy } from '../protocols/aws/request-signers.ts';
import { dynamoClient, failure, s3Client } from '../protocols/aws/sdk.ts';

const KIBIBYTE = 1_024;
const DAY = 86_400_000;

interface Announced {
  readonly service: 'dynamodb' | 'sts';
  readonly as?: Pair;
  readonly date?: Date;
  readonly length?: number;
}

/** Signs a request to a door of AWS, announces its body, and sends nothing of it. */
async function announce(house: TestHouse, request: Announced): Promise<RawConnection> {
  const { service, as = TEST_ADMIN, date = new Date(), length = 50_000 } = request;
  const target = service === 'dynamodb' ? { 'x-amz-target': 'DynamoDB_20120810.GetItem' } : {};
  const { rawHeaders } = await signWithSmithy(
    {
      method: 'POST',
      host: new URL(house.url).host,
      path: '/',
      query: [],
      headers: target,
      service,
      region: 'us-east-1',
      body: '',
      date,
    },
    undefined,
    as,
  );
  const lines = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  const connection = await RawConnection.open(house.url);
  connection.send(`POST / HTTP/1.1\r\n${lines}content-length: ${length}\r\n\r\n`);
  return connection;
}

const answered = (connection: RawConnection): Promise<string> =>
  eventually('an answer', () => /\r\n\r\n/.test(connection.heard) && connection.heard);

describe('before a body is read', () => {
  it('a key that nobody has, a wrong date and an expired credential are refused', async () => {
    await using house = await TestHouse.open();
    const unknown = { id: 'SHUNKNOWNUNKNOWN', secret: 'x' };
    const old = new Date(Date.now() - DAY);
    const expiresAt = Date.now() + 200;
    const expired = await house.credential('late', [{ role: 'writer', pattern: '*' }], expiresAt);
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));
    const cases: readonly (readonly [Announced, RegExp])[] = [
      [{ service: 'dynamodb', as: unknown }, /^HTTP\/1.1 400 [^]*UnrecognizedClientException/],
      [{ service: 'dynamodb', date: old }, /^HTTP\/1.1 400 [^]*InvalidSignatureException/],
      [{ service: 'sts', as: unknown }, /^HTTP\/1.1 403 [^]*InvalidClientTokenId/],
      [{ service: 'sts', date: old }, /^HTTP\/1.1 403 [^]*SignatureDoesNotMatch/],
      [{ service: 'sts', as: expired }, /^HTTP\/1.1 403 [^]*ExpiredToken/],
    ];
    for (const [request, answer] of cases) {
      await using connection = await announce(house, request);
      expect(await answered(connection)).toMatch(answer);
    }
  });

  it('bodies of those who are not known yet get so much memory and no more', async () => {
    await using house = await TestHouse.open();
    const body = 'x'.repeat(250 * KIBIBYTE);
    const connections: RawConnection[] = [];
    for (let n = 0; n < 100; n += 1)
      connections.push(await announce(house, { service: 'dynamodb', length: body.length + 1 }));
    for (const connection of connections) connection.send(body);
    // 16 MiB of one network address, in bodies of 250 KiB: at most 65 of 100.
    await eventually('some are refused', () => connections.filter(({ heard }) => heard !== '').length >= 35);
    const refused = connections.filter(({ heard }) => heard !== '');
    for (const { heard } of refused) expect(heard).toMatch(/^HTTP\/1.1 503 [^]*retry-after: 1\r\n/);
    for (const connection of connections) connection.drop();
    const db = dynamoClient(house.url);
    await eventually('others are read again', () => db.send(new ListTablesCommand({})).catch(() => null));
    db.destroy();
  });

  it('a thousand connections that drip keep no honest writer waiting', { timeout: 120_000 }, async () => {
    await using house = await TestHouse.open();
    const dripping = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        n % 2 === 0
          ? announce(house, { service: 'dynamodb' })
          : RawConnection.open(house.url).then((connection) => {
              connection.send(
                `LOCK /http/acme/x HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(TEST_ADMIN)}\r\ncontent-length: 300\r\n\r\n`,
              );
              return connection;
            }),
      ),
    );
    // The clients are in this process, too: what it takes to begin them is not the server's.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const drip = setInterval(() => {
      for (const connection of dripping) if (!connection.closed) connection.send('x');
    }, 1_000);
    try {
      const began = performance.now();
      let slowest = 0;
      for (let serial = 1; serial <= 100; serial += 1) {
        const asked = performance.now();
        const body = sampleState(serial, { size: 100 * KIBIBYTE });
        expect((await house.ask('POST', '/http/acme/honest', { body })).status).toBe(200);
        slowest = Math.max(slowest, performance.now() - asked);
      }
      expect(slowest).toBeLessThan(2_000);
      expect(performance.now() - began).toBeLessThan(30_000);
      await eventually('all are cut off', () => dripping.every(({ heard }) => heard !== ''), 60_000);
    } finally {
      clearInterval(drip);
      for (const connection of dripping) connection.drop();
    }
  });
});

describe('too many requests of one credential', () => {
  it('are told so in the words of each door, and those of another are answered', async () => {
    await using house = await TestHouse.open({ requestRate: 1 });
    const [many, other] = await Promise.all(
      ['many', 'other'].map((name) => house.credential(name, [{ role: 'reader', pattern: '*' }])),
    );
    if (many === undefined || other === undefined) throw new Error('no credential');
    for (let n = 0; n < 20; n += 1) await house.ask('GET', '/http/acme/a', { as: many });
    const http = await house.ask('GET', '/http/acme/a', { as: many });
    expect([http.status, http.headers['retry-after']]).toEqual([429, '1']);
    expect(JSON.parse(http.text)).toMatchObject({ error: 'throttled' });
    const api = await house.ask('GET', '/api/v1/whoami', { as: many });
    expect([api.status, api.headers['retry-after']]).toEqual([429, '1']);
    const [s3, db] = [s3Client(house.url, many), dynamoClient(house.url, many)];
    expect(await failure(s3.send(new GetObjectCommand({ Bucket: 'acme', Key: 'a' })))).toBe('SlowDown 503');
    const get = new GetItemCommand({ TableName: 'locks', Key: { LockID: { S: 'acme/a' } } });
    const thrown: unknown = await db.send(get).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    const retrying = new DynamoDBClient({
      endpoint: house.url,
      region: 'us-east-1',
      credentials: { accessKeyId: many.id, secretAccessKey: many.secret },
      maxAttempts: 8,
    });
    expect(await failure(retrying.send(get))).toBe('ResourceNotFoundException 400');
    retrying.destroy();
    s3.destroy();
    db.destroy();
    expect((await house.ask('GET', '/http/acme/a', { as: other })).status).toBe(404);
    for (const path of ['/healthz', '/readyz']) expect((await house.ask('GET', path)).status).toBe(200);
  });

  it('are too many of one network address, too, whoever sends them, unless a proxy says for whom', async () => {
    await using house = await TestHouse.open({ requestRate: 1, trustedProxies: ['127.0.0.1'] });
    const from = (peer: string): Promise<number> =>
      house
        .ask('GET', '/http/acme/a', { as: null, headers: { 'x-forwarded-for': peer } })
        .then(({ status }) => status);
    const statuses = await Promise.all(Array.from({ length: 120 }, () => from('192.0.2.1')));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(20);
    expect(await from('192.0.2.2')).toBe(401);
  });
});

describe('wrong credentials', () => {
  it('are answered slowly at every door, and right ones of the same address at once', async () => {
    await using house = await TestHouse.open();
    const wrong = { ...TEST_ADMIN, secret: 'wrong' };
    for (let n = 0; n < 19; n += 1) await house.ask('GET', '/http/acme/a', { as: wrong });
    const s3 = s3Client(house.url, wrong);
    const get = new GetObjectCommand({ Bucket: 'acme', Key: 'a' });
    expect(await failure(s3.send(get))).toBe('SignatureDoesNotMatch 403');
    const began = performance.now();
    const slow = [
      house.ask('GET', '/http/acme/a', { as: wrong }).then(({ status }) => status),
      house.ask('GET', '/api/v1/whoami', { as: wrong }).then(({ status }) => status),
      house.ask('GET', '/metrics', { as: wrong }).then(({ status }) => status),
      failure(s3.send(get)),
    ];
    expect((await house.ask('GET', '/http/acme/a')).status).toBe(404);
    expect((await house.ask('GET', '/http/acme/a', { as: null })).status).toBe(401);
    expect(performance.now() - began).toBeLessThan(500);
    expect(await Promise.all(slow)).toEqual([401, 401, 401, 'SignatureDoesNotMatch 403']);
    expect(performance.now() - began).toBeGreaterThan(200);
    s3.destroy();
  });
});
