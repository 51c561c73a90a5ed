import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Grant } from '../../src/core/grant.ts';
import { eventually } from '../support/eventually.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { basic } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { EventStream } from '../server/event-stream.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();
/** What the documents promise. */
const ENDED_WITHIN_MS = 2_500;

describe.skipIf(programs === null)('revocation on three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  let houses: readonly [TestHouse, TestHouse, TestHouse];
  let count = 0;
  const newLocked = (): string => `/http/acme/held-${++count}`;

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!);
    houses = nodes.houses as typeof houses;
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  it.each(['revoked', 'restricted'])(
    'ends on every node, within 2.5 seconds, what a credential has under way that is %s',
    async (how) => {
      const [first] = houses;
      const held = newLocked();
      const gone = new AbortController();
      const ci = await first.credential(`ci-${how}`, [{ role: 'writer', pattern: '*' }]);
      await Promise.all(houses.map(({ house }) => house.credentials.refresh()));
      const ended: number[] = [];
      let revokedAt = Infinity;
      const note = (): void => void ended.push(Date.now() - revokedAt);
      await first.ask('LOCK', held, { body: sampleLock('other') });

      const writes: RawConnection[] = [];
      const streams: EventStream[] = [];
      const waits = houses.map(async (house, at) => {
        const body = sampleLock(`mine-${at}`);
        const answer = await house.ask('LOCK', `${held}?wait=5m`, { as: ci, body, signal: gone.signal });
        note();
        return answer;
      });
      await using _ = {
        // Whatever fails here, the next try finds the nodes without anything under way.
        async [Symbol.asyncDispose]() {
          gone.abort();
          await Promise.allSettled(waits);
          await Promise.all(writes.map((write) => write[Symbol.asyncDispose]()));
          for (const stream of streams) stream[Symbol.dispose]();
        },
      };
      for (const [at, house] of houses.entries()) {
        await house.untilParked(1);
        const stream = await EventStream.open(house.url, '', { as: ci });
        streams.push(stream);
        await eventually('the stream is open', () => stream.names.length > 0);
        const write = await RawConnection.open(house.url);
        writes.push(write);
        write.send(
          `POST /http/acme/w${at} HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(ci)}\r\ncontent-length: 1000\r\n\r\n{"ver`,
        );
        await eventually('the write has begun', () => house.house.inFlightBytes > 0);
      }
      const answered = writes.map(async (write) => {
        await eventually('the write is answered', () => write.heard.startsWith('HTTP/1.1 401 '));
        note();
      });
      const closed = streams.map(async (stream) => {
        await eventually('the stream ends', () => stream.ended);
        note();
      });

      if (how === 'revoked') await first.ask('DELETE', `/api/v1/credentials/${ci.id}`);
      else await restrict(first, ci.id, [{ role: 'reader', pattern: '*' }]);
      revokedAt = Date.now();
      const answers = await Promise.all(waits);
      await Promise.all([...answered, ...closed]);
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
      expect(ended).toHaveLength(9);
      expect(Math.max(...ended)).toBeLessThan(ENDED_WITHIN_MS);

      // The lock goes to nobody of them.
      await first.ask('UNLOCK', held, { body: sampleLock('other') });
      await sleep(200);
      expect((await first.ask('LOCK', held, { body: sampleLock('next') })).status).toBe(200);
      for (const [at, house] of houses.entries()) {
        expect((await house.ask('GET', `/http/acme/w${at}`)).status).toBe(404);
        const late = await house.ask('POST', '/http/acme/late', { as: ci, body: sampleState(1) });
        // Whoever may still read is known here.
        expect(late.status).toBe(how === 'revoked' ? 401 : 403);
      }
    },
  );

  it('is learned by one read of all credentials, however many wait to be told', async () => {
    const [, second] = houses;
    const held = newLocked();
    const ci = await second.credential('crowd', [{ role: 'writer', pattern: '*' }]);
    await second.ask('LOCK', held, { body: sampleLock('other') });
    const { engine } = second;
    const read = engine.credentials.bind(engine);
    let reads = 0;
    engine.credentials = async () => {
      reads += 1;
      return read();
    };
    const gone = new AbortController();
    const waits = Array.from({ length: 20 }, (_, at) =>
      second
        .ask('LOCK', `${held}?wait=5m`, {
          as: ci,
          body: sampleLock(`crowd-${at}`),
          signal: gone.signal,
        })
        .catch(() => null),
    );
    await second.untilParked(20);
    reads = 0;
    await sleep(3_500);
    gone.abort();
    await Promise.all(waits);
    expect(reads).toBeGreaterThanOrEqual(1);
    expect(reads).toBeLessThanOrEqual(4);
  });
});

async function restrict(house: TestHouse, id: string, grants: readonly Grant[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ grants });
  expect((await house.ask('PATCH', `/api/v1/credentials/${id}`, { body, headers })).status).toBe(200);
}
