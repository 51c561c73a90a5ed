import { afterAll, beforeAll, describe, it } from 'vitest';
import { DoorBench, type DoorScene } from './door-contract-bench.ts';
import type { DoorUnderTest, HouseUnderTest } from './door-contract-client.ts';
import { CREDENTIAL_SCENES } from './door-contract-credentials.ts';
import { LOCK_SCENES } from './door-contract-locks.ts';
import { PAIR_SCENES } from './door-contract-matrix.ts';
import { STATE_SCENES } from './door-contract-states.ts';

/** Opens a house of its own for a contract. */
export type OpenHouseUnderTest = () => Promise<HouseUnderTest>;

/** Every promise of the contract, to be run one by one. */
export const DOOR_SCENES: readonly DoorScene[] = [...STATE_SCENES, ...LOCK_SCENES, ...CREDENTIAL_SCENES];

/** What every door promises, as tests: of states, of the lock and its line, and of credentials. */
export function doorContract(door: DoorUnderTest, open: OpenHouseUnderTest): void {
  describe(`${door.name} keeps the door contract`, () => {
    let house: HouseUnderTest;
    beforeAll(async () => {
      house = await open();
    });
    afterAll(() => house?.close());

    it.each(DOOR_SCENES)('$name', async (scene) => {
      const bench = await DoorBench.open(house, [door]);
      try {
        await scene.run(bench);
      } finally {
        bench.close();
      }
    });
  });
}

/** Two doors of one house: what is done at the one is seen at the other. */
export interface DoorPair {
  readonly a: DoorUnderTest;
  readonly b: DoorUnderTest;
}

/** Each door with each other, each way. */
export function allPairs(doors: readonly DoorUnderTest[]): readonly DoorPair[] {
  return doors.flatMap((a) => doors.filter((b) => b !== a).map((b) => ({ a, b })));
}

/** Each door with the next, and the last with the first. */
export function ringOfPairs(doors: readonly DoorUnderTest[]): readonly DoorPair[] {
  return doors.map((a, index) => ({ a, b: doors[(index + 1) % doors.length] ?? a }));
}

/** That several doors open on one house, as tests: what is done at one of them is seen at the other. */
export function doorMatrix(pairs: readonly DoorPair[], open: OpenHouseUnderTest): void {
  describe('all doors open on one house', () => {
    let house: HouseUnderTest;
    beforeAll(async () => {
      house = await open();
    });
    afterAll(() => house?.close());

    describe.each(pairs)('$a.name and $b.name', ({ a, b }) => {
      it.each(PAIR_SCENES)('$name', async (scene) => {
        const bench = await DoorBench.open(house, [a, b]);
        try {
          await scene.run(bench, a, b);
        } finally {
          bench.close();
        }
      });
    });
  });
}
