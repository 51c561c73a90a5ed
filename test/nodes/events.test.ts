import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { callApi } from '../server/api-client.ts';
import { EventStream } from '../server/event-stream.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)('the API of three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  let houses: readonly [TestHouse, TestHouse, TestHouse];

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!);
    houses = nodes.houses as typeof houses;
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  it('tells at one node what happens at the others, each thing once', async () => {
    const [a, b, c] = houses;
    using stream = await EventStream.open(c.url, '?project=acme');
    await eventually('the stream is ready', () => stream.names.length > 0);
    await a.ask('POST', '/http/acme/x', { body: sampleState(1) });
    await a.ask('LOCK', '/http/acme/x', { body: sampleLock('one') });
    const second = b.ask('LOCK', '/http/acme/x?wait=1m', { body: sampleLock('two') });
    await eventually('the second waits', () => stream.names.includes('waiter-parked'));
    await c.ask('UNLOCK', '/http/acme/x', { body: sampleLock('one') });
    expect((await second).status).toBe(200);
    await b.ask('UNLOCK', '/http/acme/x', { body: sampleLock('two') });
    await eventually('all is told', () => stream.names.length === 7);
    expect(stream.names.slice(1)).toEqual([
      'version-stored',
      'lock-granted',
      'waiter-parked',
      'lock-released',
      'lock-granted',
      'lock-released',
    ]);
  });

  it('tells a client that comes back at another node what it missed', async () => {
    const [a, b, c] = houses;
    const query = '?project=moved';
    using first = await EventStream.open(a.url, query);
    await eventually('the stream is ready', () => first.names.length > 0);
    await b.ask('POST', '/http/moved/x', { body: sampleState(1) });
    await eventually('the first version is told', () => first.names.length === 2);
    const after = first.events[1]?.id ?? '';
    first[Symbol.dispose]();
    await a.ask('POST', '/http/moved/x', { body: sampleState(2) });
    await c.ask('POST', '/http/moved/x', { body: sampleState(3) });
    using back = await EventStream.open(c.url, query, { after });
    await eventually('what was missed is told', () => back.names.length === 3);
    expect(back.events.map(({ event, data }) => [event, data['facts']])).toMatchObject([
      ['ready', undefined],
      ['version-stored', { version: 2 }],
      ['version-stored', { version: 3 }],
    ]);
  });

  it('counts at each node what was done there, and nothing twice', async () => {
    const [a, b] = houses;
    await a.ask('POST', '/http/count/x', { body: sampleState(1) });
    const stored = async (house: TestHouse): Promise<number> => {
      const { text } = await house.ask('GET', '/metrics');
      return Number(/outcomes_total\{command="write",outcome="stored"\} (\d+)/.exec(text)?.[1] ?? '0');
    };
    const before = [await stored(a), await stored(b)] as const;
    await b.ask('POST', '/http/count/x', { body: sampleState(2) });
    expect([await stored(a), await stored(b)]).toEqual([before[0], before[1] + 1]);
  });

  it('ends a stream at one node when its credential is revoked at another', async () => {
    const [a, b] = houses;
    const as = await a.credential('listener', [{ role: 'reader', pattern: '*' }]);
    await eventually(
      'the other node knows it',
      async () => (await callApi(b, 'GET /whoami', { as })).status === 200,
    );
    using stream = await EventStream.open(b.url, '', { as });
    await eventually('the stream is ready', () => stream.names.length > 0);
    expect((await callApi(a, `DELETE /credentials/${as.id}`)).status).toBe(200);
    await eventually('the stream ends', () => stream.ended, 8_000);
  });

  it('says that many nodes serve it, makes no backup, and seals anew only under what it was given', async () => {
    const [a] = houses;
    expect((await callApi(a, 'GET /info')).json).toMatchObject({
      engine: 'postgres',
      manyNodes: true,
      backup: false,
    });
    const backup = await callApi(a, 'POST /backup');
    expect([backup.status, backup.json['error']]).toEqual([409, 'not-embedded']);
    expect((await callApi(a, 'POST /rotate-key')).json).toMatchObject({ newKey: false, sealedAnew: 0 });
  });
});
