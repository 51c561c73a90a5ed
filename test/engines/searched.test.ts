import { describe, expect, it } from 'vitest';
import { NEW_WORLD } from '../../src/core/world.ts';
import { searched, type Stretch } from '../../src/engines/searched.ts';
import { Pieces } from '../../src/engines/sqlite/reads/pieces.ts';
import type { StateSummary } from '../../src/ports/engine.ts';

const ADDRESSES = 25_000;
const addressOf = (number: number) => ({
  project: 'acme',
  key: String(number).padStart(6, '0'),
  workspace: 'default',
});

describe('a search', () => {
  /** An engine of many states, of which every so-manieth is found, and how many addresses each stretch had. */
  function engineOf(every: number) {
    const stretches: number[] = [];
    const placeOf = (key: string | undefined): number => (key === undefined ? -1 : Number(key));
    return {
      stretches,
      pauses: 0,
      boundary: ({ after }: Stretch, addresses: number) => {
        const at = placeOf(after?.key) + 1 + addresses;
        return at < ADDRESSES ? addressOf(at) : null;
      },
      states: ({ after, upTo, limit }: Stretch): StateSummary[] => {
        const from = placeOf(after?.key) + 1;
        const to = upTo === undefined ? ADDRESSES - 1 : placeOf(upTo.key);
        stretches.push(to - from + 1);
        const found = Array.from({ length: to - from + 1 }, (_, at) => from + at).filter(
          (at) => at % every === 0,
        );
        return found.slice(0, limit).map((at) => ({ address: addressOf(at), world: NEW_WORLD }));
      },
      async pause() {
        this.pauses += 1;
      },
    };
  }

  const keysOf = (found: readonly StateSummary[]): number[] =>
    found.map(({ address }) => Number(address.key));

  it('finds each once and in order, however many stretches it takes, and pauses between them', async () => {
    const engine = engineOf(6_000);
    expect(keysOf(await searched(engine, { search: 'x', limit: 100 }))).toEqual([
      0, 6_000, 12_000, 18_000, 24_000,
    ]);
    expect(engine.pauses).toBe(engine.stretches.length - 1);
    expect(Math.max(...engine.stretches)).toBeLessThan(11_000);
    expect(engine.stretches.reduce((sum, count) => sum + count, 0)).toBe(ADDRESSES);
  });

  it('ends with as many as were asked for, and goes on after the last of them', async () => {
    const engine = engineOf(6_000);
    expect(keysOf(await searched(engine, { search: 'x', limit: 2 }))).toEqual([0, 6_000]);
    expect(engine.stretches).toHaveLength(1);
    const after = addressOf(6_000);
    expect(keysOf(await searched(engine, { search: 'x', limit: 2, after }))).toEqual([12_000, 18_000]);
  });
});

describe('pieces of long reads', () => {
  it('are done one in a turn, in the order of asking', async () => {
    const pieces = new Pieces();
    let turn = 0;
    const counting = setInterval(() => undefined, 1);
    const next = (): void => {
      turn += 1;
      if (turn < 50) setImmediate(next);
    };
    setImmediate(next);
    const turns: number[] = [];
    const read = async (): Promise<void> => {
      await pieces.pause();
      turns.push(turn);
    };
    await Promise.all(Array.from({ length: 10 }, read));
    clearInterval(counting);
    expect(new Set(turns).size).toBe(10);
    expect(turns).toEqual(turns.toSorted((a, b) => a - b));
  });
});
