import { describe, expect, it } from 'vitest';
import type { Address } from '../core/address.ts';
import type { Engine } from '../ports/engine.ts';
import { BOB, lockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

/** What is there after the engine was closed and opened again. */
export function durabilityContract(bench: Bench): void {
  const { give } = bench;

  async function snapshot(engine: Engine, address: Address): Promise<unknown> {
    return {
      world: await engine.world(address),
      versions: await engine.versions(address, { limit: 100 }),
      audit: await engine.audit({ address, limit: 100 }),
      credentials: await engine.credentials(),
      entries: await engine.entries('kept'),
      seats: await engine.seats({ node: 'kept' }),
    };
  }

  describe('an engine', () => {
    it('says what it is, what time it is, and that it works', async () => {
      const engine = bench.engine();
      expect(engine.traits.name).not.toBe('');
      expect(await engine.now()).toBe(bench.clock.now());
      await engine.check();
    });

    it('has, when it is opened again, all that it had', async () => {
      const address = bench.address();
      for (let serial = 1n; serial <= 3n; serial += 1n) await give(writeOf(address, serial));
      await give(lockOf(address, 'holder'));
      await give(lockOf(address, 'waiter', { actor: BOB, seat: 'kept:1', wait: 1_000 }));
      await bench
        .engine()
        .apply([{ type: 'put-entry', entry: { kind: 'kept', name: 'n', attributes: { a: 1 } }, note: null }]);
      const before = await snapshot(bench.engine(), address);
      const engine = await bench.reopen();
      expect(await snapshot(engine, address)).toEqual(before);
      expect(await give(writeOf(address, 4n, { claim: { kind: 'named', lockId: 'holder' } }))).toMatchObject({
        type: 'stored',
        version: { number: 4, fence: 1 },
      });
    });
  });
}
