import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { EventStream } from './event-stream.ts';

const A = '/http/acme/a';

describe('the event stream', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await TestHouse.open();
  });
  afterEach(() => house.close());

  it('tells what happens to states and locks, in order', async () => {
    using stream = await EventStream.open(house.url);
    await eventually('the stream is ready', () => stream.names[0] === 'ready');
    await house.ask('POST', A, { body: sampleState(1) });
    await house.ask('LOCK', A, { body: sampleLock('one') });
    const second = house.ask('LOCK', `${A}?wait=1m`, { body: sampleLock('two') });
    await eventually('the second waits', () => stream.names.includes('waiter-parked'));
    await house.ask('UNLOCK', A, { body: sampleLock('one') });
    expect((await second).status).toBe(200);
    await house.ask('UNLOCK', A, { body: sampleLock('two') });
    await house.ask('DELETE', A);
    await eventually('all is told', () => stream.names.includes('state-deleted'));
    expect(stream.events.slice(1)).toMatchObject([
      {
        event: 'version-stored',
        data: { address: 'acme/a', door: 'http', facts: { version: 1, serial: '1' } },
      },
      { event: 'lock-granted', data: { facts: { lock: 'one', fence: 1 } } },
      { event: 'waiter-parked', data: { facts: { waiter: 'two', position: 1 } } },
      { event: 'lock-released', data: { facts: { lock: 'one' } } },
      { event: 'lock-granted', data: { facts: { lock: 'two', fence: 2, handedOver: true } } },
      { event: 'lock-released', data: { facts: { lock: 'two' } } },
      { event: 'state-deleted', data: { address: 'acme/a' } },
    ]);
  });

  it('tells each client what it asks for and may read', async () => {
    await house.ask('POST', '/http/acme/a', { body: sampleState(1) });
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'other/*' }]);
    const outputs = await house.credential('outputs', [{ role: 'outputs', pattern: '*' }]);
    using project = await EventStream.open(house.url, '?project=acme');
    using address = await EventStream.open(house.url, '?address=acme/b@dev');
    using granted = await EventStream.open(house.url, '', { as: reader });
    using shown = await EventStream.open(house.url, '', { as: outputs });
    using all = await EventStream.open(house.url);
    for (const target of ['/http/other/x', '/http/acme/b', '/http/acme/b?workspace=dev', '/http/other/y']) {
      await house.ask('POST', target, { body: sampleState(1) });
    }
    await eventually('all is told', () => all.names.length === 5);
    const told = (stream: EventStream): unknown[] =>
      stream.events.slice(1).map(({ data }) => data['address']);
    expect(told(project)).toEqual(['acme/b', 'acme/b@dev']);
    expect(told(address)).toEqual(['acme/b@dev']);
    expect(told(granted)).toEqual(['other/x', 'other/y']);
    expect(told(shown)).toEqual([]);
  });

  it('sends a client that comes back what it missed, or tells it to read anew', async () => {
    using first = await EventStream.open(house.url);
    await house.ask('POST', A, { body: sampleState(1) });
    await eventually('the first version is told', () => first.names.length === 2);
    const after = first.events[1]?.id ?? '';
    first[Symbol.dispose]();
    await house.ask('POST', A, { body: sampleState(2) });
    await house.ask('POST', A, { body: sampleState(3) });
    using back = await EventStream.open(house.url, '', { after });
    await eventually('what was missed is told', () => back.names.length === 3);
    expect(back.events.map(({ event, data }) => [event, data['facts']])).toMatchObject([
      ['ready', undefined],
      ['version-stored', { version: 2 }],
      ['version-stored', { version: 3 }],
    ]);
    expect(back.events[0]?.id).toBe(after);
    for (const id of ['00000000-1', 'nonsense', String(Number(after) + 1_000)]) {
      using lost = await EventStream.open(house.url, '', { after: id });
      await eventually('it is told to read anew', () => lost.names.length > 0);
      expect(lost.names).toEqual(['reset']);
    }
    for (let serial = 4; serial < 1_010; serial += 1) {
      await house.ask('POST', A, { body: sampleState(serial) });
    }
    using late = await EventStream.open(house.url, '', { after });
    await eventually('it is told to read anew', () => late.names.length > 0);
    expect(late.names).toEqual(['reset']);
  });

  it('tells a client that comes back to read anew when what it missed has been forgotten', async () => {
    await house.ask('POST', A, { body: sampleState(1) });
    const { position } = await house.engine.changes(null, 1);
    for (const serial of [2, 3]) await house.ask('POST', A, { body: sampleState(serial) });
    const before = (await house.engine.now()) + 1;
    await house.engine.apply([{ type: 'prune-audit', before, limit: position + 1, note: null }]);
    using stream = await EventStream.open(house.url, '', { after: String(position) });
    await eventually('it is told', () => stream.names[0] === 'reset');
  });

  it('sends a client that comes back what it asks for and may see, once, and no event of the line', async () => {
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
    using all = await EventStream.open(house.url);
    await house.ask('POST', A, { body: sampleState(1) });
    await eventually('the first version is told', () => all.names.length === 2);
    const after = all.events[1]?.id ?? '';
    await house.ask('LOCK', A, { body: sampleLock('one') });
    const second = house.ask('LOCK', `${A}?wait=1m`, { body: sampleLock('two') });
    await eventually('the second waits', () => all.names.includes('waiter-parked'));
    await house.ask('POST', '/http/other/x', { body: sampleState(1) });
    await house.ask('POST', '/http/acme/b', { body: sampleState(1) });
    await house.ask('UNLOCK', A, { body: sampleLock('one') });
    expect((await second).status).toBe(200);
    using back = await EventStream.open(house.url, '', { as: reader, after });
    using narrow = await EventStream.open(house.url, '?address=acme/b', { as: reader, after });
    await house.ask('UNLOCK', A, { body: sampleLock('two') });
    await house.ask('POST', '/http/acme/b', { body: sampleState(2) });
    const names = [
      'lock-granted',
      'version-stored',
      'lock-released',
      'lock-granted',
      'lock-released',
      'version-stored',
    ];
    await eventually('all is told', () => back.names.length > names.length && narrow.names.length > 2);
    expect(back.names).toEqual(['ready', ...names]);
    expect(narrow.events.slice(1).map(({ data }) => data['facts'])).toMatchObject([
      { version: 1 },
      { version: 2 },
    ]);
    await eventually('all is told', () => all.names.length === 10);
    expect(all.events.find(({ event }) => event === 'waiter-parked')?.id).toBe('');
    const ids = (stream: EventStream): string[] => stream.events.slice(1).map(({ id }) => id);
    expect(ids(all)).toEqual(expect.arrayContaining(ids(back)));
    expect(new Set(ids(back)).size).toBe(names.length);
  });

  it('ends for a client whose credential is revoked or expires', async () => {
    const grants = [{ role: 'reader', pattern: '*' }] as const;
    const revoked = await house.credential('revoked', grants);
    const expiring = await house.credential('expiring', grants, Date.now() + 1_000);
    using a = await EventStream.open(house.url, '', { as: revoked });
    using b = await EventStream.open(house.url, '', { as: expiring });
    using c = await EventStream.open(house.url);
    await house.ask('DELETE', `/api/v1/credentials/${revoked.id}`);
    await eventually('both have ended', () => a.ended && b.ended, 6_000);
    expect(c.ended).toBe(false);
    expect((await EventStream.open(house.url, '', { as: revoked })).status).toBe(401);
  });

  it('cuts off a client that does not read, and nobody else', async () => {
    using slow = await EventStream.open(house.url);
    using quick = await EventStream.open(house.url);
    slow.stopReading();
    const { signals } = house.house;
    const publish = async (): Promise<void> => {
      for (let round = 0; round < 100; round += 1) {
        signals.publish({
          address: { project: 'acme', key: 'a', workspace: 'default' },
          event: 'waiter-parked',
          subject: 'token:x',
          door: 'test',
          facts: { ballast: 'x'.repeat(20_000) },
          handovers: [],
        });
        if (round % 10 === 0) await new Promise((resolve) => void setTimeout(resolve, 5));
      }
    };
    const ends = async (): Promise<boolean> => {
      await publish();
      const { text } = await house.ask('GET', '/metrics');
      return text.includes('seconds_count{door="api",operation="events",status="200"} 1');
    };
    // The connection's own buffers are filled first, and then the queue.
    await eventually('the slow client is cut off', ends);
    expect(quick.ended).toBe(false);
    const { text } = await house.ask('GET', '/metrics');
    expect(text).not.toMatch(/undelivered_total\{.*events/);
  });

  it('does not keep a house from closing', async () => {
    using stream = await EventStream.open(house.url);
    await eventually('the stream is ready', () => stream.names.length > 0);
    const began = performance.now();
    await house.close();
    expect(performance.now() - began).toBeLessThan(1_000);
    await eventually('the stream has ended', () => stream.ended);
  });
});
