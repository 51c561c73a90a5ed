import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gzipStored, storedIn } from '../../src/house/states/stored-gzip.ts';

describe('a gzip member that holds bytes as they are', () => {
  it.each([0, 1, 255, 256, 4_095])('is read by every program that reads gzip, with %i bytes', (length) => {
    const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 256));
    const member = gzipStored(bytes);
    expect(gunzipSync(member)).toEqual(bytes);
    expect(Buffer.from(storedIn(member) ?? [1])).toEqual(bytes);
  });

  it('is told from a compressed one, as earlier versions wrote it', () => {
    expect(storedIn(gzipSync('{"version":4}', { level: 1, windowBits: 12, memLevel: 5 }))).toBeNull();
    expect(storedIn(gzipSync(''))).toBeNull();
  });
});
