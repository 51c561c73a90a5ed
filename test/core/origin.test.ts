import { describe, expect, it } from 'vitest';
import { originOf } from '../../src/core/origin.ts';

const KNOWN = { credential: 'SHA', peer: '10.0.0.1', requestId: 'AB12', userAgent: 'Terraform/1.11.4' };

describe('where a request came from', () => {
  it('is what is known of it', () => {
    expect(originOf(KNOWN)).toEqual(KNOWN);
    expect(originOf({ ...KNOWN, credential: undefined, peer: '' })).toEqual({
      requestId: 'AB12',
      userAgent: 'Terraform/1.11.4',
    });
  });

  it.each([
    ['an escape', 'a\u001b[2Kb', 'a\\u001b[2Kb'],
    ['a line end', 'a\nb', 'a\\u000ab'],
    ['another control', 'a\u009bb', 'a\\u009bb'],
    ['a turn of direction', 'a\u202eb', 'a\\u202eb'],
    ['half a character', 'a\ud83db', 'a\\ud83db'],
    ['what stands for them', 'a\\u001b', 'a\\\\u001b'],
    ['what is fine', 'größe \u{1F3E0}', 'größe \u{1F3E0}'],
  ])('has %s in letters that can be shown', (_, userAgent, shown) => {
    expect(originOf({ ...KNOWN, userAgent }).userAgent).toBe(shown);
  });

  it('is never longer than 200 characters a part', () => {
    expect(originOf({ ...KNOWN, userAgent: 'a'.repeat(9_000) }).userAgent).toBe('a'.repeat(200));
    expect(originOf({ ...KNOWN, userAgent: '\u0000'.repeat(9_000) }).userAgent).toHaveLength(200);
  });
});
