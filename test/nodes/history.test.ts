import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { amountOf, isLongRun } from '../support/amount.ts';
import type { PostgresProxy, Verdict, WireMessage } from '../support/postgres-proxy.ts';
import { checkHistory } from '../../src/contract/history-checker.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { houseModel } from './fixtures/house-model.ts';
import { chance, randomHistory, type HouseOperation } from './fixtures/random-clients.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();

const HISTORIES = amountOf('STATEHOUSE_HISTORIES', { few: 10, many: 300 });
const OPERATIONS = isLongRun ? 300 : 100;
const CLIENTS = isLongRun ? 9 : 6;
/** Histories that run at a time, each on an address of its own. */
const AT_A_TIME = 10;
/** Every so many-th time the server crashes in the middle of them. */
const CRASH_EVERY = 3;
/** Every so many-th time a node is frozen for so long that the others take it for dead. */
const FREEZE_LONG_EVERY = 5;
const FREEZE_LONG_MS = 9_000;
/** All have a node frozen now and then, for up to so long. */
const FREEZE_MS_MAX = 250;
const FREEZE_PAUSE_MS_MAX = 2_000;
/** One message in so many is the last of its connection. */
const CUT_EVERY = 500;

describe.skipIf(programs === null)('histories of three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  /** A test that is tried again has addresses of its own: what is on those of before is unknown to it. */
  let tries = 0;

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

  /** Freezes one node after the other, until it is told to end. */
  async function freezeNodes(turn: number, { signal }: AbortController): Promise<void> {
    const random = chance(-turn);
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const proxy = nodes.proxies[Math.floor(random() * nodes.proxies.length)] as PostgresProxy;
      const isLong = isFirst && turn % FREEZE_LONG_EVERY === 0;
      proxy.freeze();
      await sleep(isLong ? FREEZE_LONG_MS : random() * FREEZE_MS_MAX);
      proxy.thaw();
      await sleep(random() * FREEZE_PAUSE_MS_MAX);
    }
  }

  async function history(seed: number): Promise<HouseOperation[]> {
    const address = { project: 'acme', key: `history-${tries}-${seed}`, workspace: 'default' };
    const houses = nodes.houses.map(({ house }) => house);
    return randomHistory({ houses, address, clients: CLIENTS, operations: OPERATIONS, seed });
  }

  it(
    `are linearizable, all ${HISTORIES} of them, whatever breaks, freezes, or comes twice and late`,
    async () => {
      tries += 1;
      const cutAt = new Set<string>();
      let unanswered = 0;
      const began = performance.now();
      for (let first = 1, turn = 1; first <= HISTORIES; first += AT_A_TIME, turn += 1) {
        const seeds = Array.from(
          { length: Math.min(AT_A_TIME, HISTORIES - first + 1) },
          (_, at) => first + at,
        );
        breakConnections(first, cutAt);
        const end = new AbortController();
        const freezing = freezeNodes(turn, end);
        const running = seeds.map(history);
        if (turn % CRASH_EVERY === 0) await nodes.server.restart('immediate');
        const histories = await Promise.all(running);
        end.abort();
        await freezing;
        for (const [at, operations] of histories.entries()) {
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
      // Where few connections are cut, chance may spare every commit.
      const atCommit = [...cutAt].filter((place) => place.endsWith('COMMIT'));
      expect(isLongRun ? atCommit.length : cutAt.size).toBeGreaterThan(0);
    },
    HISTORIES * 120_000,
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
