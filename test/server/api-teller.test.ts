import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Teller } from '../../src/server/api/content/teller.ts';
import { sampleState } from '../support/sample-state.ts';

describe('states are taken apart', () => {
  let teller: Teller;

  beforeEach(() => {
    teller = new Teller();
  });
  afterEach(() => teller[Symbol.asyncDispose]());

  const outputs = (said: string): ReturnType<Teller['tell']> => {
    const bytes = Buffer.from(sampleState(1, { said }));
    return teller.tell({ kind: 'outputs', version: { number: 1, bytes }, reveal: true });
  };

  it('on a thread of their own, which others do not wait for', async () => {
    const version = { number: 1, bytes: Buffer.from(sampleState(1, { size: 4_000_000 })) };
    let turns = 0;
    const count = setInterval(() => (turns += 1), 5);
    const told = await teller.tell({ kind: 'diff', from: version, to: version });
    clearInterval(count);
    expect(told).toMatchObject({ type: 'told', text: expect.stringContaining('"same":true') as string });
    expect(turns).toBeGreaterThan(1);
  });

  it('one request at a time, in order, and no more than may wait', async () => {
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const asked = Array.from({ length: 70 }, (_, index) =>
      teller.inTurn(async () => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve();
        order.push(index);
        running -= 1;
        if (index % 10 === 0) throw new Error('this one fails');
        return 'done';
      }),
    );
    const settled = await Promise.allSettled(asked);
    const refused = settled.filter(
      (one) => one.status === 'fulfilled' && typeof one.value === 'object' && one.value.type === 'busy',
    );
    expect(refused).toHaveLength(6);
    expect(most).toBe(1);
    expect(order).toEqual(Array.from({ length: 64 }, (_, index) => index));
    expect(await teller.inTurn(async () => 'again')).toBe('again');
  });

  it('on a new thread when the former one is gone', async () => {
    expect(await outputs('first')).toMatchObject({ type: 'told' });
    const lost = outputs('second');
    await teller[Symbol.asyncDispose]();
    await expect(lost).rejects.toThrow('ended before it had told');
    const told = await outputs('third');
    expect(told).toMatchObject({ text: expect.stringContaining('"value":"third"') as string });
  });
});
