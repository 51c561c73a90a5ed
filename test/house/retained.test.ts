import { describe, expect, it } from 'vitest';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, NO_CLAIM, settled } from './fixtures/built-house.ts';

const ANN = callerOf('ann');
const OPERATOR = callerOf('ops', 'operator');
const ADMIN = callerOf('root', 'admin');
const DAY_MS = 86_400_000;
const BYPASS = { bypass: true };

async function write(built: BuiltHouse, ...serials: readonly number[]): Promise<void> {
  for (const serial of serials)
    expect(await built.write(ANN, sampleState(serial))).toMatchObject({ type: 'stored' });
}

async function numbers(built: BuiltHouse): Promise<readonly number[]> {
  const answer = await built.house.history.versions(ADMIN, ADDRESS, { limit: 100 });
  return answer.type === 'versions' ? answer.versions.map(({ number }) => number) : [];
}

describe.each(ENGINES)('versions that are retained, on %s', (engine) => {
  it('are let go by no rule of retention, whatever the other limits say', async () => {
    const retention = { keepVersions: 1, minKeepDays: 0, retainAtLeast: 10 };
    await using built = await BuiltHouse.build(engine, { retention });
    await write(built, 1, 2);
    built.clock.advance(4 * DAY_MS);
    await write(built, 3);
    built.clock.advance(7 * DAY_MS);
    await write(built, 4);
    await settled();
    expect(await numbers(built)).toEqual([4, 3]);
    // What they were written under holds, though the project retains nothing by now.
    await built.house.projects.set(ADMIN, 'acme', { retainAtLeast: 1 });
    await write(built, 5);
    await settled();
    expect(await numbers(built)).toEqual([5, 4, 3]);
    built.clock.advance(20 * DAY_MS);
    await write(built, 6);
    await settled();
    expect(await numbers(built)).toEqual([6]);
    expect(built.errors).toEqual([]);
  });

  it('by compliance are removed by no one: not by an admin who says so, not by one who lowers the floor', async () => {
    await using built = await BuiltHouse.build(engine);
    const { history, projects, states } = built.house;
    await projects.set(ADMIN, 'acme', { retainAtLeast: 30, retainMode: 'compliance' });
    await write(built, 1, 2);
    await projects.set(ADMIN, 'acme', { retainAtLeast: null, retainMode: null });
    const drop = (number: number): Promise<{ readonly type: string }> =>
      history.dropVersion(ADMIN, ADDRESS, number, NO_CLAIM, BYPASS);
    expect(await drop(1)).toMatchObject({ type: 'retained', version: 1 });
    const lifted = { kind: 'retention', retention: null } as const;
    expect(await history.retain(ADMIN, ADDRESS, 1, lifted, BYPASS)).toMatchObject({ type: 'retained' });
    await states.delete(ANN, ADDRESS, NO_CLAIM);
    expect(await history.purge(ADMIN, ADDRESS, BYPASS)).toMatchObject({ type: 'retained' });
    expect(await numbers(built)).toEqual([2, 1]);
    built.clock.advance(30 * DAY_MS);
    expect(await history.purge(ADMIN, ADDRESS)).toEqual({ type: 'purged' });
  });

  it('by governance go by an admin who says so, which the audit log tells', async () => {
    await using built = await BuiltHouse.build(engine, { retention: { retainAtLeast: 30 } });
    const { history, states, audit } = built.house;
    await write(built, 1, 2);
    expect(await history.dropVersion(ADMIN, ADDRESS, 1, NO_CLAIM)).toMatchObject({ type: 'retained' });
    expect(await history.dropVersion(OPERATOR, ADDRESS, 1, NO_CLAIM, BYPASS)).toMatchObject({
      type: 'forbidden',
    });
    expect(await history.dropVersion(ADMIN, ADDRESS, 1, NO_CLAIM, BYPASS)).toMatchObject({ type: 'pruned' });
    // The newest is not hidden before it is known that it may go.
    expect(await history.dropVersion(ADMIN, ADDRESS, 2, NO_CLAIM)).toMatchObject({ type: 'retained' });
    expect(await built.read(ANN)).toBe(sampleState(2));
    await states.delete(ANN, ADDRESS, NO_CLAIM);
    expect(await history.purge(ADMIN, ADDRESS)).toMatchObject({ type: 'retained' });
    expect(await history.purge(ADMIN, ADDRESS, BYPASS)).toEqual({ type: 'purged' });
    const told = await audit.read(ADMIN, { limit: 20 });
    if (told.type !== 'records') throw new Error(told.type);
    const notes = told.records.map(({ note: { action, detail, refused } }) => ({ action, detail, refused }));
    expect(notes).toContainEqual({
      action: 'prune',
      detail: expect.objectContaining({ bypassed: true }) as object,
      refused: undefined,
    });
    expect(notes).toContainEqual({
      action: 'purge',
      detail: expect.objectContaining({ bypassed: true }) as object,
      refused: undefined,
    });
    // Like refusals within a time are noted once.
    expect(notes).toContainEqual(expect.objectContaining({ action: 'purge', refused: 'retained' }));
  });

  it('are there before the floor was set as well, for as long as it is', async () => {
    await using built = await BuiltHouse.build(engine);
    const { history, projects, states } = built.house;
    await write(built, 1);
    await states.delete(ANN, ADDRESS, NO_CLAIM);
    await projects.set(ADMIN, 'acme', { retainAtLeast: 30, retainMode: 'compliance' });
    expect(await history.purge(ADMIN, ADDRESS, BYPASS)).toMatchObject({ type: 'retained' });
    await projects.set(ADMIN, 'acme', { retainAtLeast: null });
    expect(await history.purge(ADMIN, ADDRESS)).toEqual({ type: 'purged' });
  });

  it('may be singled out by an admin alone, and a legal hold is lifted by no bypass', async () => {
    await using built = await BuiltHouse.build(engine);
    const { history } = built.house;
    await write(built, 1, 2);
    const hold = (on: boolean) => ({ kind: 'legal-hold', on }) as const;
    expect(await history.retain(ANN, ADDRESS, 1, hold(true))).toMatchObject({ type: 'forbidden' });
    expect(await history.retain(ADMIN, ADDRESS, 9, hold(true))).toEqual({ type: 'absent' });
    expect(await history.retain(ADMIN, ADDRESS, 1, hold(true))).toEqual({ type: 'retention-set' });
    expect(await history.retaining(ANN, ADDRESS, 1)).toEqual({
      type: 'retaining',
      retention: null,
      legalHold: true,
    });
    expect(await history.dropVersion(ADMIN, ADDRESS, 1, NO_CLAIM, BYPASS)).toMatchObject({
      type: 'retained',
      legalHold: true,
    });
    await history.retain(ADMIN, ADDRESS, 1, hold(false));
    expect(await history.dropVersion(ADMIN, ADDRESS, 1, NO_CLAIM)).toMatchObject({ type: 'pruned' });
  });

  it('hinder neither a write nor a deletion that can be undone', async () => {
    await using built = await BuiltHouse.build(engine, { retention: { retainAtLeast: 3_650 } });
    await write(built, 1, 2);
    expect(await built.house.states.delete(ANN, ADDRESS, NO_CLAIM)).toMatchObject({ type: 'deleted' });
    expect(await built.house.history.undelete(ANN, ADDRESS)).toMatchObject({ type: 'undeleted' });
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({ type: 'stored' });
  });
});
