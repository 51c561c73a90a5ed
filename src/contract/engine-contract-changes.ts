import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { formatAddress, type Address } from '../core/address.ts';
import type { AuditFilter, AuditRecord, ChangeRecord } from '../ports/engine.ts';
import { lockOf, unlockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

/** The feed of changes. */
export function changeContract(bench: Bench): void {
  const { give } = bench;
  const end = async (): Promise<number> => (await bench.engine().changes(null, 10)).position;

  /** All that came after a position, a page at a time. */
  async function follow(
    after: number,
    limit: number,
  ): Promise<{ records: ChangeRecord[]; position: number }> {
    const records: ChangeRecord[] = [];
    for (let from = after; ;) {
      const page = await bench.engine().changes(from, limit);
      expect(page.records.length).toBeLessThanOrEqual(limit);
      records.push(...page.records);
      from = page.position;
      if (page.records.length < limit) return { records, position: from };
    }
  }

  const shown = (records: readonly ChangeRecord[]): string[] =>
    records.map(({ address, note }) => `${note.action} ${formatAddress(address)}`);

  describe('the feed of changes', () => {
    it('tells what was stored about addresses, oldest first, and nothing of what is before the position', async () => {
      const [address, other] = [bench.address(), bench.address()];
      await give(writeOf(other, 1n));
      const before = await end();
      expect(await bench.engine().changes(null, 10)).toEqual({ records: [], position: before });
      await give(writeOf(address, 1n));
      await give(lockOf(address, 'a'));
      await give(lockOf(address, 'refused'));
      await give(writeOf(other, 2n));
      await give(unlockOf(address, 'a'));
      const { records, position } = await follow(before, 100);
      expect(shown(records)).toEqual([
        `write ${formatAddress(address)}`,
        `lock ${formatAddress(address)}`,
        `write ${formatAddress(other)}`,
        `unlock ${formatAddress(address)}`,
      ]);
      expect(position).toBe(records.at(-1)?.id);
      const [unlock] = await bench.engine().audit({ address, limit: 1 });
      expect(records.at(-1)).toEqual(unlock);
      expect(await bench.engine().changes(position, 10)).toEqual({ records: [], position });
      expect((await bench.engine().changes(records[1]?.id ?? 0, 10)).records).toEqual(records.slice(2));
    });

    it('has beside it the whole log, filtered, of which each record is told once', async () => {
      const { position: before } = await bench.engine().auditAfter(null, {}, 10);
      const address = bench.address();
      const note = {
        action: 'read',
        subject: 'token:mallory',
        door: 'http',
        detail: {},
        refused: 'forbidden',
      };
      await give(writeOf(address, 1n));
      await bench.engine().apply([
        { type: 'audit', address: null, note },
        { type: 'audit', address, note },
      ]);
      await give(writeOf(address, 2n));
      const actions = async (filter: AuditFilter, limit = 2): Promise<string[]> => {
        const seen: AuditRecord[] = [];
        for (let after = before; ;) {
          const stretch = await bench.engine().auditAfter(after, filter, limit);
          seen.push(...stretch.records);
          after = stretch.position;
          if (stretch.records.length < limit) break;
        }
        expect(seen.map(({ id }) => id)).toEqual(
          [...new Set(seen.map(({ id }) => id))].sort((a, b) => a - b),
        );
        return seen.map(({ note: { action } }) => action);
      };
      expect(await actions({})).toEqual(['write', 'read', 'read', 'write']);
      expect(await actions({ address })).toEqual(['write', 'read', 'write']);
      expect(await actions({ address: bench.address() })).toEqual([]);
      expect(await actions({ action: 'write' })).toEqual(['write', 'write']);
      expect(await actions({ subject: 'token:mallory', refused: true })).toEqual(['read', 'read']);
      expect(await actions({ since: bench.clock.now() + 1 })).toEqual([]);
    });

    it('misses none while many write at once', async () => {
      const { position: before } = await bench.engine().auditAfter(null, {}, 10);
      const address = bench.address();
      const seen: AuditRecord[] = [];
      let after = before;
      const look = async (): Promise<void> => {
        const stretch = await bench.engine().auditAfter(after, { action: 'write' }, 1_000);
        seen.push(...stretch.records);
        after = stretch.position;
      };
      const writes = Array.from({ length: 60 }, async (_, at) =>
        give(writeOf({ ...address, key: `k${at}` }, 1n)),
      );
      const progress = { isDone: false };
      const all = Promise.all(writes).finally(() => {
        progress.isDone = true;
      });
      while (!progress.isDone) {
        await look();
        await setImmediate();
      }
      await all;
      await look();
      await look();
      const keys = seen.map(({ address: of }) => of?.key);
      expect(keys).toHaveLength(60);
      expect(new Set(keys).size).toBe(60);
    });

    it('is read a page at a time, each after the one before', async () => {
      const before = await end();
      const address = bench.address();
      for (let serial = 1n; serial <= 7n; serial += 1n) await give(writeOf(address, serial));
      const first = await bench.engine().changes(before, 3);
      expect(first.records.map(({ note }) => note.detail['version'])).toEqual([1, 2, 3]);
      expect(first.position).toBe(first.records[2]?.id);
      const { records } = await follow(before, 2);
      expect(records.map(({ note }) => note.detail['version'])).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    it('leaves out what is only noted and what is about no address, and its position goes past them', async () => {
      const before = await end();
      const address = bench.address();
      const note = { action: 'read', subject: 'token:alice', door: 'http', detail: {} };
      await give(writeOf(address, 1n));
      await bench.engine().apply([
        { type: 'audit', address, note },
        { type: 'audit', address: null, note: { ...note, action: 'backup' } },
      ]);
      const { records, position } = await follow(before, 100);
      expect(shown(records)).toEqual([`write ${formatAddress(address)}`]);
      expect(position).toBeGreaterThan(records[0]?.id ?? Infinity);
    });

    it('stays where it is for a position that is beyond its end', async () => {
      const beyond = (await end()) + 1_000;
      expect(await bench.engine().changes(beyond, 10)).toEqual({ records: [], position: beyond });
    });

    it('loses nothing and tells nothing twice while many write', async () => {
      const before = await end();
      const addresses = Array.from({ length: 8 }, () => bench.address());
      let writing = true;
      const write = async (address: Address): Promise<void> => {
        for (let serial = 1n; serial <= 12n; serial += 1n) await give(writeOf(address, serial));
      };
      const read = async (): Promise<ChangeRecord[]> => {
        const records: ChangeRecord[] = [];
        let position = before;
        for (let last = false; ;) {
          const page = await follow(position, 5);
          records.push(...page.records);
          position = page.position;
          if (last) return records;
          last = !writing;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      };
      const reading = read();
      await Promise.all(addresses.map(write));
      writing = false;
      const records = await reading;
      expect(records).toHaveLength(8 * 12);
      const ids = records.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      for (const address of addresses) {
        const own = records.filter((record) => record.address.project === address.project);
        expect(own.map(({ note }) => note.detail['version'])).toEqual(
          Array.from({ length: 12 }, (_, n) => n + 1),
        );
      }
    });

    it('tells when changes after the position have been forgotten, oldest first, and goes on after them', async () => {
      const address = bench.address();
      const start = await end();
      for (let serial = 1n; serial <= 5n; serial += 1n) await give(writeOf(address, serial));
      const at = (await bench.engine().now()) + 1;
      const note = { action: 'prune-audit', subject: 'house:node', door: 'house', detail: {} };
      const prune = async (before: number, limit: number): Promise<number> => {
        const [result] = await bench.engine().apply([{ type: 'prune-audit', before, limit, note }]);
        return result?.outcome.type === 'audit-pruned' ? result.outcome.records : -1;
      };
      const kept = (): Promise<readonly AuditRecord[]> => bench.engine().audit({ limit: 1_000_000 });
      const before = await kept();
      expect(await prune(0, 10)).toBe(0);
      expect((await bench.engine().changes(start, 10)).pruned).toBeUndefined();
      expect(await kept()).toEqual(before);
      expect(await prune(at, 2)).toBe(2);
      expect((await kept()).slice(1)).toEqual(before.slice(0, -2));
      expect(await prune(at, before.length)).toBe(before.length - 2);
      expect((await kept()).map((record) => record.note)).toEqual([note, note]);
      const page = await bench.engine().changes(start, 10);
      expect(page.pruned).toBe(true);
      expect((await bench.engine().changes(page.position, 10)).pruned).toBeUndefined();
      await give(writeOf(address, 6n));
      const { records } = await follow(page.position, 10);
      expect(records.map((record) => record.note.detail['version'])).toEqual([6]);
      await bench.reopen();
      expect((await bench.engine().changes(0, 10)).pruned).toBe(true);
      expect((await bench.engine().changes(page.position, 10)).records).toEqual(records);
    });

    it('is the same after a reopening', async () => {
      const before = await end();
      const address = bench.address();
      await give(writeOf(address, 1n));
      await give(writeOf(address, 2n));
      const told = await follow(before, 100);
      await bench.reopen();
      expect(await follow(before, 100)).toEqual(told);
      expect(await end()).toBe(told.position);
    });
  });
}
