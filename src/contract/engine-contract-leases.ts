import { describe, expect, it } from 'vitest';
import type { Address } from '../core/address.ts';
import type { Outcome } from '../core/outcome.ts';
import { ALICE, BOB, bytes, lockOf, unlockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

const LEASE = 60_000;
const DELAY = 15_000;

/** Holds that end by themselves, and lock infos that come after the grant. */
export function leaseContract(bench: Bench): void {
  const { give, clock } = bench;
  const renew = (address: Address, lockId: string, actor = ALICE): Promise<Outcome> =>
    give({ type: 'renew', address, actor, lockId, lease: LEASE });
  const expire = (address: Address): Promise<Outcome> => give({ type: 'expire', address, actor: BOB });

  describe('a hold with an end', () => {
    it('is over at its end, also after a reopening, and what its holder writes then is refused', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a', { lease: LEASE }));
      clock.advance(LEASE - 1);
      await bench.reopen();
      expect((await bench.engine().world(address)).holders).toMatchObject([{ until: clock.now() + 1 }]);
      expect(await give(lockOf(address, 'b', { actor: BOB }))).toMatchObject({ type: 'held' });
      clock.advance(1);
      const late = writeOf(address, 1n, { claim: { kind: 'named', lockId: 'a' } });
      expect(await give(late)).toMatchObject({ type: 'fenced', holders: [] });
      expect(await give(lockOf(address, 'b', { actor: BOB }))).toMatchObject({ type: 'granted' });
      expect(await renew(address, 'a')).toMatchObject({ type: 'not-holder' });
    });

    it('lasts for as long as it is renewed by its holder, and by nobody else', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a', { lease: LEASE }));
      clock.advance(LEASE / 2);
      expect(await renew(address, 'a')).toMatchObject({
        type: 'renewed',
        holder: { until: clock.now() + LEASE },
      });
      expect(await renew(address, 'a', BOB)).toMatchObject({ type: 'not-holder' });
      clock.advance(LEASE / 2);
      expect(await give(lockOf(address, 'b', { actor: BOB }))).toMatchObject({ type: 'held' });
      await give(unlockOf(address, 'a'));
      expect(await renew(address, 'a')).toMatchObject({ type: 'not-locked' });
    });

    it('gets another ID from its holder, once, and has the same fence and end', async () => {
      const address = bench.address();
      const info = bytes('k-told');
      await give(lockOf(address, 'a', { lease: LEASE, info }));
      const [before] = (await bench.engine().world(address)).holders;
      const rename = (lockId: string, newId: string, actor = ALICE): Promise<Outcome> =>
        give({ type: 'renew', address, actor, lockId, lease: LEASE, newId });
      expect(await rename('a', 'b', BOB)).toMatchObject({ type: 'not-holder' });
      expect(await rename('a', 'b')).toMatchObject({ type: 'renewed', holder: { lockId: 'b' } });
      await bench.reopen();
      expect((await bench.engine().world(address)).holders).toEqual([
        { ...before, lockId: 'b', operation: '', info: null },
      ]);
      // Neither ID is that of another hold afterwards.
      expect(await rename('b', 'a')).toMatchObject({ type: 'not-holder' });
      expect(await give(unlockOf(address, 'a'))).not.toMatchObject({ type: 'not-locked' });
      const old = writeOf(address, 1n, { claim: { kind: 'named', lockId: 'a' } });
      expect(await give(old)).toMatchObject({ type: 'fenced' });
      const own = writeOf(address, 1n, { claim: { kind: 'named', lockId: 'b' } });
      expect(await give(own)).toMatchObject({ type: 'stored' });
      expect(await give(unlockOf(address, 'b'))).toMatchObject({ type: 'released' });
    });

    it('is told among those that have come to their end, until somebody sees to it', async () => {
      const [soon, delayed, endless] = [bench.address(), bench.address(), bench.address()];
      await give(lockOf(soon, 'a', { lease: LEASE }));
      await give(lockOf(delayed, 'a', { lease: LEASE, delay: DELAY }));
      await give(lockOf(endless, 'a'));
      const told = async (): Promise<readonly string[]> =>
        (await bench.engine().ending(1_000)).map(({ project }) => project);
      expect(await told()).not.toContain(soon.project);
      clock.advance(LEASE);
      expect(await told()).toEqual(expect.arrayContaining([soon.project, delayed.project]));
      expect(await told()).not.toContain(endless.project);
      expect(await expire(soon)).toEqual({ type: 'ended' });
      await expire(delayed);
      expect(await told()).not.toContain(soon.project);
      expect(await told()).not.toContain(delayed.project);
      clock.advance(DELAY);
      expect(await told()).toContain(delayed.project);
      await expire(delayed);
      expect(await told()).not.toContain(delayed.project);
    });

    it('is handed on at its end to who waits, but not before its delay is over', async () => {
      const address = bench.address();
      await give(lockOf(address, 'a', { lease: LEASE, delay: DELAY }));
      const waiting = lockOf(address, 'b', { actor: BOB, seat: 'n1:b', wait: 10 * LEASE });
      expect(await give(waiting)).toMatchObject({ type: 'held', parkFor: 10 * LEASE });
      clock.advance(LEASE);
      expect(await bench.result({ type: 'expire', address, actor: ALICE })).toMatchObject({ handovers: [] });
      expect(await give(lockOf(address, 'c'))).toMatchObject({ type: 'held', holders: [] });
      clock.advance(DELAY);
      const { handovers } = await bench.result({ type: 'expire', address, actor: ALICE });
      expect(handovers).toMatchObject([{ seat: 'n1:b', holder: { lockId: 'b', until: null } }]);
    });
  });

  describe('a lock whose info comes later', () => {
    it('is held without one, and shows it once its holder has told it', async () => {
      const address = bench.address();
      const info = bytes('k-told');
      await give(lockOf(address, 'a', { info: null, operation: '' }));
      await give(lockOf(address, 'w', { actor: BOB, info: null }));
      await bench.reopen();
      const before = await bench.engine().world(address);
      expect([before.holders[0]?.info, before.line[0]?.info]).toEqual([null, null]);
      expect(await bench.engine().sealedUnderOther('none', 1_000)).not.toContainEqual(
        expect.objectContaining({ address }),
      );
      const describe = {
        type: 'describe',
        address,
        lockId: 'a',
        operation: 'OperationTypeApply',
        info,
      } as const;
      expect(await give({ ...describe, actor: BOB })).toMatchObject({ type: 'not-holder' });
      expect(await give({ ...describe, actor: ALICE })).toMatchObject({ type: 'described' });
      const [holder] = (await bench.engine().world(address)).holders;
      expect(holder).toMatchObject({ operation: 'OperationTypeApply' });
      expect(Buffer.from(holder?.info ?? [])).toEqual(Buffer.from(info));
    });
  });

  describe('the change index', () => {
    it('grows with every change of the state and of who holds its lock, and with nothing else', async () => {
      const address = bench.address();
      const index = async (): Promise<number> => (await bench.engine().world(address)).record.changeIndex;
      const seen: number[] = [];
      const after = async (step: Promise<Outcome>): Promise<void> => {
        await step;
        seen.push(await index());
      };
      await after(give(lockOf(address, 'a')));
      await after(give(lockOf(address, 'b', { actor: BOB })));
      await after(give(writeOf(address, 1n, { claim: { kind: 'named', lockId: 'a' } })));
      await after(give(lockOf(address, 'a')));
      await after(give(unlockOf(address, 'a')));
      await after(give(unlockOf(address, 'a')));
      expect(seen).toEqual([1, 1, 2, 2, 3, 3]);
    });
  });
}
