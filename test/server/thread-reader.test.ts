import { expect, it } from 'vitest';
import { ThreadReader } from '../../src/server/api/content/thread-reader.ts';
import { sampleState } from '../support/sample-state.ts';

it('reads states for the index that are given at a time, each of them, and none once it is closed', async () => {
  const reader = new ThreadReader();
  const stateOf = (serial: number): Uint8Array => Buffer.from(sampleState(serial, { size: 200_000 }));
  const read = await Promise.all([1, 2, 3].map((serial) => reader.read(stateOf(serial))));
  expect(read.map(({ type }) => type)).toEqual(['contents', 'contents', 'contents']);
  const late = Promise.allSettled([reader.read(stateOf(4)), reader.read(stateOf(5))]);
  await reader[Symbol.asyncDispose]();
  expect((await late).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
