import { readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { threadTime } from '../../src/server/api/content/thread-time.ts';
import { SnapshotWorker } from '../../src/server/api/content/snapshot-worker.ts';
import { sampleState } from '../support/sample-state.ts';

describe('states are taken apart', () => {
  let snapshotWorker: SnapshotWorker;

  beforeEach(() => {
    snapshotWorker = new SnapshotWorker();
  });
  afterEach(() => snapshotWorker[Symbol.asyncDispose]());

  const large = { number: 1, bytes: Buffer.from(sampleState(1, { size: 4_000_000 })) };
  const stays = new AbortController().signal;
  const outputs = (said: string, gone = stays): ReturnType<SnapshotWorker['runTask']> => {
    const bytes = Buffer.from(sampleState(1, { said }));
    return snapshotWorker.runTask({ kind: 'outputs', version: { number: 1, bytes }, reveal: true }, gone);
  };

  it('on a thread of their own, which others do not wait for', async () => {
    let turns = 0;
    const count = setInterval(() => (turns += 1), 5);
    const answer = await snapshotWorker.runTask({ kind: 'diff', from: large, to: large }, stays);
    clearInterval(count);
    expect(answer).toMatchObject({ type: 'answer', text: expect.stringContaining('"same":true') as string });
    expect(turns).toBeGreaterThan(1);
  });

  it('on a new thread when the former one is gone', async () => {
    expect(await outputs('first')).toMatchObject({ type: 'answer' });
    const lost = snapshotWorker.runTask({ kind: 'diff', from: large, to: large }, stays);
    await snapshotWorker[Symbol.asyncDispose]();
    await expect(lost).rejects.toThrow('ended before it had answered');
    const answer = await outputs('third');
    expect(answer).toMatchObject({ text: expect.stringContaining('"value":"third"') as string });
  });

  it('until it takes too long', async () => {
    await using impatient = new SnapshotWorker({ taskMsMax: 1 });
    const answer = await impatient.runTask({ kind: 'diff', from: large, to: large }, stays);
    expect(answer).toEqual({ type: 'too-slow', seconds: 1 });
  });

  it('also where the machine gives the thread little time: what counts is what it has had', async () => {
    await using slowed = new SnapshotWorker({ taskMsMax: 500, timeOf: () => 0 });
    const answer = await slowed.runTask({ kind: 'diff', from: large, to: large }, stays);
    expect(answer).toMatchObject({ type: 'answer' });
  });

  it('but not for ever', async () => {
    await using slowed = new SnapshotWorker({ taskMsMax: 1, timeOf: () => 0 });
    const answer = await slowed.runTask({ kind: 'diff', from: large, to: large }, stays);
    expect(answer).toEqual({ type: 'too-slow', seconds: 1 });
  });

  it('until the client goes away', async () => {
    const leaving = new AbortController();
    const left = outputs('first', leaving.signal);
    leaving.abort();
    expect(await left).toEqual({ type: 'gone' });
    expect(await outputs('second')).toMatchObject({ type: 'answer' });
  });
});

it.skipIf(process.platform !== 'linux')('tells how much time a thread has had', () => {
  const own = `/proc/${readlinkSync('/proc/thread-self')}/stat`;
  const before = threadTime(own) ?? Number.NaN;
  const until = performance.now() + 10_000;
  while ((threadTime(own) ?? 0) < before + 30 && performance.now() < until);
  expect((threadTime(own) ?? 0) - before).toBeGreaterThanOrEqual(30);
  expect(threadTime('/proc/none')).toBeNull();
});
