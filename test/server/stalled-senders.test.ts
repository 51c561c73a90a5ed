import { CopyObjectCommand, CreateMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { basic } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { signWithSmithy } from '../protocols/aws/request-signers.ts';
import { failure, s3Client, stateText } from '../protocols/aws/sdk.ts';

const MEBIBYTE = 1_048_576;
const LARGEST = 512 * MEBIBYTE;

/** Announces a state at the http door, and sends of it what the test says. */
async function announce(
  house: TestHouse,
  target: string,
  { as, length, sent }: { as: Pair; length: number | null; sent: string },
): Promise<RawConnection> {
  const connection = await RawConnection.open(house.url);
  const size = length === null ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  connection.send(
    `POST ${target} HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(as)}\r\n${size}\r\n\r\n${sent}`,
  );
  return connection;
}

/** Announces an object at the S3 door, and sends of it what the test says. */
async function announceObject(
  house: TestHouse,
  path: string,
  {
    as,
    length,
    sent,
    query = [],
  }: { as: Pair; length: number; sent: string; query?: readonly (readonly [string, string])[] },
): Promise<RawConnection> {
  const signed = await signWithSmithy(
    {
      method: 'PUT',
      host: new URL(house.url).host,
      path,
      query,
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
      service: 's3',
      region: 'us-east-1',
      body: '',
      date: new Date(),
    },
    undefined,
    as,
  );
  const lines = signed.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  const target = signed.query === '' ? signed.path : `${signed.path}?${signed.query}`;
  const connection = await RawConnection.open(house.url);
  connection.send(`PUT ${target} HTTP/1.1\r\n${lines}content-length: ${length}\r\n\r\n${sent}`);
  return connection;
}

const answered = (connection: RawConnection): Promise<string> =>
  eventually('an answer', () => /\r\n\r\n/.test(connection.heard) && connection.heard);
const holds = (house: TestHouse, bytes: number): Promise<true> =>
  eventually(`${bytes} bytes are held`, () => house.house.inFlightBytes === bytes && (true as const));
const writer = (house: TestHouse, name: string): Promise<Pair> =>
  house.credential(name, [{ role: 'writer', pattern: '*' }]);

afterEach(() => {
  vi.useRealTimers();
});

describe('senders that announce much and stall', () => {
  it('take no room from anybody: writes, objects and restores of others go through', async () => {
    await using house = await TestHouse.open();
    const sandbox = await house.credential('sandbox', [{ role: 'writer', pattern: 'sandbox/*' }]);
    const other = await writer(house, 'other');
    const stalled = { as: sandbox, length: LARGEST, sent: '{' };
    await using first = await announce(house, '/http/sandbox/a', stalled);
    await using second = await announce(house, '/http/sandbox/b', stalled);
    await holds(house, 2);
    for (const serial of [1, 2]) {
      const body = sampleState(serial, { size: 2 * MEBIBYTE });
      expect((await house.ask('POST', '/http/acme/a', { body, as: other })).status).toBe(200);
    }
    const restored = await house.ask('POST', '/api/v1/state/restore?address=acme/a', {
      body: '{"version": 1}',
      as: other,
      headers: { 'content-type': 'application/json' },
    });
    expect(restored.status).toBe(200);
    const s3 = s3Client(house.url, other);
    await s3.send(new PutObjectCommand({ Bucket: 'acme', Key: 'b', Body: stateText(1) }));
    s3.destroy();
    expect((await house.ask('GET', '/metrics')).text).toMatch(/^statehouse_in_flight_bytes 2$/m);
    first.drop();
    second.drop();
    await holds(house, 0);
  });

  it('are told to come again when their subject holds its share, and get through when it holds less', async () => {
    await using house = await TestHouse.open({ stateBytesMax: MEBIBYTE, inFlightBytesMax: 4 * MEBIBYTE });
    const [busy, other] = [await writer(house, 'busy'), await writer(house, 'other')];
    const large = sampleState(1, { size: MEBIBYTE - 1_000 });
    const half = large.slice(0, large.length / 2);
    await using slow = await announce(house, '/http/acme/slow', {
      as: busy,
      length: large.length,
      sent: half,
    });
    await holds(house, half.length);
    const again = await house.ask('POST', '/http/acme/again', { body: large, as: busy });
    expect([again.status, again.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(again.text)).toMatchObject({ error: 'busy' });
    const chunk = `${(half.length + 2_000).toString(16)}\r\n${large.slice(0, half.length + 2_000)}\r\n`;
    await using unsaid = await announce(house, '/http/acme/unsaid', { as: busy, length: null, sent: chunk });
    expect(await answered(unsaid)).toMatch(/^HTTP\/1.1 503 [^]*retry-after: 1\r\n/);
    await using object = await announceObject(house, '/acme/object', {
      as: busy,
      length: large.length,
      sent: large,
    });
    expect(await answered(object)).toMatch(/^HTTP\/1.1 503 [^]*retry-after: 1\r\n[^]*<Code>SlowDown</);
    await holds(house, half.length);
    expect((await house.ask('POST', '/http/acme/other', { body: large, as: other })).status).toBe(200);
    expect((await house.ask('POST', '/http/acme/small', { body: sampleState(1), as: busy })).status).toBe(
      200,
    );
    slow.send(large.slice(half.length));
    expect(await answered(slow)).toMatch(/^HTTP\/1.1 200 /);
    expect((await house.ask('POST', '/http/acme/again', { body: large, as: busy })).status).toBe(200);
    await holds(house, 0);
  });

  it('are cut when they drip, and an honest sender on a slow line is not', async () => {
    await using house = await TestHouse.open();
    const [drip, slow] = [await writer(house, 'drip'), await writer(house, 'slow')];
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    await using dripping = await announce(house, '/http/acme/drip', { as: drip, length: LARGEST, sent: '{' });
    const large = sampleState(1, { size: 20 * 125_000 });
    await using honest = await announce(house, '/http/acme/slow', {
      as: slow,
      length: large.length,
      sent: '',
    });
    let dripped = 1;
    for (let second = 0; second < 70 && dripping.heard === ''; second += 10) {
      await holds(house, dripped + Math.min(large.length, second * 12_500));
      vi.setSystemTime(Date.now() + 10_000);
      dripping.send(' '.repeat(20_480));
      dripped += 20_480;
      honest.send(large.slice(second * 12_500, (second + 10) * 12_500));
      await eventually('some has come', () => house.house.inFlightBytes >= dripped || dripping.heard !== '');
    }
    expect(await answered(dripping)).toMatch(/^HTTP\/1.1 503 [^]*the body came too slowly/);
    honest.send(large.slice(70 * 12_500));
    expect(await answered(honest)).toMatch(/^HTTP\/1.1 200 /);
    await holds(house, 0);
  });
});

describe('a credential that has expired', () => {
  it('is refused before its body comes, and may send what it holds the lock of', async () => {
    await using house = await TestHouse.open();
    const expiresAt = Date.now() + 1_500;
    const late = await house.credential('late', [{ role: 'writer', pattern: '*' }], expiresAt);
    const body = sampleLock('mine');
    expect((await house.ask('LOCK', '/http/acme/mine', { body, as: late })).status).toBe(200);
    const s3 = s3Client(house.url, late);
    const target = { Bucket: 'acme', Key: 'parts' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
    await s3.send(new PutObjectCommand({ Bucket: 'acme', Key: 'old', Body: stateText(1) }));
    await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + 50));

    const nothing = { as: late, length: LARGEST, sent: '' };
    await using state = await announce(house, '/http/acme/a', nothing);
    expect(await answered(state)).toMatch(/^HTTP\/1.1 401 [^]*"expired"/);
    await using object = await announceObject(house, '/acme/a', nothing);
    expect(await answered(object)).toMatch(/^HTTP\/1.1 400 [^]*<Code>ExpiredToken</);
    const query = [
      ['partNumber', '1'],
      ['uploadId', UploadId ?? ''],
    ] as const;
    await using part = await announceObject(house, '/acme/parts', { ...nothing, query });
    expect(await answered(part)).toMatch(/^HTTP\/1.1 400 [^]*<Code>ExpiredToken</);
    const copy = new CopyObjectCommand({ Bucket: 'acme', Key: 'old', CopySource: 'acme/old?versionId=1' });
    expect(await failure(s3.send(copy))).toBe('ExpiredToken 400');
    s3.destroy();

    const mine = { body: sampleState(1, { size: MEBIBYTE }), as: late };
    expect((await house.ask('POST', '/http/acme/mine?ID=mine', mine)).status).toBe(200);
    expect(house.house.inFlightBytes).toBe(0);
  });
});
