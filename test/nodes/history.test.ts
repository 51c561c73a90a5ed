import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { amountOf } from '../support/amount.ts';
import type { Verdict, WireMessage } from '../support/postgres-proxy.ts';
import { checkHistory } from '../../src/contract/history-checker.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { houseModel } from './fixtures/house-model.ts';
import { chance, randomHistory, type HouseOperation } from './fixtures/random-clients.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();

const HISTORIES = amountOf('STATEHOUSE_HISTORIES', { few: 8, many: 300 });
const OPERATIONS = 500;
const CLIENTS = 9;
/** Histories that run at a time, each on an address of its own. */
const AT_A_TIME = 4;
/** One history in so many has the server crash in the middle of it. */
const CRASH_EVERY = 10;
/** One message in so many is the last of its connection. */
const CUT_EVERY = 500;

describe.skipIf(programs === null)('histories of three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!);
  });
  afterEach(() => {
    for (const proxy of nodes.proxies) proxy.judge = () => 'pass';
  });
  afterAll(() => nodes[Symbol.asyncDispose]());

  /** Breaks connections by chance, and notes after or before which statement that was. */
  function breakConnections(seed: number, seen: Set<string>): void {
    const random = chance(seed);
    let statement = '';
    for (const proxy of nodes.proxies) {
      proxy.judge = (message: WireMessage): Verdict => {
        if (message.type === 'P' || message.type === 'Q') statement = /[A-Z]+/.exec(message.text)?.[0] ?? '';
        if (random() > 1 / CUT_EVERY) return 'pass';
        const verdict = random() < 0.5 ? 'cut' : 'last';
        seen.add(
          `${verdict} ${message.direction} ${message.type === 'C' ? message.text.split(/[\0 ]/)[0] : statement}`,
        );
        return verdict;
      };
    }
  }

  async function history(seed: number): Promise<HouseOperation[]> {
    const address = { project: 'acme', key: `history-${seed}`, workspace: 'default' };
    const houses = nodes.houses.map(({ house }) => house);
    return randomHistory({ houses, address, clients: CLIENTS, operations: OPERATIONS, seed });
  }

  it(
    `are linearizable, all ${HISTORIES} of them, whatever breaks`,
    async () => {
      const cutAt = new Set<string>();
      let unanswered = 0;
      const began = performance.now();
      for (let first = 1; first <= HISTORIES; first += AT_A_TIME) {
        const seeds = Array.from(
          { length: Math.min(AT_A_TIME, HISTORIES - first + 1) },
          (_, at) => first + at,
        );
        breakConnections(first, cutAt);
        const running = seeds.map(history);
        if (seeds.some((seed) => seed % CRASH_EVERY === 0)) await nodes.server.restart('immediate');
        for (const [at, operations] of (await Promise.all(running)).entries()) {
          unanswered += operations.filter(({ output }) => output === null).length;
          const verdict = checkHistory(houseModel, operations);
          if (verdict.type !== 'linearizable') console.error(inWords(operations));
          expect({ seed: seeds[at], verdict }).toEqual({
            seed: seeds[at],
            verdict: { type: 'linearizable' },
          });
        }
      }
      console.info(
        `${HISTORIES} histories of ${OPERATIONS} operations in ${Math.round(performance.now() - began)} ms, ${unanswered} unanswered, cut at ${[...cutAt].sort().join('; ')}`,
      );
      expect([...cutAt].filter((place) => place.endsWith('COMMIT')).length).toBeGreaterThan(0);
    },
    HISTORIES * 30_000,
  );
});

/** A history to be read by a person, in the order in which its operations began. */
function inWords(operations: readonly HouseOperation[]): string {
  return [...operations]
    .sort((a, b) => a.began - b.began)
    .map(({ input, output, began, ended }, at) =>
      [at, Math.round(began), Math.round(ended), JSON.stringify(input), output].join(' '),
    )
    .join('\n');
}
