import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotWorker } from '../../src/server/api/content/snapshot-worker.ts';
import { sampleState } from '../support/sample-state.ts';

describe('states are taken apart', () => {
  let snapshotWorker: SnapshotWorker;

  beforeEach(() => {
    snapshotWorker = new SnapshotWorker();
  });
  afterEach(() => snapshotWorker[Symbol.asyncDispose]());

  const outputs = (said: string): ReturnType<SnapshotWorker['runTask']> => {
    const bytes = Buffer.from(sampleState(1, { said }));
    return snapshotWorker.runTask({ kind: 'outputs', version: { number: 1, bytes }, reveal: true });
  };

  it('on a thread of their own, which others do not wait for', async () => {
    const version = { number: 1, bytes: Buffer.from(sampleState(1, { size: 4_000_000 })) };
    let turns = 0;
    const count = setInterval(() => (turns += 1), 5);
    const answer = await snapshotWorker.runTask({ kind: 'diff', from: version, to: version });
    clearInterval(count);
    expect(answer).toMatchObject({ type: 'answer', text: expect.stringContaining('"same":true') as string });
    expect(turns).toBeGreaterThan(1);
  });

  it('one request at a time, in order, and no more than may wait', async () => {
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const asked = Array.from({ length: 70 }, (_, index) =>
      snapshotWorker.enqueue(async () => {
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
    expect(await snapshotWorker.enqueue(async () => 'again')).toBe('again');
  });

  it('on a new thread when the former one is gone', async () => {
    expect(await outputs('first')).toMatchObject({ type: 'answer' });
    const lost = outputs('second');
    await snapshotWorker[Symbol.asyncDispose]();
    await expect(lost).rejects.toThrow('ended before it had answered');
    const answer = await outputs('third');
    expect(answer).toMatchObject({ text: expect.stringContaining('"value":"third"') as string });
  });
});
