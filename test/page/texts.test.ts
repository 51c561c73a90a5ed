import { describe, expect, it } from 'vitest';
import { addressOfPath, statePath } from '../../web/src/address.ts';
import { csvLine } from '../../src/api/csv.ts';
import { keepDigits, valueText } from '../../web/src/exact-numbers.ts';
import { agoText, counted, durationText, operationText, sizeText } from '../../web/src/format.ts';
import { treeOf } from '../../web/src/views/state/tree.ts';
import { isLong, rowsOf, turnMs } from '../../web/src/views/now/rows.ts';
import { layoutOf } from '../../web/src/views/explore/graph-layout.ts';
import { visibleText } from '../../web/src/visible-text.ts';

// What the page makes of what it is told, without a browser.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe('numbers, sizes and durations', () => {
  it.each([
    [400, '0.4s'],
    [59 * SECOND, '59s'],
    [MINUTE - 1, '1m'],
    [3 * MINUTE + 12 * SECOND, '3m 12s'],
    [HOUR, '1h'],
    [26 * HOUR, '1d 2h'],
    [-5, '0s'],
  ])('%i ms read %s', (ms, text) => expect(durationText(ms)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [999_950, '1.0 MB'],
    [123_456_789, '123 MB'],
  ])('%i bytes read %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));

  it('say how many, how long ago, and which operation', () => {
    expect([counted(1, 'lock'), counted(12_480, 'lock')]).toEqual(['1 lock', '12,480 locks']);
    expect([agoText(SECOND), agoText(5 * MINUTE), agoText(30 * HOUR)]).toEqual([
      'just now',
      '5 min ago',
      'yesterday',
    ]);
    expect([operationText('OperationTypeApply'), operationText('')]).toEqual(['apply', 'unknown']);
  });
});

describe('texts of others', () => {
  it('show what is not seen, and no more than a line takes', () => {
    expect(visibleText('a\u202eb\u200b')).toBe('a⟨U+202E⟩b⟨U+200B⟩');
    expect(visibleText('abcdef', 3)).toBe('abc… (3 more characters)');
  });

  it('are addresses and paths of the page, there and back', () => {
    for (const address of [
      'acme/net',
      'acme/a b?#%/c@dev',
      'acme/x@y/z@dev',
      'acme/ü/日本',
      'acme/a@b%40c',
    ]) {
      expect(addressOfPath(statePath(address).slice('/s/'.length))).toBe(address);
    }
    expect(addressOfPath('nothing')).toBe(null);
    expect(addressOfPath('%E0%A4%A')).toBe(null);
  });

  it('run no formula in a spreadsheet', () => {
    expect(csvLine(['=1+1', 'x,"y"', -5, null])).toBe(`'=1+1,"x,""y""",-5,\r\n`);
    for (const start of ['+', '-', '@', '\t=', ' =', '\uff1d']) {
      expect(csvLine([`${start}cmd|' /C calc'!A0`])).toMatch(/^"?'/);
    }
  });
});

describe('values of a state', () => {
  it('keep every digit, and texts stay texts', () => {
    const json = '{"big": 9007199254740993, "one": 1.0, "text": "9007199254740993 \\" 1.0", "n": -2.5e3}';
    const read: unknown = JSON.parse(keepDigits(json));
    expect(valueText(read)).toBe(
      '{"big":9007199254740993,"one":1.0,"text":"9007199254740993 \\" 1.0","n":-2.5e3}',
    );
  });
});

describe('locks', () => {
  const holder = { lockId: 'h', heldMs: 20 * SECOND };
  const seen = (heldMs: number, readAt: number, address = 'acme/a') =>
    ({
      lock: {
        address,
        usualHoldMs: 30 * SECOND,
        holders: [{ ...holder, heldMs }],
        waiters: [{ lockId: 'w' }],
        waiting: 3,
        frozen: null,
      },
      readAt,
    }) as unknown as Parameters<typeof turnMs>[0];

  it('say when a turn is to be expected, and none where the hold is longer than usual', () => {
    expect(turnMs(seen(20 * SECOND, 0), 1)).toBe(10 * SECOND);
    expect(turnMs(seen(20 * SECOND, 0), 3)).toBe(70 * SECOND);
    expect(turnMs(seen(50 * SECOND, 0), 3)).toBeLessThanOrEqual(0);
  });

  it('are marked when they are held far longer than usual, and not for seconds', () => {
    expect(isLong(91 * SECOND, 30 * SECOND)).toBe(true);
    expect(isLong(89 * SECOND, 30 * SECOND)).toBe(false);
    expect(isLong(20 * SECOND, SECOND)).toBe(false);
    expect(isLong(HOUR, null)).toBe(false);
  });

  it('come the longest held first, as of now, each with its holders, its line and the rest of it', () => {
    const rows = rowsOf([seen(5 * SECOND, 1_000, 'acme/later'), seen(5 * SECOND, 0, 'acme/earlier')]);
    expect(rows.map(({ kind, seen, end }) => `${kind} ${seen.lock.address}${end ? ' end' : ''}`)).toEqual([
      'lock acme/earlier',
      'holder acme/earlier',
      'waiter acme/earlier',
      'rest acme/earlier end',
      'lock acme/later',
      'holder acme/later',
      'waiter acme/later',
      'rest acme/later end',
    ]);
  });
});

describe('who reads whom', () => {
  it('stands right of what it reads, rings too', () => {
    const edges = [
      { from: 'web', to: 'net' },
      { from: 'web', to: 'iam' },
      { from: 'net', to: 'iam' },
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
    ];
    const { spots, columns, rows } = layoutOf(edges);
    const at = Object.fromEntries(spots.map(({ address, column, row }) => [address, [column, row]]));
    expect(at).toMatchObject({ iam: [0, 1], net: [1, 1], web: [2, 0] });
    expect([spots.length, columns, rows]).toEqual([5, 3, 2]);
  });
});

describe('the tree of resources', () => {
  const instance = (address: string, module: string, type: string) =>
    ({ address, module, type, mode: 'managed', provider: 'p', deposed: null }) as unknown as Parameters<
      typeof treeOf
    >[0][number];
  const all = [instance('b.x', '', 'b'), instance('a.x', '', 'a'), instance('module.m.a.x', 'module.m', 'a')];

  it('is by module and type, and only what is looked for is open', () => {
    const lines = (search: string, turned: readonly string[] = []): string[] =>
      treeOf(all, search, new Set(turned)).map((node) =>
        node.kind === 'instance' ? node.instance.address : `${node.kind} ${node.name} ${node.count}`,
      );
    expect(lines('')).toEqual([
      'module  2',
      'type a 1',
      'a.x',
      'type b 1',
      'b.x',
      'module module.m 1',
      'type a 1',
      'module.m.a.x',
    ]);
    expect(lines('module.m')).toEqual(['module module.m 1', 'type a 1', 'module.m.a.x']);
    expect(lines('', ['module '])).toEqual(['module  2', 'module module.m 1', 'type a 1', 'module.m.a.x']);
  });
});
