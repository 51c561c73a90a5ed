import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/server/api/content/turns.ts';

describe('turns', () => {
  const stays = (): AbortSignal => new AbortController().signal;
  const nextTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const limits = { waitingMax: 10, waitingOfSubjectMax: 4 };

  /** Work that ends when it is told to, and what has begun so far. */
  function workshop(turns: Turns) {
    const begun: string[] = [];
    let end: () => void = () => undefined;
    return {
      begun,
      ask: (subject: string, gone = stays()) =>
        turns.take(subject, gone, async () => {
          begun.push(subject);
          await new Promise<void>((resolve) => (end = resolve));
          return { type: 'done' };
        }),
      /** Ends the work that is being done, and lets the next begin. */
      endOne: async (): Promise<void> => {
        end();
        await nextTick();
      },
    };
  }

  it('go from subject to subject, one at a time', async () => {
    const { begun, ask, endOne } = workshop(new Turns(limits));
    const asked = ['greedy', 'greedy', 'greedy', 'greedy', 'admin', 'other', 'admin'].map((name) =>
      ask(name),
    );
    await nextTick();
    for (let n = 1; n <= asked.length; n += 1) {
      expect(begun).toHaveLength(n);
      await endOne();
    }
    expect(begun).toEqual(['greedy', 'admin', 'greedy', 'other', 'admin', 'greedy', 'greedy']);
    expect(await Promise.all(asked)).toEqual(asked.map(() => ({ type: 'done' })));
    const again = ask('greedy');
    await nextTick();
    await endOne();
    expect(await again).toEqual({ type: 'done' });
  });

  it('are bounded for each subject, and for all of them', async () => {
    const { ask } = workshop(new Turns(limits));
    const kept = ['a', 'a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'c', 'c'].map((name) => ask(name));
    expect(await ask('a')).toEqual({ type: 'too-many', limit: 4 });
    expect(await ask('b')).toEqual({ type: 'too-many', limit: 4 });
    expect(await ask('c')).toEqual({ type: 'busy' });
    expect(kept).toHaveLength(11);
  });

  it('are given up by a client that goes away, and passed on by work that fails', async () => {
    const turns = new Turns(limits);
    const { begun, ask, endOne } = workshop(turns);
    const failing = turns.take('a', stays(), async () => {
      await nextTick();
      throw new Error('this one fails');
    });
    const leaving = new AbortController();
    const left = ask('b', leaving.signal);
    const stayed = ask('c');
    leaving.abort();
    expect(await left).toEqual({ type: 'gone' });
    await expect(failing).rejects.toThrow('this one fails');
    await endOne();
    expect(await stayed).toEqual({ type: 'done' });
    expect(begun).toEqual(['c']);
    expect(await ask('d', leaving.signal)).toEqual({ type: 'gone' });
  });
});
