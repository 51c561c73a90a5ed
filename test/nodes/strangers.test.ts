import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { EventStream } from '../server/event-stream.ts';
import { HouseOfNodes } from './fixtures/house-of-nodes.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();
const CHANNEL = 'statehouse';

/** A role that may connect to the database and nothing else: it may LISTEN and NOTIFY all the same. */
class Stranger implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
    client.on('notification', ({ payload = '' }) => this.heard.push(payload));
  }

  static async enter(url: string): Promise<Stranger> {
    const as = new URL(url);
    as.username = 'stranger';
    const client = new Client({ connectionString: as.href });
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    return new Stranger(client);
  }

  async say(payload: string): Promise<void> {
    await this.#client.query('SELECT pg_notify($1, $2)', [CHANNEL, payload]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.end();
  }
}

const FORGED = {
  address: { project: 'acme', key: 'forged', workspace: 'default' },
  event: 'lock-broken',
  subject: 'token:ceo',
  door: 'http',
  facts: { lock: 'one', locks: 1 },
  handovers: [],
};

/** What a stranger may think of. */
function nonsense(heard: readonly string[]): readonly string[] {
  const [real = ''] = heard;
  const [form = '', from = '', sealed = ''] = real.split(' ');
  const as = (signals: unknown): string => JSON.stringify({ from: 'x', signals });
  return [
    as([null]),
    as([{}]),
    as([{ ...FORGED, handovers: null }]),
    as([{ ...FORGED, handovers: [null] }]),
    as([{ ...FORGED, facts: null, address: 'acme/x' }]),
    as([FORGED]),
    as('signals'),
    JSON.stringify([null]),
    'null',
    '',
    's1',
    's1  ',
    `s1 ${randomUUID()} AAAA`,
    `${form} ${from} ${Buffer.from(as([FORGED])).toString('base64url')}`,
    // A real one, as another sender's, cut short, and with a bit turned over.
    `${form} ${randomUUID()} ${sealed}`,
    `${form} ${from} ${sealed.slice(0, -8)}`,
    `${form} ${from} ${sealed.slice(0, 40)}${sealed[40] === 'A' ? 'B' : 'A'}${sealed.slice(41)}`,
    'x'.repeat(7_990),
    as(Array.from({ length: 60 }, () => FORGED)).slice(0, 7_900),
    `s1 ${randomUUID()} ${'A'.repeat(7_900)}`,
    `[`.repeat(7_900),
  ];
}

describe.skipIf(programs === null)('a role without rights (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  let houses: readonly [TestHouse, TestHouse, TestHouse];
  let database = '';

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!);
    houses = nodes.houses as typeof houses;
    await nodes.server.query('CREATE ROLE stranger LOGIN');
    database = nodes.server.url('test_1');
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  it('can tell those who listen nothing, nor repeat what was told', async () => {
    const [a, b, c] = houses;
    await using stranger = await Stranger.enter(database);
    using here = await EventStream.open(a.url);
    using there = await EventStream.open(c.url);
    const streams = [here, there];
    await eventually('the streams are ready', () => streams.every(({ names }) => names.length > 0));
    await a.ask('POST', '/http/acme/secret-key', { body: sampleState(1) });
    await a.ask('LOCK', '/http/acme/secret-key', { body: sampleLock('one') });
    await eventually('all is told', () => streams.every(({ names }) => names.length === 3));
    const copies = [...stranger.heard];
    for (const payload of [...nonsense(copies), ...copies, ...copies]) await stranger.say(payload);
    await eventually('the stranger is heard', () => stranger.heard.length >= 3 * copies.length);
    // What is true comes after all that, and alone.
    await b.ask('POST', '/http/acme/last', { body: sampleState(1) });
    await eventually('the last is told', () => streams.every(({ text }) => text.includes('acme/last')));
    for (const { names } of streams) {
      expect(names.slice(1)).toEqual(['version-stored', 'lock-granted', 'version-stored']);
    }
  });

  it('reads no name, no subject and no lock ID on the channel', async () => {
    const [a] = houses;
    await using stranger = await Stranger.enter(database);
    await a.ask('LOCK', '/http/acme/secret-key-2', { body: sampleLock('secret-id') });
    await a.ask('UNLOCK', '/http/acme/secret-key-2', { body: sampleLock('secret-id') });
    await eventually('something is said', () => stranger.heard.some((payload) => payload.length > 300));
    const said = stranger.heard
      .map(
        (payload) => `${payload} ${Buffer.from(payload.split(' ')[2] ?? '', 'base64url').toString('latin1')}`,
      )
      .join('\n');
    expect(said).not.toMatch(/secret|acme|token|lock|default/);
  });

  it('does not keep a true hand-over from the node where it is waited for', async () => {
    const [a, b] = houses;
    await using stranger = await Stranger.enter(database);
    await a.ask('LOCK', '/http/acme/line', { body: sampleLock('one') });
    const second = b.ask('LOCK', '/http/acme/line?wait=1m', { body: sampleLock('two') });
    await b.untilParked(1);
    for (const payload of nonsense(stranger.heard)) await stranger.say(payload);
    await a.ask('UNLOCK', '/http/acme/line', { body: sampleLock('one') });
    expect((await second).status).toBe(200);
    await b.ask('UNLOCK', '/http/acme/line', { body: sampleLock('two') });
  });
});

describe.skipIf(programs === null)(
  'nodes that a stranger speaks to (skipped unless postgres is on PATH)',
  () => {
    it('live, and log how much they dropped but not what', async () => {
      await using house = await HouseOfNodes.start(programs!, { nodes: 2 });
      await house.server.query('CREATE ROLE stranger LOGIN');
      await using stranger = await Stranger.enter(house.server.url('test_1'));
      await eventually('a node is heard', () => stranger.heard.length > 0, 10_000);
      const payloads = nonsense(stranger.heard);
      for (const payload of [...payloads, ...payloads]) await stranger.say(payload);
      await eventually('the nodes heard it', () =>
        house.nodes.every(({ output }) => output.includes('notifications were dropped')),
      );
      for (const { url, output } of house.nodes) {
        expect((await fetch(`${url}/readyz`)).status).toBe(200);
        expect(output.match(/notifications were dropped/g)).toHaveLength(1);
        expect(output).not.toMatch(/ceo|forged|AAAA|xxxx/);
      }
    });
  },
);
