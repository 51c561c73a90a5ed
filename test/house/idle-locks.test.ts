import { describe, expect, it } from 'vitest';
import type { LockAnswer } from '../../src/house/locks/locks.ts';
import { ADDRESS, BuiltHouse, callerOf } from './fixtures/built-house.ts';

const ALICE = callerOf('alice');

function ask({ house }: BuiltHouse, lockId: string): Promise<LockAnswer> {
  return house.locks.lock(ALICE, ADDRESS, {
    lockId,
    operation: 'OperationTypeApply',
    info: Buffer.from('{}'),
    tellsHoldersApart: true,
    alias: 'http',
    wait: null,
    gone: null,
  });
}

describe('the time that a lock is free in vain', () => {
  it('is what passes from its release until somebody who was refused before has it', async () => {
    await using built = await BuiltHouse.build('memory');
    const { house, clock } = built;
    await ask(built, 'a');
    await ask(built, 'b');
    clock.advance(10_000);
    await house.locks.unlock(ALICE, ADDRESS, { lockId: 'a', alias: null });
    clock.advance(3_000);
    expect(await ask(built, 'b')).toMatchObject({ type: 'granted' });
    expect(house.lockIdle).toBe(3_000);
  });

  it('is none where nobody waited', async () => {
    await using built = await BuiltHouse.build('memory');
    const { house, clock } = built;
    await ask(built, 'a');
    await house.locks.unlock(ALICE, ADDRESS, { lockId: 'a', alias: null });
    clock.advance(60_000);
    expect(await ask(built, 'b')).toMatchObject({ type: 'granted' });
    expect(house.lockIdle).toBe(0);
  });
});
