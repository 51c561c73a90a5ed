import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import { MASTER_KEY_RECORDS, SealCount } from '../../src/house/seal-count.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';
import { Keyring, sealedKeyId } from '../../src/keyring/keyring.ts';

const BLOCK = 65_536;

describe('the use of a master key', () => {
  const clock = new ManualClock();
  const key = (): ReturnType<typeof makeMasterKey> => makeMasterKey(randomBytes(32));

  function house() {
    const engine = new MemoryEngine(clock, sealedKeyId);
    const warned: string[] = [];
    const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warned.push(message) };
    const node = (sealer: Keyring): SealCount =>
      new SealCount({ records: MASTER_KEY_RECORDS.of({ engine, clock }), sealer, clock, log });
    return { engine, warned, node };
  }

  const seal = (keyring: Keyring, times: number): void => {
    for (let n = 0; n < times; n += 1) keyring.seal(Buffer.from('a secret'), 'a context');
  };

  it('is counted ahead, over all nodes and starts, and never less than it was', async () => {
    const { node } = house();
    const shared = key();
    const [one, two] = [new Keyring([shared]), new Keyring([shared])];
    const [first, second] = [node(one), node(two)];
    await first.check();
    expect(first.total).toBe(BLOCK);
    await second.check();
    expect(second.total).toBe(2 * BLOCK);
    seal(one, 40_000);
    expect(one.seals).toBe(40_000);
    await first.check();
    expect(first.total).toBe(3 * BLOCK);
    seal(one, 100_000);
    await first.check();
    await first.check();
    expect(first.total).toBe(4 * BLOCK);
    const restarted = node(new Keyring([shared]));
    await restarted.check();
    expect(restarted.total).toBe(5 * BLOCK);
  });

  it('is counted anew for a new key', async () => {
    const { node } = house();
    const [old, next] = [key(), key()];
    const keyring = new Keyring([old]);
    const count = node(keyring);
    seal(keyring, 3 * BLOCK);
    await count.check();
    expect(count.total).toBe(4 * BLOCK);
    keyring.adopt([next, old]);
    await count.check();
    expect(keyring.seals).toBe(0);
    expect(count.total).toBe(BLOCK);
  });

  it('is warned of in time', async () => {
    const { engine, warned, node } = house();
    const shared = key();
    const records = MASTER_KEY_RECORDS.of({ engine, clock });
    await records.update(null, shared.id, () => ({ seals: 2 ** 31 - 2 * BLOCK }));
    await node(new Keyring([shared])).check();
    expect(warned).toEqual([]);
    await node(new Keyring([shared])).check();
    expect(warned).toEqual([expect.stringContaining('change it with "statehouse rotate-key"')]);
    const held = node(new Keyring([key()]));
    engine.apply = () => Promise.reject(new Error('the disk is full'));
    held.start();
    await held.close();
    expect(warned[1]).toContain('could not be counted');
  });
});
