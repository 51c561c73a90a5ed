import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DoorBench, type DoorScene } from '../../src/contract/door-contract-bench.ts';
import type { DoorClient, DoorUnderTest, HouseUnderTest } from '../../src/contract/door-contract-client.ts';
import { PAIR_SCENES } from '../../src/contract/door-contract-matrix.ts';
import { DOOR_SCENES } from '../../src/contract/door-contract.ts';
import type { Address } from '../../src/core/address.ts';
import { HTTP } from '../doors/clients/http.ts';
import { openHouseUnderTest } from '../doors/houses.ts';

type Breaking = (client: DoorClient) => Partial<DoorClient>;

/** The http door as it would be with one thing wrong. */
function broken(breaking: Breaking): DoorUnderTest {
  const client = (...args: Parameters<DoorUnderTest['client']>): DoorClient => {
    const whole = HTTP.client(...args);
    return { ...whole, ...breaking(whole) };
  };
  return { ...HTTP, client };
}

const elsewhere = (at: Address): Address => ({ ...at, key: `${at.key}.2` });

/** What is wrong, and a word of the promise that must show it. */
const BROKEN: readonly (readonly [string, string, Breaking])[] = [
  [
    'prints a state anew',
    'the very bytes',
    (client) => ({
      read: async (at) => {
        const reply = await client.read(at);
        if (reply.type !== 'state') return reply;
        const parsed: unknown = JSON.parse(Buffer.from(reply.bytes).toString());
        return { type: 'state', bytes: Buffer.from(JSON.stringify(parsed)) };
      },
    }),
  ],
  [
    'loses the last line end',
    'the very bytes',
    (client) => ({
      write: (at, bytes, lock) =>
        client.write(at, Buffer.from(Buffer.from(bytes).toString().trimEnd()), lock),
    }),
  ],
  [
    'takes a fault for an absent state',
    'cannot know',
    (client) => ({
      read: async (at) => {
        const reply = await client.read(at);
        return reply.type === 'refused' && reply.because === 'fault' ? { type: 'absent' } : reply;
      },
    }),
  ],
  [
    'takes a refused write for one that was stored',
    'would lose a change',
    (client) => ({
      write: async (at, bytes, lock) => {
        await client.write(at, bytes, lock);
        return { type: 'stored' };
      },
    }),
  ],
  [
    'keeps a write that comes again as another version',
    'comes again, even after',
    (client) => ({
      write: async (at, bytes, lock) => {
        await client.delete(at, lock);
        return client.write(at, bytes, lock);
      },
    }),
  ],
  [
    'forgets the workspace',
    'workspaces apart',
    (client) => ({
      read: (at) => client.read({ ...at, workspace: 'default' }),
    }),
  ],
  [
    'lets in who is refused',
    'gives the lock to one',
    (client) => ({
      lock: async (at, info, signal) => {
        const reply = await client.lock(at, info, signal);
        return reply.type === 'held' ? { type: 'granted' } : reply;
      },
    }),
  ],
  [
    'does not tell who holds the lock',
    'gives the lock to one',
    (client) => ({
      lock: async (at, info, signal) => {
        const reply = await client.lock(at, info, signal);
        return reply.type === 'held' ? { type: 'held', holder: null } : reply;
      },
    }),
  ],
  [
    'asks under a new ID each time',
    'grants the lock again',
    (client) => {
      let asks = 0;
      return { lock: (at, info, signal) => client.lock(at, { ...info, id: `${info.id}-${asks++}` }, signal) };
    },
  ],
  [
    'grants a lock that was released to a late copy of its request',
    'no late copy',
    (client) => ({
      lock: async (at, info, signal) => {
        const reply = await client.lock(at, info, signal);
        if (reply.type !== 'refused') return reply;
        return client.lock(at, { ...info, id: `${info.id}-again` }, signal);
      },
    }),
  ],
  [
    'names no lock when it writes',
    'what the holder of a broken lock',
    (client) => ({ write: (at, bytes) => client.write(at, bytes, null) }),
  ],
  [
    'reads what it may not',
    'of another project',
    (client) => ({
      read: async (at) => {
        const reply = await client.read(at);
        return reply.type === 'refused' ? { type: 'absent' } : reply;
      },
    }),
  ],
];

describe('the door contract', () => {
  let house: HouseUnderTest;
  beforeAll(async () => {
    house = await openHouseUnderTest({});
  });
  afterAll(() => house.close());

  /** What a scene says of a door: null when it keeps its promise. */
  async function problemOf(run: (bench: DoorBench) => Promise<void>, door: DoorUnderTest): Promise<unknown> {
    const bench = await DoorBench.open(house, [door]);
    try {
      await run(bench);
      return null;
    } catch (problem) {
      return problem;
    } finally {
      bench.close();
    }
  }

  it.each(BROKEN)('finds out a client that %s', async (_, word, breaking) => {
    const scenes = DOOR_SCENES.filter(({ name }) => name.includes(word));
    expect(scenes).toHaveLength(1);
    const { run } = scenes[0] as DoorScene;
    expect(await problemOf(run, HTTP)).toBeNull();
    expect(await problemOf(run, broken(breaking))).toBeInstanceOf(Error);
  });

  it('finds out, in every promise about two doors, one that opens on another state', async () => {
    const other = broken((client) => ({
      lock: (at, info, signal) => client.lock(elsewhere(at), info, signal),
      look: (at) => client.look(elsewhere(at)),
      read: (at) => client.read(elsewhere(at)),
      write: (at, bytes, lock) => client.write(elsewhere(at), bytes, lock),
    }));
    for (const { run } of PAIR_SCENES) {
      expect(await problemOf((bench) => run(bench, HTTP, HTTP), HTTP)).toBeNull();
      expect(await problemOf((bench) => run(bench, HTTP, other), HTTP)).toBeInstanceOf(Error);
    }
  });
});
