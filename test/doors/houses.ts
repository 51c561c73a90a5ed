import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenHouseUnderTest } from '../../src/contract/door-contract.ts';
import type { HouseUnderTest } from '../../src/contract/door-contract-client.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import type { Configuration } from '../../src/server/configuration.ts';
import { isLongRun } from '../support/amount.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

/** The engines that doors are tried on: that of the test run, which is in memory unless told otherwise, and SQLite. */
export const HOUSES: readonly (readonly [string, OpenHouseUnderTest])[] = [
  ['memory', () => openHouseUnderTest({})],
  [
    'SQLite',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'statehouse-doors-'));
      return openHouseUnderTest({ store: { kind: 'directory', path: join(directory, 'data') } }, () =>
        rm(directory, { recursive: true, force: true }),
      );
    },
  ],
];

/** The engines that each door is tried on by itself: in the short run the one that a server has by default. */
export const CONTRACT_HOUSES: typeof HOUSES = isLongRun
  ? HOUSES
  : HOUSES.filter(([name]) => name === 'SQLite');

/** What the engine is asked for an address; its other methods also serve the house's own timers. */
const ABOUT_ADDRESSES = ['apply', 'world', 'versions', 'version', 'states', 'body'] as const;

/** Opens a house for a contract. */
export async function openHouseUnderTest(
  options: Partial<Configuration>,
  dispose: () => Promise<void> = () => Promise.resolve(),
): Promise<HouseUnderTest> {
  const house = await TestHouse.open(options);
  return houseUnderTest([house], async () => {
    await house.close();
    await dispose();
  });
}

/** Nodes of one house for a contract: each client that is made speaks to the next of them. */
export function houseUnderTest(
  nodes: readonly [TestHouse, ...TestHouse[]],
  close: () => Promise<void>,
): HouseUnderTest {
  const [first] = nodes;
  let clients = 0;
  let credentials = 0;
  /** The other nodes look for changed credentials now and then: no scene is to wait for that. */
  const known = async (): Promise<void> => {
    await Promise.all(nodes.map(({ house }) => house.credentials.refresh()));
  };
  return {
    get url() {
      clients += 1;
      return (nodes[clients % nodes.length] as TestHouse).url;
    },
    admin: TEST_ADMIN,
    credential: async (role, pattern, expiresAt) => {
      const pair = await first.credential(`${role}-${(credentials += 1)}`, [{ role, pattern }], expiresAt);
      await known();
      return pair;
    },
    revoke: async ({ id }) => {
      await first.house.credentials.revoke(ADMIN_CALLER, id);
      await known();
    },
    versions: async (at) => {
      const answer = await first.house.history.versions(ADMIN_CALLER, at, { limit: 100 });
      if (answer.type !== 'versions') throw new Error(`the admin may not read the history: ${answer.type}`);
      return answer.versions.length;
    },
    parked: () => nodes.reduce((sum, { house }) => sum + house.parked, 0),
    whileEngineFails: async (work) => {
      const engines = nodes.map(({ engine }) => engine);
      const value = (): Promise<never> => Promise.reject(new EngineFault('the disk does not answer'));
      for (const engine of engines)
        for (const name of ABOUT_ADDRESSES)
          Object.defineProperty(engine, name, { value, configurable: true });
      try {
        return await work();
      } finally {
        for (const engine of engines)
          for (const name of ABOUT_ADDRESSES) Reflect.deleteProperty(engine, name);
      }
    },
    close,
  };
}
