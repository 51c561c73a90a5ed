import { describe, expect, it, vi } from 'vitest';
import type { Caller } from '../../src/house/caller.ts';
import type { LockAnswer } from '../../src/house/locks/locks.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import { sampleLock } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, settled } from './fixtures/built-house.ts';

const ANN = callerOf('ann');
const MINUTE = 60_000;

/** One client's request for the lock, and what became of it. */
class Request {
  readonly answer: Promise<LockAnswer>;
  readonly #leave = new AbortController();
  #answered: LockAnswer | null = null;

  constructor(
    { house }: BuiltHouse,
    lockId: string,
    { wait = null, parkMax, operation = 'OperationTypeApply', who = ANN, gone = false }: Asked = {},
  ) {
    if (gone) this.#leave.abort();
    this.answer = house.locks.lock(who, ADDRESS, {
      lockId,
      operation,
      info: Buffer.from(sampleLock(lockId, operation)),
      tellsHoldersApart: true,
      alias: 'http',
      wait,
      ...(parkMax === undefined ? {} : { parkMax }),
      gone: this.#leave.signal,
    });
    void this.#note();
  }

  /** How it was answered so far. */
  get type(): LockAnswer['type'] | 'waiting' {
    return this.#answered?.type ?? 'waiting';
  }

  async #note(): Promise<void> {
    this.#answered = await this.answer.catch(() => null);
  }

  /** The connection closes. */
  leave(): void {
    this.#leave.abort();
  }

  /** The connection closed before the answer was sent whole. */
  async undelivered(): Promise<void> {
    const answer = await this.answer;
    if (answer.type !== 'granted') throw new Error(`there is no grant to lose: ${answer.type}`);
    answer.undelivered();
  }
}

interface Asked {
  readonly wait?: number | null;
  readonly parkMax?: number;
  readonly operation?: string;
  readonly who?: Caller;
  readonly gone?: boolean;
}

async function view({ house }: BuiltHouse): Promise<{ holders: string[]; parked: string[]; line: string[] }> {
  const answer = await house.locks.show(ANN, ADDRESS);
  if (answer.type !== 'shown') throw new Error(`the lock may not be seen: ${answer.type}`);
  const { holders, line } = answer.lock;
  return {
    holders: holders.map(({ lockId }) => lockId),
    parked: line.filter(({ seat }) => seat !== null).map(({ waiter }) => waiter),
    line: line.map(({ waiter }) => waiter),
  };
}

function unlock({ house }: BuiltHouse, lockId: string): Promise<unknown> {
  return house.locks.unlock(ANN, ADDRESS, { lockId, alias: 'http' });
}

