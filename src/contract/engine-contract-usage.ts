import { describe, expect, it } from 'vitest';
import type { Address } from '../core/address.ts';
import { NO_USAGE, type Usage } from '../core/quota.ts';
import { ALICE, bodyOf, deleteOf, lockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

/** What a project keeps is counted with what changes it, and held against its limits in the same transaction. */
export function usageContract(bench: Bench): void {
  const usageOf = ({ project }: Address): Promise<Usage> => bench.engine().usage(project);

  describe('what a project keeps', () => {
    it('is counted with each version, with each that is dropped, and by its project alone', async () => {
      const address = bench.address();
      expect(await usageOf(address)).toEqual(NO_USAGE);
      await bench.give(writeOf(address, 1n, { size: 100 }));
      await bench.give(writeOf(address, 2n, { size: 250 }));
      await bench.give(writeOf({ ...address, workspace: 'dev' }, 1n, { size: 7 }));
      expect(await usageOf(address)).toEqual({ states: 2, versions: 3, bytes: 357 });
      // Sent again, it is no second version; what is not kept is not dropped twice.
      await bench.give(writeOf(address, 2n, { size: 250 }));
      for (let time = 0; time < 2; time += 1)
        await bench.give({ type: 'prune', address, actor: ALICE, versions: [{ number: 1, at: 0 }] });
      expect(await usageOf(address)).toEqual({ states: 2, versions: 2, bytes: 257 });
      expect(await usageOf(bench.address())).toEqual(NO_USAGE);
    });

    it('has a deleted state until that is purged', async () => {
      const address = bench.address();
      await bench.give(writeOf(address, 1n, { size: 100 }));
      await bench.give(writeOf(address, 2n, { size: 200 }));
      await bench.give(deleteOf(address));
      expect(await usageOf(address)).toEqual({ states: 1, versions: 2, bytes: 300 });
      await bench.give({ type: 'purge', address, actor: ALICE });
      expect(await usageOf(address)).toEqual(NO_USAGE);
      await bench.give(writeOf(address, 1n, { size: 9 }));
      expect(await usageOf(address)).toEqual({ states: 1, versions: 1, bytes: 9 });
    });

    it('is counted where many commands come at once, dropped ones among them', async () => {
      const address = bench.address();
      await bench
        .engine()
        .apply([
          writeOf(address, 1n, { size: 1 }),
          writeOf(address, 2n, { size: 10 }),
          { type: 'prune', address, actor: ALICE, versions: [{ number: 1, at: 0 }] },
          writeOf({ ...address, key: 'other' }, 1n, { size: 100 }),
        ]);
      expect(await usageOf(address)).toEqual({ states: 2, versions: 2, bytes: 110 });
      await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          bench.give(writeOf({ ...address, key: `k${at}` }, 1n, { size: 5 })),
        ),
      );
      expect(await usageOf(address)).toEqual({ states: 42, versions: 42, bytes: 310 });
    });

    it('is counted where states come from another engine', async () => {
      const [from, to] = [bench.address(), bench.address()];
      await bench.give(writeOf(from, 1n, { size: 50 }));
      const { record } = await bench.engine().world(from);
      const [version] = await bench.engine().versions(from, { limit: 1 });
      if (version === undefined) throw new Error('nothing was written');
      const body = bodyOf();
      const mine = { ...version, bodyId: body.id };
      const effects = [
        { type: 'put-version', version: mine, body },
        { type: 'put-record', record: { ...record, head: mine } },
      ] as const;
      await bench.engine().apply([{ type: 'adopt', address: to, effects }]);
      expect(await usageOf(to)).toEqual({ states: 1, versions: 1, bytes: 50 });
    });

    it('is what it was once the engine is opened again', async () => {
      const address = bench.address();
      await bench.give(writeOf(address, 1n, { size: 100 }));
      const usage = await usageOf(address);
      await bench.reopen();
      expect(await usageOf(address)).toEqual(usage);
    });
  });

  describe('a limit of what a project keeps', () => {
    it('refuses a new state, and stores nothing of it', async () => {
      const address = bench.address();
      const limits = { states: 1 };
      expect(await bench.give(writeOf(address, 1n, { limits }))).toMatchObject({ type: 'stored' });
      const other = { ...address, key: 'other' };
      expect(await bench.give(writeOf(other, 1n, { limits }))).toEqual({
        type: 'over-quota',
        project: address.project,
        measure: 'states',
        used: 1,
        limit: 1,
      });
      expect(await bench.engine().versions(other, { limit: 1 })).toEqual([]);
      expect(await usageOf(address)).toMatchObject({ states: 1, versions: 1 });
    });

    it('lets a state that is there go a quarter above it, with a word', async () => {
      const address = bench.address();
      const write = (serial: bigint): Promise<unknown> =>
        bench.give(writeOf(address, serial, { size: 10, limits: { bytes: 40 } }));
      for (const serial of [1n, 2n, 3n, 4n]) expect(await write(serial)).not.toHaveProperty('above');
      expect(await write(5n)).toMatchObject({ type: 'stored', above: 'bytes' });
      expect(await write(6n)).toMatchObject({ type: 'over-quota', measure: 'bytes', used: 50, limit: 40 });
      // What is stored already is stored, whatever the limit.
      expect(await write(5n)).toMatchObject({ type: 'stored', repeat: true });
    });

    it('lets who holds the lock bring home a state that is new', async () => {
      const address = bench.address();
      const limits = { states: 4 };
      await bench.give(lockOf(address, 'mine'));
      for (const key of ['a', 'b', 'c', 'd']) await bench.give(writeOf({ ...address, key }, 1n, { limits }));
      const claim = { kind: 'named', lockId: 'mine' } as const;
      const home = await bench.give(writeOf(address, 1n, { limits, claim }));
      expect(home).toMatchObject({ type: 'stored', above: 'states' });
    });

    it('holds where many ask at once', async () => {
      const address = bench.address();
      const outcomes = await Promise.all(
        Array.from({ length: 60 }, (_, at) =>
          bench.give(writeOf({ ...address, key: `k${at}` }, 1n, { limits: { states: 10 } })),
        ),
      );
      const stored = outcomes.filter(({ type }) => type === 'stored').length;
      // Transactions that are under way at one time do not see each other.
      expect(stored).toBeGreaterThanOrEqual(10);
      expect(stored).toBeLessThan(60);
      expect(await usageOf(address)).toMatchObject({ states: stored });
      if (!bench.engine().traits.shared) expect(stored).toBe(10);
      const late = { ...address, key: 'late' };
      expect(await bench.give(writeOf(late, 1n, { limits: { states: 10 } }))).toMatchObject({
        type: 'over-quota',
      });
    });
  });
}
