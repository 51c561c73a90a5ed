import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { LockShape } from '../../src/api/shapes/lock.ts';
import { LOCK_INFO_TAKEN_BYTES_MAX } from '../../src/core/lock-info.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { basic } from '../support/request.ts';
import { sampleLock } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { dynamoClient, failure, lockInfo, s3Client } from '../protocols/aws/sdk.ts';

const STREAMS_MAX = 1_000;

/** Opens event streams until the server refuses one. */
async function takeStreams(house: TestHouse, as: Pair, atMost: number): Promise<readonly RawConnection[]> {
  const taken: RawConnection[] = [];
  while (taken.length < atMost) {
    const connection = await RawConnection.open(house.url);
    taken.push(connection);
    connection.send(`GET /api/v1/events HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(as)}\r\n\r\n`);
    const heard = await eventually('an answer', () => connection.heard || null);
    if (!heard.startsWith('HTTP/1.1 200')) break;
  }
  return taken;
}

describe('event streams', () => {
  it('are never all of one reader', { timeout: 60_000 }, async () => {
    await using house = await TestHouse.open();
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'sandbox/*' }]);
    const taken = await takeStreams(house, reader, STREAMS_MAX);
    try {
      expect(taken).toHaveLength(STREAMS_MAX / 4 + 1);
      expect(taken.at(-1)?.heard).toMatch(/^HTTP\/1.1 503 [^]*retry-after: 10\r\n/);
      await using admin = await RawConnection.open(house.url);
      const { id, secret } = await house.credential('another', [{ role: 'reader', pattern: '*' }]);
      admin.send(`GET /api/v1/events HTTP/1.1\r\nhost: h\r\nauthorization: ${basic({ id, secret })}\r\n\r\n`);
      expect(await eventually('an answer', () => admin.heard || null)).toMatch(/^HTTP\/1.1 200 /);
      for (const connection of taken) connection.drop();
      await eventually('they are free again', async () => {
        const [again] = await takeStreams(house, reader, 1);
        again?.drop();
        return again?.heard.startsWith('HTTP/1.1 200');
      });
    } finally {
      for (const connection of taken) connection.drop();
    }
  });
});

describe('requests that wait for a lock', () => {
  it('are never all of one credential: beyond its half they are refused as locked, and keep their place', async () => {
    await using house = await TestHouse.open({ waitersMax: 6 });
    const [crowd, other] = await Promise.all(
      ['crowd', 'other'].map((name) => house.credential(name, [{ role: 'writer', pattern: '*' }])),
    );
    if (crowd === undefined || other === undefined) throw new Error('no credential');
    await house.ask('LOCK', '/http/acme/a', { body: sampleLock('holder') });
    const wait = (id: string, as: Pair): Promise<number> =>
      house.ask('LOCK', '/http/acme/a?wait=1m', { body: sampleLock(id), as }).then(({ status }) => status);
    const parked = [1, 2, 3].map((n) => wait(`crowd-${n}`, crowd));
    await house.untilParked(3);
    expect(await wait('crowd-4', crowd)).toBe(423);
    parked.push(wait('other', other));
    await house.untilParked(4);
    const { text } = await house.ask('GET', '/api/v1/state/lock?address=acme/a');
    const { waiters, waiting } = JSON.parse(text) as LockShape;
    expect([waiting, waiters.map(({ lockId, parked: isParked }) => [lockId, isParked])]).toEqual([
      5,
      [
        ['crowd-1', true],
        ['crowd-2', true],
        ['crowd-3', true],
        ['crowd-4', false],
        ['other', true],
      ],
    ]);
    for (const id of ['holder', 'crowd-1', 'crowd-2', 'crowd-3', 'other'])
      await house.ask('UNLOCK', '/http/acme/a', { body: sampleLock(id) });
    expect(await Promise.all(parked)).toEqual([200, 200, 200, 200]);
  });

  it('are listed page by page, however many they are and however much they say', async () => {
    await using house = await TestHouse.open();
    const long = (id: string): string =>
      JSON.stringify({ ...(JSON.parse(sampleLock(id)) as object), Info: 'x'.repeat(3_000) });
    const lock = (key: string, id: string): Promise<unknown> =>
      house.ask('LOCK', `/http/acme/${key}`, { body: long(id) });
    const keys = Array.from({ length: 12 }, (_, n) => `k${String(n).padStart(2, '0')}`);
    // Who comes back has a place in line, and keeps it while it is away.
    const wait = async (key: string, id: string): Promise<void> => {
      for (let ask = 0; ask < 2; ask += 1) await lock(key, id);
    };
    for (const key of keys) await lock(key, 'holder');
    await Promise.all(keys.flatMap((key) => Array.from({ length: 110 }, (_, n) => wait(key, `w${n}`))));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { bytes, text } = await house.ask('GET', `/api/v1/locks?limit=500${query}`);
      expect(bytes.length).toBeLessThan(7_000_000);
      const page = JSON.parse(text) as { locks: readonly LockShape[]; next: string | null };
      for (const { address, waiters, waiting } of page.locks) {
        seen.push(address);
        expect([waiters.length, waiting]).toEqual([100, 110]);
      }
      cursor = page.next;
    }
    expect(seen).toEqual(keys.map((key) => `acme/${key}`));
  });
});

describe('a lock info', () => {
  it('has 4 KiB at most at every door, which says so', async () => {
    await using house = await TestHouse.open();
    const sized = (bytes: number): string => {
      const info = JSON.parse(lockInfo('large')) as { Info: string };
      const rest = JSON.stringify(info).length;
      return JSON.stringify({ ...info, Info: 'x'.repeat(bytes - rest) });
    };
    const [most, over] = [sized(LOCK_INFO_TAKEN_BYTES_MAX), sized(LOCK_INFO_TAKEN_BYTES_MAX + 1)];
    const refused = await house.ask('LOCK', '/http/acme/a', { body: over });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('at most 4096 bytes')]);
    const [s3, db] = [s3Client(house.url), dynamoClient(house.url)];
    const put = (Key: string, Body: string): PutObjectCommand =>
      new PutObjectCommand({ Bucket: 'acme', Key: `${Key}.tflock`, Body });
    expect(await failure(s3.send(put('a', over)))).toBe('InvalidArgument 400');
    const item = (key: string, Info: string): PutItemCommand =>
      new PutItemCommand({ TableName: 'locks', Item: { LockID: { S: `acme/${key}` }, Info: { S: Info } } });
    const thrown: unknown = await db.send(item('a', over)).catch((error: unknown) => error);
    expect(String(thrown)).toMatch(/ValidationException: .*at most 4096 bytes/);
    expect((await house.ask('LOCK', '/http/acme/a', { body: most })).status).toBe(200);
    await s3.send(put('b', most));
    await db.send(item('c', most));
    s3.destroy();
    db.destroy();
  });
});
