import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/house/caller.ts';
import type { LockAnswer } from '../../src/house/locks/locks.ts';
import { explain, type Refusal } from '../../src/protocols/explain.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, settled } from './fixtures/built-house.ts';

const HOUR = 3_600_000;
const ALICE = callerOf('alice');
const OPERATOR = callerOf('oscar', 'operator');
const PATTERN = 'acme/net/*';

function ask(
  { house }: BuiltHouse,
  lockId: string,
  operation = 'OperationTypeApply',
  more: { readonly wait?: number; readonly gone?: AbortSignal } = {},
): Promise<LockAnswer> {
  return house.locks.lock(ALICE, ADDRESS, {
    lockId,
    operation,
    info: Buffer.from('{}'),
    tellsHoldersApart: true,
    alias: 'http',
    wait: more.wait ?? null,
    gone: more.gone ?? null,
  });
}

async function freeze(built: BuiltHouse, by: Caller = OPERATOR, pattern = PATTERN): Promise<string> {
  const until = built.clock.now() + HOUR;
  return (await built.house.freezes.set(by, { pattern, reason: 'release week', until })).type;
}

describe.each(ENGINES)('a freeze on %s', (engine) => {
  it('refuses applies with the reason and its end, lets plans go on, and ends by itself', async () => {
    await using built = await BuiltHouse.build(engine);
    expect(await freeze(built)).toBe('set');
    const refused = await ask(built, 'a');
    expect(refused).toMatchObject({ type: 'frozen', pattern: PATTERN, by: 'token:oscar' });
    const words = explain(refused as Refusal, ADDRESS);
    expect(words).toContain('frozen until 2023-11-14T23:13:20.000Z by token:oscar: release week');
    expect(await ask(built, 'p', 'OperationTypePlan')).toMatchObject({ type: 'granted' });
    await built.house.locks.unlock(ALICE, ADDRESS, { lockId: 'p', alias: null });
    const elsewhere = { ...ADDRESS, key: 'app/terraform.tfstate' };
    const other = await built.house.states.delete(ALICE, elsewhere, { kind: 'none' });
    expect(other.type).toBe('absent');
    built.clock.advance(HOUR);
    expect(await ask(built, 'a')).toMatchObject({ type: 'granted' });
  });

  it('refuses writes, deletions and restores without a lock, and keeps what was to be written', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ALICE, sampleState(1));
    await freeze(built);
    const written = await built.write(ALICE, sampleState(2));
    expect(written).toMatchObject({ type: 'frozen', kept: { address: ADDRESS } });
    expect(await built.house.states.delete(ALICE, ADDRESS, { kind: 'none' })).toMatchObject({
      type: 'frozen',
    });
    const restored = await built.house.history.restore(ALICE, ADDRESS, 1, { kind: 'none' });
    expect(restored).toMatchObject({ type: 'frozen' });
    expect(await built.read(ALICE)).toBe(sampleState(1));
  });

  it('lets a run that holds the lock go on, to its last write and its release', async () => {
    await using built = await BuiltHouse.build(engine);
    expect(await ask(built, 'a')).toMatchObject({ type: 'granted' });
    await freeze(built);
    expect(await ask(built, 'a')).toMatchObject({ type: 'granted', again: true });
    const claim = { kind: 'named', lockId: 'a' } as const;
    expect(await built.write(ALICE, sampleState(1), claim)).toMatchObject({ type: 'stored' });
    expect(await built.house.locks.unlock(ALICE, ADDRESS, { lockId: 'a', alias: null })).toMatchObject({
      type: 'released',
    });
    expect(await ask(built, 'a2')).toMatchObject({ type: 'frozen' });
  });

  it('refuses who stood in line when it began, and whose turn comes', async () => {
    await using built = await BuiltHouse.build(engine);
    await ask(built, 'a');
    const waiting = ask(built, 'b', 'OperationTypeApply', { wait: HOUR, gone: new AbortController().signal });
    await settled();
    await freeze(built);
    await built.house.locks.unlock(ALICE, ADDRESS, { lockId: 'a', alias: null });
    expect(await waiting).toMatchObject({ type: 'frozen' });
    await settled();
    expect((await built.engine.world(ADDRESS)).holders).toEqual([]);
  });

  it('is for operators of all that the pattern covers', async () => {
    await using built = await BuiltHouse.build(engine);
    const operatorOf = (pattern: string): Caller => ({
      identity: { subject: 'token:part', grants: [{ role: 'operator', pattern }] },
      door: 'test',
    });
    expect(await freeze(built, ALICE)).toBe('forbidden');
    expect(await freeze(built, operatorOf('acme/net/*@dev'))).toBe('forbidden');
    expect(await freeze(built, operatorOf('acme/net/a*'))).toBe('forbidden');
    expect(await freeze(built, operatorOf('acme/*'), '*')).toBe('forbidden');
    expect(await freeze(built, operatorOf('acme/*'), '*/net/*')).toBe('forbidden');
    expect(await freeze(built, operatorOf('acme/*'), 'acme/net/*@dev')).toBe('set');
    expect(await freeze(built, operatorOf('acme/*'))).toBe('set');
    expect(await built.house.freezes.lift(ALICE, PATTERN)).toMatchObject({ type: 'forbidden' });
    expect(await built.house.freezes.lift(operatorOf('acme/*'), PATTERN)).toEqual({ type: 'lifted' });
    expect(await built.house.freezes.lift(operatorOf('acme/*'), PATTERN)).toEqual({ type: 'absent' });
    expect(await ask(built, 'a')).toMatchObject({ type: 'granted' });
  });

  it('is shown with the lock and in the list, noted, and never without an end or a reason', async () => {
    await using built = await BuiltHouse.build(engine);
    await freeze(built);
    expect(await built.house.locks.show(ALICE, ADDRESS)).toMatchObject({
      lock: { holders: [], frozen: { reason: 'release week' } },
    });
    expect(await built.house.freezes.list(ALICE)).toMatchObject({ freezes: [{ pattern: PATTERN }] });
    const stranger: Caller = {
      identity: { subject: 'token:s', grants: [{ role: 'writer', pattern: 'beta/*' }] },
      door: 'test',
    };
    expect(await built.house.freezes.list(stranger)).toMatchObject({ freezes: [] });
    await built.house.freezes.lift(OPERATOR, PATTERN);
    await built.house.audit.flush();
    const noted = (await built.engine.audit({ limit: 10 })).map(({ note }) => note.action);
    expect(noted).toEqual(expect.arrayContaining(['freeze', 'unfreeze']));
    const now = built.clock.now();
    for (const wrong of [
      { pattern: PATTERN, reason: ' ', until: now + 1 },
      { pattern: PATTERN, reason: 'r', until: now },
      { pattern: PATTERN, reason: 'r', until: now + 400 * 24 * HOUR },
      { pattern: 'acme', reason: 'r', until: now + 1 },
    ])
      expect(await built.house.freezes.set(OPERATOR, wrong)).toMatchObject({ type: 'invalid' });
  });
});
