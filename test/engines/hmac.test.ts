import { createHmac, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { HmacSha256 } from '../../src/engines/hmac.ts';

it('gives for texts of every length, one after another, the code that HMAC-SHA256 is defined to give', () => {
  for (const keyBytes of [0, 1, 32, 64]) {
    const key = randomBytes(keyBytes);
    const hmac = new HmacSha256(key);
    const texts = [
      '',
      'a',
      'ä\u{1F3E0}\ud800',
      'b'.repeat(20_000),
      'é'.repeat(5_461),
      '\u20ac'.repeat(5_462),
      'c',
    ];
    for (const text of texts) {
      const expected = createHmac('sha256', key).update(text).digest();
      expect(Buffer.from(hmac.digest(text)).equals(expected), `${text.length} units`).toBe(true);
    }
  }
  expect(() => new HmacSha256(randomBytes(65))).toThrow(RangeError);
});