describe.each(ENGINES)('a request for a held lock, on %s', (engine) => {
  it('is refused at once the first time, and has no place until it comes back', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    expect(await new Request(built, 'one').answer).toMatchObject({
      type: 'held',
      position: null,
      waiting: 0,
      holders: [{ lockId: 'holder', subject: 'token:ann' }],
    });
    expect(await new Request(built, 'two').answer).toMatchObject({ type: 'held', position: null });
    expect(await view(built)).toEqual({ holders: ['holder'], parked: [], line: [] });
    expect(built.house.parked).toBe(0);
    // Whoever comes back has the place of its first asking.
    const two = new Request(built, 'two');
    await settled();
    const one = new Request(built, 'one');
    await settled();
    expect((await view(built)).line).toEqual(['one', 'two']);
    for (const request of [one, two]) request.leave();
  });

  it('is parked when it comes back, as long as its client would sleep, and then refused', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    await new Request(built, 'one').answer;
    const again = new Request(built, 'one');
    await settled();
    expect([again.type, built.house.parked]).toEqual(['waiting', 1]);
    built.clock.advance(1_900);
    await settled();
    expect(again.type).toBe('waiting');
    built.clock.advance(200);
    expect(await again.answer).toMatchObject({ type: 'held', position: 1 });
    expect(await view(built)).toEqual({ holders: ['holder'], parked: [], line: ['one'] });
  });

  it('is granted in the same step as the release, to the first asker of those that are parked', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    for (const id of ['one', 'two', 'three']) await new Request(built, id).answer;
    const three = new Request(built, 'three');
    await settled();
    const two = new Request(built, 'two');
    await settled();
    await unlock(built, 'holder');
    // One sleeps and is not waited for; two asked before three, though it came back later.
    expect((await two.answer).type).toBe('granted');
    expect(three.type).toBe('waiting');
    expect(await view(built)).toEqual({ holders: ['two'], parked: ['three'], line: ['three'] });
    const one = new Request(built, 'one');
    await settled();
    await unlock(built, 'two');
    expect((await one.answer).type).toBe('granted');
    await unlock(built, 'one');
    expect((await three.answer).type).toBe('granted');
    expect(await view(built)).toEqual({ holders: ['three'], parked: [], line: [] });
  });

  it('is parked from the first time where it asks for that, and no longer than it asks', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    const one = new Request(built, 'one', { wait: 5 * MINUTE });
    await settled();
    built.clock.advance(5 * MINUTE - 1);
    await settled();
    expect(one.type).toBe('waiting');
    built.clock.advance(2);
    expect((await one.answer).type).toBe('held');
  });

  it('is sent away in time where its client would give up, even when its turn is near, and keeps its place', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'quick').answer;
    built.clock.advance(MINUTE);
    await unlock(built, 'quick');
    await new Request(built, 'holder').answer;
    await new Request(built, 'one').answer;
    built.clock.advance(10_000);
    const again = new Request(built, 'one', { parkMax: 15_000 });
    await settled();
    built.clock.advance(14_999);
    await settled();
    expect(again.type).toBe('waiting');
    built.clock.advance(2);
    expect((await again.answer).type).toBe('held');
    expect(await view(built)).toEqual({ holders: ['holder'], parked: [], line: ['one'] });
  });

  it('stays a little longer when its turn is near', async () => {
    await using built = await BuiltHouse.build(engine);
    for (let round = 0; round < 3; round += 1) {
      await new Request(built, `quick-${round}`).answer;
      built.clock.advance(1_000);
      await unlock(built, `quick-${round}`);
    }
    await new Request(built, 'holder').answer;
    await new Request(built, 'one').answer;
    const again = new Request(built, 'one');
    await settled();
    built.clock.advance(2_000);
    await settled();
    expect(again.type).toBe('waiting');
    await unlock(built, 'holder');
    expect((await again.answer).type).toBe('granted');
  });

  it('gives up its place when its client goes', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    const one = new Request(built, 'one', { wait: MINUTE });
    await settled();
    const two = new Request(built, 'two', { wait: MINUTE });
    await settled();
    one.leave();
    expect((await one.answer).type).toBe('gone');
    expect(await view(built)).toEqual({ holders: ['holder'], parked: ['two'], line: ['two'] });
    await unlock(built, 'holder');
    expect((await two.answer).type).toBe('granted');
  });

  it('is not left parked when its client had gone before it was', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    expect((await new Request(built, 'one', { wait: MINUTE, gone: true }).answer).type).toBe('gone');
    expect(await view(built)).toEqual({ holders: ['holder'], parked: [], line: [] });
    expect(built.house.parked).toBe(0);
  });

  it('that was granted at once and never heard of it gives the lock back', async () => {
    await using built = await BuiltHouse.build(engine);
    const one = new Request(built, 'one', { gone: true });
    await one.undelivered();
    await settled();
    expect(await view(built)).toEqual({ holders: [], parked: [], line: [] });
  });

  it('that was handed the lock and never heard of it passes it on', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    const one = new Request(built, 'one', { wait: MINUTE });
    await settled();
    const two = new Request(built, 'two', { wait: MINUTE });
    await settled();
    await unlock(built, 'holder');
    await one.undelivered();
    expect((await two.answer).type).toBe('granted');
    expect(await view(built)).toEqual({ holders: ['two'], parked: [], line: [] });
  });

  it('whose client goes just as it is handed the lock leaves nothing behind', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    for (let round = 0; round < 10; round += 1) {
      const request = new Request(built, `racer-${round}`, { wait: MINUTE });
      await settled();
      const released = unlock(built, round === 0 ? 'holder' : `next-${round - 1}`);
      if (round % 2 === 0) await Promise.resolve();
      request.leave();
      await released;
      const answer = await request.answer;
      // As the server does: an answer whose connection has closed is one that was not delivered.
      if (answer.type === 'granted') answer.undelivered();
      await settled();
      expect(await view(built)).toEqual({ holders: [], parked: [], line: [] });
      expect((await new Request(built, `next-${round}`).answer).type).toBe('granted');
    }
  });

  it('keeps a lock that it heard of by another connection, though an earlier answer was lost', async () => {
    await using built = await BuiltHouse.build(engine);
    const lost = new Request(built, 'one');
    await lost.answer;
    expect(await new Request(built, 'one').answer).toMatchObject({ type: 'granted', again: true });
    await lost.undelivered();
    await settled();
    expect((await view(built)).holders).toEqual(['one']);
  });

  it('that comes again on a new connection leaves the old one without a claim', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    const old = new Request(built, 'one', { wait: MINUTE });
    await settled();
    const anew = new Request(built, 'one', { wait: MINUTE });
    await settled();
    old.leave();
    await old.answer;
    expect(await view(built)).toEqual({ holders: ['holder'], parked: ['one'], line: ['one'] });
    await unlock(built, 'holder');
    expect((await anew.answer).type).toBe('granted');
  });

  it('is sent away when the house closes, with nothing granted and nothing left held', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    const one = new Request(built, 'one', { wait: MINUTE });
    const two = new Request(built, 'two', { wait: MINUTE });
    await settled();
    expect(built.house.parked).toBe(2);
    built.house.closeLine();
    expect([(await one.answer).type, (await two.answer).type]).toEqual(['held', 'held']);
    expect(built.house.parked).toBe(0);
    const late = new Request(built, 'three', { wait: MINUTE });
    expect((await late.answer).type).toBe('held');
    expect(await view(built)).toMatchObject({ holders: ['holder'], parked: [] });
  });

  it('lets plans in together, an apply after them, and later plans after that apply', async () => {
    await using built = await BuiltHouse.build(engine);
    const plan = { operation: 'OperationTypePlan', wait: MINUTE };
    expect((await new Request(built, 'plan-1', plan).answer).type).toBe('granted');
    expect((await new Request(built, 'plan-2', plan).answer).type).toBe('granted');
    const apply = new Request(built, 'apply', { wait: MINUTE });
    await settled();
    const [three, four] = [new Request(built, 'plan-3', plan), new Request(built, 'plan-4', plan)];
    await settled();
    await unlock(built, 'plan-1');
    expect(apply.type).toBe('waiting');
    await unlock(built, 'plan-2');
    expect((await apply.answer).type).toBe('granted');
    expect([three.type, four.type]).toEqual(['waiting', 'waiting']);
    await unlock(built, 'apply');
    expect([(await three.answer).type, (await four.answer).type]).toEqual(['granted', 'granted']);
    expect((await view(built)).holders).toEqual(['plan-3', 'plan-4']);
  });

  it('keeps plans apart where sharing is turned off', async () => {
    await using built = await BuiltHouse.build(engine, { plansShare: false });
    const plan = { operation: 'OperationTypePlan' };
    expect((await new Request(built, 'plan-1', plan).answer).type).toBe('granted');
    expect((await new Request(built, 'plan-2', plan).answer).type).toBe('held');
  });

  it('is served after a break-in, in its turn', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    const one = new Request(built, 'one', { wait: MINUTE });
    await settled();
    const operator = callerOf('op', 'operator');
    expect(
      await built.house.locks.unlock(callerOf('eve'), ADDRESS, { lockId: null, alias: null }),
    ).toMatchObject({
      type: 'may-not-break',
    });
    expect(
      await built.house.locks.unlock(operator, ADDRESS, { lockId: 'holder', alias: null }),
    ).toMatchObject({
      type: 'released',
      broken: true,
    });
    expect((await one.answer).type).toBe('granted');
  });

  it("cannot take another's lock by its ID", async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'one').answer;
    expect((await new Request(built, 'one', { who: callerOf('eve') }).answer).type).toBe('held');
    expect((await view(built)).holders).toEqual(['one']);
  });

  it('is forgotten when its client never comes back', async () => {
    await using built = await BuiltHouse.build(engine);
    await new Request(built, 'holder').answer;
    await new Request(built, 'one').answer;
    built.clock.advance(MINUTE);
    const two = new Request(built, 'two');
    await two.answer;
    const back = new Request(built, 'two');
    await settled();
    expect((await view(built)).line).toEqual(['two']);
    back.leave();
  });

  it('leaves no lock behind when it ends in a fault', async () => {
    await using built = await BuiltHouse.build(engine);
    const apply = built.engine.apply.bind(built.engine);
    const failOn = (type: string, when: 'before' | 'after'): void => {
      vi.spyOn(built.engine, 'apply').mockImplementation(async (commands) => {
        if (commands[0]?.type !== type) return apply(commands);
        if (when === 'after') await apply(commands);
        throw new EngineFault('the disk is slow');
      });
    };
    const failed = (request: Request): Promise<unknown> =>
      request.answer.catch((fault: Error) => fault.message);
    // Granted, and nobody was told.
    failOn('lock', 'after');
    expect(await failed(new Request(built, 'unheard'))).toBe('the disk is slow');
    await settled();
    expect((await view(built)).holders).toEqual([]);
    // Handed over, and not taken up.
    vi.restoreAllMocks();
    await new Request(built, 'holder').answer;
    const parked = new Request(built, 'parked', { wait: MINUTE });
    await settled();
    failOn('accept', 'before');
    await unlock(built, 'holder');
    expect(await failed(parked)).toBe('the disk is slow');
    await settled();
    expect(await view(built)).toEqual({ holders: [], parked: [], line: [] });
    vi.restoreAllMocks();
  });
});
