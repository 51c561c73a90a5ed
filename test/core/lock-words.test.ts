import { describe, expect, it } from 'vitest';
import {
  heldInWords,
  operationInWords,
  ordinal,
  placeInWords,
  whereToLook,
  type LockFacts,
} from '../../src/core/lock-words.ts';

const ALICE: LockFacts = {
  subject: 'token:alice',
  who: 'alice@laptop',
  operation: 'OperationTypeApply',
  reason: '',
  heldFor: 130_000,
  usualHold: 180_000,
};

describe('a held lock in words', () => {
  it.each<readonly [string, Partial<LockFacts>]>([
    ['held by token:alice (alice@laptop, apply) for 2m 10s, usually 3m', {}],
    ['held by token:alice (alice@laptop, apply) for 0s', { heldFor: 0, usualHold: null }],
    ['held by token:alice (alice@laptop, apply) for 2m 10s, usually less than 1s', { usualHold: 400 }],
    ['held by token:alice (alice@laptop, apply)', { heldFor: null, usualHold: null }],
    ['held by alice@laptop (apply) for 2m 10s, usually 3m', { subject: '' }],
    ['held by token:alice (apply) for 2m 10s, usually 3m', { who: '' }],
    [
      'held by token:alice (plan) for 2m 10s, usually 3m',
      { who: 'token:alice', operation: 'OperationTypePlan' },
    ],
    [
      'held by an unknown holder for 1d 1h',
      { subject: '', who: '', operation: '', heldFor: 90_000_000, usualHold: null },
    ],
    ['held by token:alice (alice@laptop, apply) and 2 more for 2m 10s, usually 3m', { others: 2 }],
    [
      'held by token:alice (alice@laptop, statehouse lock) for 2m 10s, usually 3m, reason: moving the database',
      { operation: 'statehouse-lock', reason: 'moving the database' },
    ],
    [
      'held by token:alice (\\u001b[31mmallory, apply) for 2m 10s, usually 3m, reason: a\\nb',
      { who: '\u001b[31mmallory', reason: 'a\nb' },
    ],
  ])('%s', (words, facts) => {
    expect(heldInWords({ ...ALICE, ...facts })).toBe(words);
  });

  it('cuts a reason that nobody would read', () => {
    const words = heldInWords({ ...ALICE, reason: '🔒'.repeat(300) });
    expect(words.endsWith(`${'🔒'.repeat(199)}…`)).toBe(true);
  });

  it('leaves an operation of which it knows no word as it is', () => {
    expect(['state-mv', 'toString'].map((operation) => operationInWords(operation))).toEqual([
      'state-mv',
      'toString',
    ]);
  });
});

describe('a place in line in words', () => {
  it.each([
    ['you are 2nd of 3 in line', 2, 3],
    ['you are 1st of 1 in line', 1, 0],
    ['1 waits in line', null, 1],
    ['4 wait in line', null, 4],
    ['', null, 0],
  ] as const)('%s', (words, position, waiting) => {
    expect(placeInWords({ position, waiting })).toBe(words);
  });

  it('names the page to look at, where that is known', () => {
    expect(whereToLook('https://state.example.com/s/app/net')).toBe(
      'see https://state.example.com/s/app/net',
    );
    expect(whereToLook(null)).toBe('');
  });

  it('counts as people do', () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 112].map((number) => ordinal(number))).toEqual([
      '1st',
      '2nd',
      '3rd',
      '4th',
      '11th',
      '12th',
      '13th',
      '21st',
      '22nd',
      '101st',
      '111th',
      '112th',
    ]);
  });
});
