import { describe, expect, it } from 'vitest';
import type { Address } from '../core/address.ts';
import type { LeaveCommand } from '../core/command.ts';
import type { Outcome } from '../core/outcome.ts';
import { ALICE, BOB, bytes, lockOf, unlockOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

const PLAN = { operation: 'OperationTypePlan', shared: true };

/** The lock, the line, and handing over. */
export function lockContract(bench: Bench): void {
  const { give, result, clock } = bench;

  /** Asks twice: the second ask shows that the waiter waits, so it is parked. */
  async function park(address: Address, lockId: string, more: object = {}): Promise<Outcome> {
    await give(lockOf(address, lockId, { actor: BOB, seat: `n1:${lockId}`, ...more }));
    return await give(lockOf(address, lockId, { actor: BOB, seat: `n1:${lockId}`, ...more }));
  }

  describe('the lock', () => {
    it('has one holder, and tells who it is', async () => {
      const address = bench.address();
      const info = bytes('k{"ID":"a"}');
      expect(await give(lockOf(address, 'a', { info }))).toMatchObject({ type: 'granted', again: false });
      const refused = await give(lockOf(address, 'b', { actor: BOB }));
      expect(refused).toMatchObject({ type: 'held', position: null, waiting: 0, parkFor: null });
      const { holders } = await bench.engine().world(address);
      expect(holders).toHaveLength(1);
      expect(holders[0]).toMatchObject({ lockId: 'a', subject: 'token:alice', fence: 1, since: clock.now() });
      expect(Buffer.from(holders[0]?.info ?? [])).toEqual(Buffer.from(info));
    });

    it('says yes again to the holder who asks again, and no to the same ID of somebody else', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a'));
      expect(await give(lockOf(address, 'a'))).toMatchObject({
        type: 'granted',
        again: true,
        holder: { fence: 1 },
      });
      expect(await give(lockOf(address, 'a', { actor: BOB }))).toMatchObject({ type: 'held' });
    });

    it('is released once, however often that is asked, and the fence grows with every grant', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a'));
      expect(await give(unlockOf(address, 'a'))).toMatchObject({ type: 'released', broken: false });
      expect(await give(unlockOf(address, 'a'))).toMatchObject({ type: 'released', broken: false });
      expect(await give(unlockOf(address, 'z'))).toEqual({ type: 'not-locked' });
      expect(await give(lockOf(address, 'b'))).toMatchObject({ type: 'granted', holder: { fence: 2 } });
      expect(await give(unlockOf(address, 'c'))).toMatchObject({ type: 'not-holder' });
    });

    it('is broken by an operator alone', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a'));
      expect(await give(unlockOf(address, 'a', { actor: BOB }))).toMatchObject({ type: 'may-not-break' });
      const broken = await give(unlockOf(address, null, { actor: BOB, mayBreak: true }));
      expect(broken).toMatchObject({ type: 'released', broken: true, lockIds: ['a'] });
      expect((await bench.engine().world(address)).holders).toEqual([]);
    });

    it('is released when the last of its aliases is', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a', { alias: 's3-lock-file' }));
      await give(lockOf(address, 'a', { alias: 'dynamodb-item' }));
      await give(unlockOf(address, 'a', { alias: 's3-lock-file' }));
      expect((await bench.engine().world(address)).holders).toMatchObject([{ aliases: ['dynamodb-item'] }]);
      await give(unlockOf(address, 'a', { alias: 'dynamodb-item' }));
      expect((await bench.engine().world(address)).holders).toEqual([]);
    });

    it('is not granted a second time to a lock ID that has released it, also after a reopening', async () => {
      const address = bench.address();
      const plans = Array.from({ length: 40 }, (_, number) => `plan-${number}`);
      for (const id of plans) await give(lockOf(address, id, PLAN));
      for (const id of plans) expect(await give(unlockOf(address, id))).toMatchObject({ type: 'released' });
      for (const id of plans) expect(await give(unlockOf(address, id))).toMatchObject({ type: 'released' });
      await bench.reopen();
      for (const id of plans) {
        expect(await give(lockOf(address, id, PLAN))).toMatchObject({ type: 'released-before', lockId: id });
        expect(await give(unlockOf(address, id))).toMatchObject({ type: 'released', broken: false });
      }
      expect((await bench.engine().world(address)).holders).toEqual([]);
    });

    it('knows releases made by the same call, of any lock ID', async () => {
      const address = bench.address();
      const odd = 'back\\slash';
      const results = await bench
        .engine()
        .apply([lockOf(address, odd), unlockOf(address, odd), lockOf(address, odd), unlockOf(address, odd)]);
      expect(results.map(({ outcome }) => outcome.type)).toEqual([
        'granted',
        'released',
        'released-before',
        'released',
      ]);
    });

    it('remembers as many releases as a break-in may repeat, and forgets old ones', async () => {
      const address = bench.address();
      const OPERATOR = { actor: BOB, mayBreak: true };
      for (let round = 0; round < 70; round += 1) {
        await bench.engine().apply([lockOf(address, `run-${round}`), unlockOf(address, `run-${round}`)]);
      }
      bench.clock.advance(3_600_001);
      expect(await give(lockOf(address, 'run-69'))).toMatchObject({ type: 'granted' });
      await give(unlockOf(address, 'run-69'));
      await give(lockOf(address, 'one', PLAN));
      await give(lockOf(address, 'two', PLAN));
      const broken = { type: 'released', broken: true, lockIds: ['one', 'two'] };
      expect(await give(unlockOf(address, null, OPERATOR))).toEqual(broken);
      expect(await give(unlockOf(address, null, OPERATOR))).toEqual(broken);
    });

    it('is not taken back by the loss of one of several answers', async () => {
      const address = bench.address();
      const leave = (seat: string): LeaveCommand => ({
        type: 'leave',
        address,
        actor: ALICE,
        waiter: 'a',
        seat,
      });
      await give(lockOf(address, 'a', { seat: 'n1:1' }));
      await give(lockOf(address, 'a', { seat: 'n2:1' }));
      await bench.reopen();
      expect(await result(leave('n2:1'))).toMatchObject({ outcome: { type: 'gone' } });
      expect((await bench.engine().world(address)).holders).toMatchObject([
        { lockId: 'a', answers: [{ seat: 'n1:1', alias: 'http' }] },
      ]);
      expect(await result(leave('n1:1'))).toMatchObject({ outcome: { type: 'released' } });
    });

    it('is never granted to an expired credential', async () => {
      const actor = { ...ALICE, expiry: { at: 0, graceUntil: Infinity } };
      expect(await give(lockOf(bench.address(), 'a', { actor }))).toEqual({ type: 'expired' });
    });

    it('goes to one of many who ask at the same time', async () => {
      const address = bench.address();
      const asks = Array.from({ length: 50 }, (_, index) => give(lockOf(address, `many-${index}`)));
      const outcomes = await Promise.all(asks);
      expect(outcomes.filter(({ type }) => type === 'granted')).toHaveLength(1);
      expect((await bench.engine().world(address)).line).toHaveLength(49);
    });

    it('is never held by two while many take and release it, and every fence is given once', async () => {
      const address = bench.address();
      const fences: number[] = [];
      let inside = 0;
      let most = 0;
      const worker = async (name: string): Promise<void> => {
        for (let round = 0; round < 8; round += 1) {
          const lockId = `${name}-${round}`;
          let outcome = await give(lockOf(address, lockId));
          while (outcome.type !== 'granted') outcome = await give(lockOf(address, lockId));
          inside += 1;
          most = Math.max(most, inside);
          fences.push(outcome.holder.fence);
          inside -= 1;
          await give(unlockOf(address, lockId));
        }
      };
      await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(worker));
      expect(most).toBe(1);
      expect(fences).toEqual(fences.map((_, index) => index + 1));
    });

    it('is shared by plans, and an apply that is parked lets no later plan pass', async () => {
      const address = bench.address();
      expect(await give(lockOf(address, 'p1', PLAN))).toMatchObject({ type: 'granted' });
      expect(await give(lockOf(address, 'p2', { ...PLAN, actor: BOB }))).toMatchObject({ type: 'granted' });
      expect(await park(address, 'apply')).toMatchObject({ type: 'held', parkFor: 2_000 });
      expect(await give(lockOf(address, 'p3', PLAN))).toMatchObject({ type: 'held', waiting: 1 });
      expect((await result(unlockOf(address, 'p1'))).handovers).toEqual([]);
      const last = await result(unlockOf(address, 'p2', { actor: BOB }));
      expect(last.handovers).toMatchObject([{ waiter: 'apply', seat: 'n1:apply' }]);
    });
  });

  describe('the line', () => {
    it('parks who comes back, and hands over in the order of first asking', async () => {
      const address = bench.address();
      await give(lockOf(address, 'holder'));
      await give(lockOf(address, 'first', { actor: BOB, seat: 'n1:1' }));
      await give(lockOf(address, 'second', { seat: 'n2:7' }));
      const second = await give(lockOf(address, 'second', { seat: 'n2:8' }));
      expect(second).toMatchObject({ type: 'held', position: 1, parkFor: 2_000 });
      await give(lockOf(address, 'first', { actor: BOB, seat: 'n1:2' }));
      const { line } = await bench.engine().world(address);
      expect(line.map(({ waiter, seat, asks }) => [waiter, seat, asks])).toEqual([
        ['first', 'n1:2', 2],
        ['second', 'n2:8', 2],
      ]);
      const { outcome, handovers } = await result(unlockOf(address, 'holder'));
      expect(outcome).toMatchObject({ type: 'released' });
      expect(handovers).toMatchObject([
        { waiter: 'first', seat: 'n1:2', holder: { fence: 2, accepted: false } },
      ]);
      expect((await bench.engine().world(address)).holders).toMatchObject([{ lockId: 'first' }]);
    });

    it('keeps the place of a waiter that sleeps, and gives it up in the end', async () => {
      const address = bench.address();
      await give(lockOf(address, 'holder'));
      await give(lockOf(address, 'sleeper'));
      expect((await result(unlockOf(address, 'holder'))).handovers).toEqual([]);
      await give(lockOf(address, 'next'));
      expect(await give(lockOf(address, 'sleeper'))).toMatchObject({ type: 'held', position: 1 });
      clock.advance(120_000);
      expect(await give(lockOf(address, 'other'))).toMatchObject({ position: null, waiting: 0 });
    });

    it('keeps a free lock for the first in line, who sleeps and is due back, and tells who that is', async () => {
      const address = bench.address();
      await give(lockOf(address, 'before'));
      clock.advance(20_000);
      await give(unlockOf(address, 'before'));
      await give(lockOf(address, 'holder'));
      for (const seat of ['n1:1', 'n1:2']) await give(lockOf(address, 'sleeper', { seat }));
      const sleeps = { type: 'park-over', address, actor: ALICE, waiter: 'sleeper', seat: 'n1:2' } as const;
      await give({ ...sleeps, closing: true });
      await park(address, 'next');
      expect((await result(unlockOf(address, 'holder'))).handovers).toEqual([]);
      expect(await bench.engine().world(address)).toMatchObject({
        holders: [],
        record: { keptFor: 'sleeper', freeAt: clock.now() + 3_000 },
      });
      expect(await give(lockOf(address, 'other'))).toMatchObject({
        type: 'held',
        holders: [{ lockId: 'sleeper' }],
      });
      expect(await give(lockOf(address, 'sleeper'))).toMatchObject({ type: 'granted' });
      expect((await bench.engine().world(address)).record).toMatchObject({ keptFor: null, freeAt: null });
    });

    it('notes of a lock that is handed over where its waiter had asked from', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a'));
      const origin = { peer: '10.0.0.7', requestId: 'of-bob', userAgent: '\u0000 \ud83d' };
      await park(address, 'b', { actor: { ...BOB, origin } });
      await give(unlockOf(address, 'a'));
      const [handed] = await bench.engine().audit({ address, action: 'lock', limit: 1 });
      expect(handed?.note).toMatchObject({ detail: { lock: 'b', handedOver: true }, origin });
    });

    it('sends a parked waiter away when its time is over', async () => {
      const address = bench.address();
      await give(lockOf(address, 'holder'));
      await park(address, 'w');
      clock.advance(2_000);
      const parkOver = {
        type: 'park-over',
        address,
        actor: BOB,
        waiter: 'w',
        seat: 'n1:w',
        closing: true,
      } as const;
      expect(await give(parkOver)).toMatchObject({ type: 'held', position: 1, parkFor: null });
      expect(await give(parkOver)).toEqual({ type: 'gone' });
    });

    it('loses who leaves, and takes back a grant that was never heard of', async () => {
      const address = bench.address();
      await give(lockOf(address, 'holder'));
      await park(address, 'w1');
      await park(address, 'w2');
      await park(address, 'w3');
      const leave = (waiter: string) =>
        result({ type: 'leave', address, actor: BOB, waiter, seat: `n1:${waiter}` });
      expect((await leave('w1')).outcome).toEqual({ type: 'left' });
      expect((await leave('w1')).outcome).toEqual({ type: 'gone' });
      await give(unlockOf(address, 'holder'));
      const takenBack = await leave('w2');
      expect(takenBack.handovers).toMatchObject([{ waiter: 'w3' }]);
      const accept = { type: 'accept', address, actor: BOB, waiter: 'w3', seat: 'n1:w3' } as const;
      expect(await give(accept)).toMatchObject({ type: 'granted', holder: { accepted: true, fence: 3 } });
      expect((await bench.engine().world(address)).line).toEqual([]);
    });

    it('parks from the first ask on where that is wished', async () => {
      const address = bench.address();
      await give(lockOf(address, 'holder'));
      const waiting = lockOf(address, 'w', { seat: 'n1:1', wait: 60_000 });
      expect(await give(waiting)).toMatchObject({ type: 'held', parkFor: 60_000 });
    });

    it('is found by its seats, those of a node and those of the others', async () => {
      const address = bench.address();
      await give(lockOf(address, 'holder'));
      await park(address, 'w1', { seat: 'seat-a:1' });
      await park(address, 'w2', { seat: 'seat-b:1' });
      await give(lockOf(address, 'asleep', { seat: 'seat-a:9' }));
      await give(unlockOf(address, 'holder'));
      const seatsHere = async (query: { node: string } | { notNode: string }): Promise<unknown[]> =>
        (await bench.engine().seats(query))
          .filter((seat) => seat.address.project === address.project)
          .map(({ waiter, seat, granted }) => [waiter, seat, granted]);
      expect(await seatsHere({ node: 'seat-a' })).toEqual([['w1', 'seat-a:1', true]]);
      expect(await seatsHere({ node: 'seat' })).toEqual([]);
      expect(await seatsHere({ notNode: 'seat-a' })).toEqual([['w2', 'seat-b:1', false]]);
      await give({ type: 'accept', address, actor: BOB, waiter: 'w1', seat: 'seat-a:1' });
      expect(await seatsHere({ node: 'seat-a' })).toEqual([]);
    });
  });
}
