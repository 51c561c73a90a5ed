import { describe, expect, it } from 'vitest';
import { OPERATION_EXEC_CLAIMED } from '../core/lock-info.ts';
import type { Version } from '../core/world.ts';
import { ALICE, BOB, bodyOf, bytes, deleteOf, lockOf, unlockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

/** Writes, their rules, bodies and history. */
export function stateContract(bench: Bench): void {
  const { give, clock } = bench;

  async function bodyText(bodyId: string): Promise<string[] | null> {
    const body = await bench.engine().body(bodyId);
    if (body === null) return null;
    const segments: string[] = [];
    for await (const segment of body.segments()) segments.push(Buffer.from(segment).toString());
    return segments;
  }

  describe('a write', () => {
    it('keeps every field of the version', async () => {
      const address = bench.address('ä/🏠/"quoted\'; DROP TABLE version;--.tfstate');
      await give(lockOf(address, 'lock-1'));
      const serial = 2n ** 64n - 1n;
      const command = writeOf(address, serial, {
        claim: { kind: 'named', lockId: 'lock-1' },
        lineage: 'c2a8…',
        terraformVersion: '',
        encrypted: true,
        size: 536_870_912,
      });
      const outcome = await give(command);
      const expected: Version = {
        number: 1,
        serial,
        lineage: 'c2a8…',
        terraformVersion: '',
        encrypted: true,
        size: 536_870_912,
        sha256: command.sha256,
        md5: command.md5,
        bodyId: command.body.id,
        at: clock.now(),
        subject: 'token:alice',
        door: 'http',
        lockId: 'lock-1',
        fence: 1,
        operation: 'OperationTypeApply',
        forced: false,
        restoredFrom: null,
      };
      expect(outcome).toEqual({ type: 'stored', version: expected, repeat: false });
      expect((await bench.engine().world(address)).record.head).toEqual(expected);
      expect(await bench.engine().version(address, 1)).toEqual(expected);
      expect(await bench.engine().version(address, null)).toEqual(expected);
    });

    it('that is sent again makes no second version', async () => {
      const address = bench.address();
      await give(writeOf(address, 1n));
      expect(await give(writeOf(address, 1n))).toMatchObject({ type: 'stored', repeat: true });
      expect(await bench.engine().versions(address, { limit: 10 })).toHaveLength(1);
    });

    it('that is stale is refused, whatever way it is stale', async () => {
      const address = bench.address();
      await give(writeOf(address, 5n));
      expect(await give(writeOf(address, 4n))).toMatchObject({ type: 'stale', reason: 'serial-lower' });
      expect(await give(writeOf(address, 5n, { text: 'other' }))).toMatchObject({ reason: 'serial-equal' });
      expect(await give(writeOf(address, 6n, { lineage: 'other' }))).toMatchObject({ reason: 'lineage' });
      const expecting = writeOf(address, 6n, { expects: { sha256: 'another' } });
      expect(await give(expecting)).toMatchObject({ reason: 'changed-meanwhile' });
      expect(await give(writeOf(address, 2n ** 63n))).toMatchObject({ type: 'stored' });
      expect(await give(writeOf(address, 2n ** 63n - 1n))).toMatchObject({ reason: 'serial-lower' });
    });

    it('that a lock was lent to is let in while the lock is held, and refused from then on', async () => {
      const address = bench.address();
      await give(lockOf(address, 'exec', { operation: OPERATION_EXEC_CLAIMED }));
      const actor = { ...ALICE, lent: 'exec' };
      expect(await give(writeOf(address, 1n))).toMatchObject({ type: 'held' });
      expect(await give(writeOf(address, 1n, { actor: { ...BOB, lent: 'exec' } }))).toMatchObject({
        type: 'held',
      });
      expect(await give(writeOf(address, 1n, { actor }))).toMatchObject({
        type: 'stored',
        version: { lockId: 'exec' },
      });
      await give(unlockOf(address, null, { actor: BOB, mayBreak: true }));
      expect(await give(writeOf(address, 2n, { actor }))).toMatchObject({ type: 'fenced', lockId: 'exec' });
      expect(await give(deleteOf(address, { actor }))).toMatchObject({ type: 'fenced', lockId: 'exec' });
      expect(await give(writeOf(bench.address(), 2n, { actor }))).toMatchObject({ type: 'stored' });
    });

    it('of one who lost the lock is refused', async () => {
      const address = bench.address();
      await give(lockOf(address, 'zombie'));
      await give(unlockOf(address, null, { actor: BOB, mayBreak: true }));
      const late = writeOf(address, 9n, { claim: { kind: 'named', lockId: 'zombie' } });
      expect(await give(late)).toMatchObject({ type: 'fenced', lockId: 'zombie' });
      await give(lockOf(address, 'now', { actor: BOB }));
      expect(await give(late)).toMatchObject({ type: 'fenced', holders: [{ lockId: 'now' }] });
      expect(await give(writeOf(address, 9n))).toMatchObject({ type: 'held' });
      expect((await bench.engine().world(address)).record.head).toBeNull();
    });

    it('wins alone among many of the same serial', async () => {
      const address = bench.address();
      const writes = Array.from({ length: 30 }, (_, index) => writeOf(address, 1n, { text: `${index}` }));
      const outcomes = await Promise.all(writes.map(give));
      expect(outcomes.filter(({ type }) => type === 'stored')).toHaveLength(1);
      expect(outcomes.filter(({ type }) => type === 'stale')).toHaveLength(29);
    });

    it('given with others at once is decided after the ones before it', async () => {
      const address = bench.address();
      const results = await bench
        .engine()
        .apply([
          writeOf(address, 1n),
          writeOf(address, 2n),
          writeOf(address, 2n, { text: 'other' }),
          lockOf(address, 'a'),
          writeOf(address, 3n),
          unlockOf(address, 'a'),
          writeOf(address, 3n),
        ]);
      expect(results.map(({ outcome }) => outcome.type)).toEqual([
        'stored',
        'stored',
        'stale',
        'granted',
        'held',
        'released',
        'stored',
      ]);
      expect(await bench.engine().apply([])).toEqual([]);
    });
  });

  describe('a body', () => {
    it('comes back as it was given, in as many segments', async () => {
      const address = bench.address();
      const large = new Uint8Array(300_000).map((_, index) => index * 7);
      const expected = Buffer.from(large);
      const pooled = Buffer.from('taken out of a shared pool').subarray(6, 12);
      for (const [index, segments] of [[], [bytes('one')], [bytes('1'), large, pooled]].entries()) {
        const body = bodyOf(segments, 'k7');
        const lengths = segments.map(({ length }) => length);
        await give(writeOf(address, BigInt(index + 1), { body }));
        const stored = await bench.engine().body(body.id);
        expect(stored).toMatchObject({ id: body.id, keyId: 'k7' });
        expect(Buffer.from(stored?.wrappedKey ?? []).toString()).toBe('k7-wrapped');
        const back: Uint8Array[] = [];
        for await (const segment of stored?.segments() ?? []) back.push(segment);
        expect(back.map(({ length }) => length)).toEqual(lengths);
        if (lengths.length === 3) expect(Buffer.from(back[1] ?? []).equals(expected)).toBe(true);
        if (lengths.length === 3) expect(Buffer.from(back[2] ?? []).toString()).toBe('out of');
      }
    });

    it('that nobody wrote is absent, also when its write was refused', async () => {
      const address = bench.address();
      await give(writeOf(address, 2n));
      const refused = writeOf(address, 1n);
      await give(refused);
      expect(await bench.engine().body(refused.body.id)).toBeNull();
      expect(await bench.engine().body('no such body')).toBeNull();
    });

    it('that is removed while it is read ends whole or with a fault, never short', async () => {
      const address = bench.address();
      const segments = Array.from({ length: 40 }, (_, index) => bytes(`segment ${index}`));
      const command = writeOf(address, 1n, { body: bodyOf(segments) });
      await give(command);
      await give(writeOf(address, 2n));
      const stored = await bench.engine().body(command.body.id);
      const read = async (): Promise<number> => {
        let count = 0;
        for await (const segment of stored?.segments() ?? []) {
          if (count === 0)
            await give({ type: 'prune', address, actor: BOB, versions: [{ number: 1, at: 0 }] });
          count += segment.length > 0 ? 1 : 0;
        }
        return count;
      };
      const outcome = await read().catch((error: unknown) => error);
      expect(outcome === 40 || outcome instanceof Error).toBe(true);
    });
  });

  describe('history', () => {
    it('is read newest first, a page at a time', async () => {
      const address = bench.address();
      for (let serial = 1n; serial <= 5n; serial += 1n) await give(writeOf(address, serial));
      const numbers = async (query: { before?: number; limit: number }): Promise<number[]> =>
        (await bench.engine().versions(address, query)).map(({ number }) => number);
      expect(await numbers({ limit: 2 })).toEqual([5, 4]);
      expect(await numbers({ limit: 2, before: 4 })).toEqual([3, 2]);
      expect(await numbers({ limit: 9, before: 1 })).toEqual([]);
      expect(await bench.engine().versions(bench.address(), { limit: 9 })).toEqual([]);
      expect(await bench.engine().version(address, 6)).toBeNull();
      expect(await bench.engine().version(address, null)).toMatchObject({ number: 5 });
      expect(await bench.engine().version(bench.address(), null)).toBeNull();
    });

    it('rolls forward: a restore is a new version', async () => {
      const address = bench.address();
      await give(writeOf(address, 7n));
      await give(writeOf(address, 8n, { text: 'bad' }));
      const restore = { from: 1, newest: 2 };
      expect(await give(writeOf(address, 9n, { restore }))).toMatchObject({
        version: { number: 3, restoredFrom: 1 },
      });
      expect(await give(writeOf(address, 10n, { restore }))).toMatchObject({ reason: 'changed-meanwhile' });
    });

    it('is pruned, but for the newest version, and the bodies go with it', async () => {
      const address = bench.address();
      const writes = [1n, 2n, 3n].map((serial) => writeOf(address, serial));
      const ids = writes.map(({ body }) => body.id);
      for (const command of writes) await give(command);
      const outcome = await give({
        type: 'prune',
        address,
        actor: ALICE_PRUNES,
        versions: [
          { number: 1, at: 0 },
          { number: 3, at: 0 },
        ],
      });
      expect(outcome).toEqual({ type: 'pruned', versions: [1] });
      expect(await Promise.all(ids.map(bodyText))).toEqual([null, ['sealed'], ['sealed']]);
      expect(await bench.engine().version(address, 1)).toBeNull();
      expect(await bench.engine().versions(address, { limit: 9 })).toMatchObject([
        { number: 3 },
        { number: 2 },
      ]);
    });

    it('that is retained is not let go before its time, and what keeps it is kept with it', async () => {
      const address = bench.address();
      const floor = { mode: 'compliance', days: 1 } as const;
      await give(writeOf(address, 1n, { floor }));
      await give(writeOf(address, 2n));
      const at = clock.now();
      const first = { number: 1, at };
      const prune = { type: 'prune', address, actor: BOB, versions: [first], bypass: true } as const;
      const until = at + 86_400_000;
      const retention = { mode: 'compliance', until };
      expect(await give(prune)).toEqual({ type: 'retained', version: 1, retention, legalHold: false });
      await give(deleteOf(address));
      const purge = { type: 'purge', address, actor: BOB, bypass: true } as const;
      expect(await give(purge)).toMatchObject({ type: 'retained', version: null, retention });
      const hold = { kind: 'legal-hold', on: true } as const;
      const about = { address, actor: BOB, version: { number: 2, at } };
      expect(await give({ type: 'retain', change: hold, ...about })).toEqual({ type: 'retention-set' });
      clock.advance(until - clock.now());
      expect(await give(prune)).toMatchObject({ type: 'pruned' });
      expect(await give(purge)).toMatchObject({ type: 'retained', retention: null, legalHold: true });
      expect((await bench.engine().world(address)).record.retained?.own).toEqual([
        { number: 2, legalHold: true },
      ]);
      await give({ type: 'retain', change: { ...hold, on: false }, ...about });
      expect(await give(purge)).toEqual({ type: 'purged' });
      expect((await bench.engine().world(address)).record.retained).toBeNull();
    });

    it('outlives a delete, comes back with an undelete, and goes with a purge', async () => {
      const address = bench.address();
      const first = writeOf(address, 1n);
      await give(first);
      expect(await give({ type: 'purge', address, actor: BOB })).toMatchObject({ type: 'exists' });
      expect(await give(deleteOf(address))).toMatchObject({ type: 'deleted', repeat: false });
      expect(await give(deleteOf(address))).toMatchObject({ type: 'deleted', repeat: true });
      expect((await bench.engine().world(address)).record.deletedAt).toBe(clock.now());
      expect(await give({ type: 'undelete', address, actor: BOB })).toMatchObject({ type: 'undeleted' });
      expect(await give({ type: 'undelete', address, actor: BOB })).toMatchObject({ type: 'exists' });
      await give(deleteOf(address));
      expect(await give({ type: 'purge', address, actor: BOB })).toMatchObject({ type: 'purged' });
      expect(await bench.engine().versions(address, { limit: 9 })).toEqual([]);
      expect(await bodyText(first.body.id)).toBeNull();
      expect(await give({ type: 'purge', address, actor: BOB })).toEqual({ type: 'absent' });
      expect(await give(writeOf(address, 1n))).toMatchObject({ version: { number: 2 } });
    });
  });
}

const ALICE_PRUNES = { subject: 'house', door: 'retention' };
