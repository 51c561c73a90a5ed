import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AddressCommand } from '../../src/core/command.ts';
import type * as Decide from '../../src/core/decide.ts';
import type { World } from '../../src/core/world.ts';
import type * as PostgresWorld from '../../src/engines/postgres/world.ts';
import { checkHistory, type HistoryVerdict } from '../../src/contract/history-checker.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { houseModel } from './fixtures/house-model.ts';
import { randomHistory } from './fixtures/random-clients.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

// A checker that never complains proves nothing: here the house is broken on purpose, and it must complain.

type Fault = 'none' | 'lock check removed' | 'fence ignored' | 'write outside the transaction';
const seeded = vi.hoisted(() => ({ fault: 'none' as Fault }));

vi.mock('../../src/core/decide.ts', async (original) => {
  const actual = await original<typeof Decide>();
  return {
    ...actual,
    decide: (command: AddressCommand, world: World, at: number) => {
      // The model asks with no clock, and must go by the true rules.
      if (at === 0) return actual.decide(command, world, at);
      const nobody = { ...world, holders: [] };
      if (seeded.fault === 'lock check removed' && command.type === 'lock') {
        return actual.decide(command, nobody, at);
      }
      if (seeded.fault === 'fence ignored' && command.type === 'write') {
        return actual.decide({ ...command, claim: { kind: 'none' } }, nobody, at);
      }
      return actual.decide(command, world, at);
    },
  };
});

vi.mock('../../src/engines/postgres/world.ts', async (original) => {
  const actual = await original<typeof PostgresWorld>();
  return {
    ...actual,
    lockRecords: (...given: Parameters<typeof actual.lockRecords>) => {
      const statement = actual.lockRecords(...given);
      if (seeded.fault !== 'write outside the transaction') return statement;
      return { ...statement, text: statement.text.replace('FOR UPDATE OF a', '') };
    },
  };
});

const programs = await findPostgres();
/** Each fault is given so many histories to show itself. */
const HISTORIES = 3;

describe.skipIf(programs === null)('the checker (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!);
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  /** What the checker says of histories, up to the first that it refuses. */
  async function verdicts(fault: Fault): Promise<HistoryVerdict['type'][]> {
    seeded.fault = fault;
    const houses = nodes.houses.map(({ house }) => house);
    const found: HistoryVerdict['type'][] = [];
    for (let seed = 1; seed <= HISTORIES && !found.includes('not-linearizable'); seed += 1) {
      const address = { project: 'acme', key: `${fault.replaceAll(' ', '-')}-${seed}`, workspace: 'default' };
      const operations = await randomHistory({ houses, address, clients: 9, operations: 200, seed });
      found.push(checkHistory(houseModel, operations).type);
    }
    return found;
  }

  it('has nothing to say of a house that is whole', async () => {
    expect(new Set(await verdicts('none'))).toEqual(new Set(['linearizable']));
  });

  it.each(['lock check removed', 'fence ignored', 'write outside the transaction'] as const)(
    'sees it: %s',
    async (fault) => {
      expect(await verdicts(fault)).toContain('not-linearizable');
    },
  );
});
