import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/house/caller.ts';
import { Budget, sharesOf } from '../../src/house/budget.ts';
import { EngineFault } from '../../src/ports/engine.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, inChunks, NO_CLAIM } from './fixtures/built-house.ts';

const MAX = 1_000;
const BODY_MAX = 100;

function sender(name: string, peer?: string): Caller {
  return { ...callerOf(name), ...(peer === undefined ? {} : { peer }) };
}

describe('the room for bodies that come in', () => {
  it('is never all of one subject: a quarter, and the others have the rest', () => {
    const budget = new Budget(sharesOf(MAX, BODY_MAX));
    const first = budget.begin(sender('ann', 'p1'));
    const other = budget.begin(sender('bob', 'p2'));
    expect(first.take(200)).toBe(true);
    const second = budget.begin(sender('ann', 'p3'));
    expect([second.take(51), second.take(50)]).toEqual([false, true]);
    expect(second.take(1)).toBe(false);
    expect(other.take(250)).toBe(true);
    first.release();
    expect(second.take(1)).toBe(true);
    expect(budget.held).toBe(301);
  });

  it('is never all of one network address: three quarters, whoever its subjects are', () => {
    const budget = new Budget(sharesOf(MAX, BODY_MAX));
    for (const name of ['a', 'b', 'c']) expect(budget.begin(sender(name, 'proxy')).take(250)).toBe(true);
    expect(budget.begin(sender('d', 'proxy')).take(1)).toBe(false);
    expect(budget.begin(sender('d', 'elsewhere')).take(250)).toBe(true);
    expect(budget.begin(sender('e', 'elsewhere')).take(1)).toBe(false);
  });

  it('has place for a largest body in each share, however small the whole is', () => {
    const budget = new Budget(sharesOf(10, BODY_MAX));
    const large = budget.begin(sender('ann', 'p'));
    expect(large.take(60) && large.take(40)).toBe(true);
    expect(budget.begin(sender('bob')).take(1)).toBe(false);
    large.release();
    expect(budget.begin(sender('bob')).take(1)).toBe(true);
  });

  it('is what is held by those who are there, after any coming and going', () => {
    const name = fc.constantFrom('ann', 'bob', 'cid', 'dan', 'eve');
    const step = fc.record({
      body: fc.nat(5),
      subject: name,
      peer: fc.option(fc.constantFrom('p1', 'p2'), { nil: undefined }),
      bytes: fc.nat(150),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new Budget(sharesOf(MAX, BODY_MAX));
        type Open = { body: ReturnType<typeof budget.begin>; subject: string; peer?: string; held: number };
        const open = new Map<number, Open>();
        const sum = (wanted: (one: Open) => boolean): number =>
          [...open.values()].filter(wanted).reduce((bytes, { held }) => bytes + held, 0);
        for (const { body: slot, subject, peer, bytes, ends } of steps) {
          const who = sender(subject, peer);
          const one = open.get(slot) ?? {
            body: budget.begin(who),
            subject,
            ...(peer === undefined ? {} : { peer }),
            held: 0,
          };
          open.set(slot, one);
          const room = (held: number, max: number): boolean => held === one.held || held + bytes <= max;
          const expected =
            room(
              sum(() => true),
              MAX,
            ) &&
            room(
              sum((other) => other.subject === one.subject),
              MAX / 4,
            ) &&
            (one.peer === undefined ||
              room(
                sum((other) => other.peer === one.peer),
                (MAX * 3) / 4,
              ));
          expect(one.body.take(bytes)).toBe(expected);
          if (expected) one.held += bytes;
          expect(budget.held).toBe(sum(() => true));
          if (!ends) continue;
          one.body.release();
          one.body.release();
          open.delete(slot);
          expect(budget.held).toBe(sum(() => true));
        }
        for (const { body } of open.values()) body.release();
        expect(budget.held).toBe(0);
      }),
    );
  });
});

describe('a house holds nothing of bodies', () => {
  async function* breaksOff(): AsyncGenerator<Uint8Array> {
    yield* inChunks(Buffer.from(sampleState(1, { size: 50_000 })));
    throw new Error('the body broke off');
  }

  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) yield Buffer.alloc(50_000);
  };

  it.each<[string, () => AsyncIterable<Uint8Array>, string]>([
    ['that were kept', () => inChunks(Buffer.from(sampleState(1))), 'stored'],
    ['that broke off', breaksOff, 'the body broke off'],
    ['that were too large', endless, 'too-large'],
    ['that were no state', () => inChunks(Buffer.alloc(30_000)), 'not-a-state'],
  ])('%s', async (_, body, ends) => {
    await using built = await BuiltHouse.build('memory');
    const terms = { claim: NO_CLAIM, contentLength: null };
    const end = await built.house.states.write(sender('ann', 'p'), ADDRESS, body(), terms).then(
      ({ type }) => type,
      (fault: Error) => fault.message,
    );
    expect([end, built.house.inFlightBytes]).toEqual([ends, 0]);
  });

  it('that its engine could not keep, states and pieces of them', async () => {
    await using built = await BuiltHouse.build('memory');
    const { house, engine } = built;
    const begun = await house.uploads.begin(callerOf('ann'), ADDRESS);
    if (begun.type !== 'begun') throw new Error(begun.type);
    const { apply } = engine;
    engine.apply = async () => {
      throw new EngineFault('the disk is away');
    };
    const body = (): AsyncIterable<Uint8Array> => inChunks(Buffer.from(sampleState(1)));
    await expect(built.write(callerOf('ann'), sampleState(1))).rejects.toThrow('the disk is away');
    await expect(house.uploads.put(callerOf('ann'), begun.upload, 1, body())).rejects.toThrow(
      'the disk is away',
    );
    engine.apply = apply;
    expect(house.inFlightBytes).toBe(0);
  });
});

describe('a credential that has expired', () => {
  let read = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    read = true;
    yield* inChunks(Buffer.from(sampleState(1)));
  }

  it('is refused before a piece is read, unless it holds the lock', async () => {
    await using built = await BuiltHouse.build('memory');
    const { uploads, locks } = built.house;
    const at = built.clock.now() + 1_000;
    const soon = callerOf('late');
    const late = { ...soon, identity: { ...soon.identity, expiry: { at, graceUntil: at + 1_000 } } };
    const begun = await uploads.begin(late, ADDRESS);
    if (begun.type !== 'begun') throw new Error(begun.type);
    built.clock.advance(1_000);
    expect(await uploads.begin(late, ADDRESS)).toEqual({ type: 'expired' });
    expect(await uploads.put(late, begun.upload, 1, body())).toEqual({ type: 'expired' });
    expect(read).toBe(false);
    built.clock.advance(-1_000);
    const granted = await locks.lock(late, ADDRESS, {
      lockId: 'mine',
      operation: 'OperationTypeApply',
      info: Buffer.from('{"ID":"mine"}'),
      tellsHoldersApart: true,
      alias: 'test',
      wait: null,
      gone: new AbortController().signal,
    });
    expect(granted.type).toBe('granted');
    built.clock.advance(1_000);
    expect((await uploads.begin(late, ADDRESS)).type).toBe('begun');
    expect((await uploads.put(late, begun.upload, 1, body())).type).toBe('kept');
    expect(read).toBe(true);
  });
});
