import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenHouseUnderTest } from '../../src/contract/door-contract.ts';
import type { HouseUnderTest } from '../../src/contract/door-contract-client.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import type { Configuration } from '../../src/server/configuration.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

/** The engines that every door is tried on: that of the test run, which is in memory unless told otherwise, and SQLite. */
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

/** What the engine is asked for an address; its other methods also serve the house's own timers. */
const ABOUT_ADDRESSES = ['apply', 'world', 'versions', 'version', 'states', 'body'] as const;

/** Opens a house for a contract. */
export async function openHouseUnderTest(
  options: Partial<Configuration>,
  dispose: () => Promise<void> = () => Promise.resolve(),
): Promise<HouseUnderTest> {
  const test = await TestHouse.open(options);
  const { house } = test;
  let credentials = 0;
  return {
    url: test.url,
    admin: TEST_ADMIN,
    credential: (role, pattern, expiresAt) =>
      test.credential(`${role}-${(credentials += 1)}`, [{ role, pattern }], expiresAt),
    revoke: async ({ id }) => void (await house.credentials.revoke(ADMIN_CALLER, id)),
    versions: async (at) => {
      const versions = await house.history.versions(ADMIN_CALLER, at, { limit: 100 });
      if ('type' in versions) throw new Error(`the admin may not read the history: ${versions.type}`);
      return versions.length;
    },
    parked: () => house.parked,
    whileEngineFails: async (work) => {
      const { engine } = house;
      const fail = (): Promise<never> => Promise.reject(new EngineFault('the disk does not answer'));
      for (const name of ABOUT_ADDRESSES)
        Object.defineProperty(engine, name, { value: fail, configurable: true });
      try {
        return await work();
      } finally {
        for (const name of ABOUT_ADDRESSES) Reflect.deleteProperty(engine, name);
      }
    },
    close: async () => {
      await test.close();
      await dispose();
    },
  };
}
