import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { lock, unlock } from './fixtures/http-lock.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();
/** Nodes look for lost grants every second; what is faster came by a signal. How fast is the bench's to say. */
const BY_SIGNAL_MS_MAX = 700;

describe.skipIf(programs === null)('one line over three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  let houses: readonly [TestHouse, TestHouse, TestHouse];

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!);
    houses = nodes.houses as typeof houses;
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  it('is one lock: what one node granted, another refuses and says who has it', async () => {
    expect((await lock(houses[0], 'acme/one', 'a')).status).toBe(200);
    const refused = await lock(houses[1], 'acme/one', 'b');
    expect(refused.status).toBe(423);
    expect(JSON.parse(refused.text)).toMatchObject({ ID: 'a' });
    expect((await unlock(houses[2], 'acme/one', 'a')).status).toBe(200);
  });

  it('hands the lock to a waiter that is parked on another node, at once and in the order of asking', async () => {
    await lock(houses[0], 'acme/order', 'first');
    const granted: string[] = [];
    const waiters: Promise<void>[] = [];
    for (const [at, id] of ['b', 'c', 'd', 'e', 'f', 'g'].entries()) {
      const house = houses[at % 3] as TestHouse;
      const before = house.house.parked;
      waiters.push(
        (async () => {
          expect((await lock(house, 'acme/order', id, '?wait=5m')).status).toBe(200);
          granted.push(id);
        })(),
      );
      await house.untilParked(before + 1);
    }
    const took: number[] = [];
    let holder = 'first';
    for (const next of ['b', 'c', 'd', 'e', 'f', 'g']) {
      const began = performance.now();
      await unlock(houses[1], 'acme/order', holder);
      await eventually(`${next} is granted`, () => granted.at(-1) === next);
      took.push(performance.now() - began);
      holder = next;
    }
    console.info(`hand-overs: ${took.map(Math.round).join(', ')} ms`);
    await Promise.all(waiters);
    expect(granted).toEqual(['b', 'c', 'd', 'e', 'f', 'g']);
    expect(Math.min(...took)).toBeLessThan(BY_SIGNAL_MS_MAX);
    await unlock(houses[0], 'acme/order', 'g');
  });

  it('finds a grant whose signal was lost', async () => {
    await lock(houses[0], 'acme/lost', 'a');
    const waiter = lock(houses[2], 'acme/lost', 'b', '?wait=5m');
    await houses[2].untilParked(1);
    // Nothing that the server says by itself reaches this node any more, and it has not noticed yet.
    const [, , proxy] = nodes.proxies;
    proxy!.judge = ({ direction, type }) => (direction === 'to-client' && type === 'A' ? 'drop' : 'pass');
    const began = performance.now();
    await unlock(houses[0], 'acme/lost', 'a');
    expect((await waiter).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(3_000);
    proxy!.judge = () => 'pass';
    await unlock(houses[0], 'acme/lost', 'b');
  });
});
