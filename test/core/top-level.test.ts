import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { TopLevelScanner } from '../../src/core/top-level.ts';

type Scanned = ReturnType<TopLevelScanner['finish']>;

const WANTED = ['serial', 'lineage'];

function scan(bytes: Uint8Array, cuts: readonly number[] = []): Scanned {
  const scanner = new TopLevelScanner(WANTED);
  let from = 0;
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    scanner.push(bytes.subarray(from, cut));
    from = cut;
  }
  return scanner.finish();
}

function scanText(text: string): Scanned {
  return scan(new TextEncoder().encode(text));
}

function isWellFormed(found: Scanned): boolean {
  return !('problem' in found);
}

/** What JSON.parse says of the same bytes: whether they are an object. */
function isObject(bytes: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const cuts = fc.array(fc.nat(4_000), { maxLength: 12 });
const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.boolean(),
  fc.constant(null),
);
const flatObject = fc.dictionary(fc.oneof(fc.constantFrom(...WANTED), fc.string()), scalar, { maxKeys: 6 });
const anyObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
const indent = fc.constantFrom(undefined, 2, '\t', ' \n ');

function bytesOf(value: unknown, space?: string | number): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, space)}\n`);
}

describe('the top level of a JSON object', () => {
  it('is well-formed wherever JSON.parse says so, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(anyObject, indent, cuts, (value, space, at) => {
        expect(isWellFormed(scan(bytesOf(value, space), at))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('without nested values is judged as JSON.parse judges it, whatever byte is changed, added or lost', () => {
    const damage = fc.record({
      at: fc.nat(400),
      lost: fc.nat(2),
      put: fc.oneof(
        fc.constantFrom(
          '"',
          '\\',
          ',',
          ':',
          '{',
          '}',
          '[',
          ']',
          ' ',
          '0',
          'e',
          '-',
          '.',
          'u',
          '\n',
          '\0',
          '\ufeff',
        ),
        fc.constant(''),
        fc.string({ unit: 'binary', maxLength: 2 }),
      ),
    });
    fc.assert(
      fc.property(flatObject, indent, damage, cuts, (value, space, { at, lost, put }, pieces) => {
        const whole = bytesOf(value, space);
        const from = at % whole.length;
        const bytes = new Uint8Array([
          ...whole.subarray(0, from),
          ...new TextEncoder().encode(put),
          ...whole.subarray(from + lost),
        ]);
        const found = scan(bytes, pieces);
        // Damage may make a nested value out of a flat one, and what is inside is not judged.
        fc.pre(!/[[{]/.test(new TextDecoder().decode(bytes.subarray(1))));
        expect([isWellFormed(found), found]).toEqual([isObject(bytes), found]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is refused at whatever byte it ends too early', () => {
    fc.assert(
      fc.property(anyObject, indent, (value, space) => {
        const bytes = bytesOf(value, space).subarray(0, -1);
        for (let length = 0; length < bytes.length; length += 1) {
          expect(isWellFormed(scan(bytes.subarray(0, length)))).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('tells the same of wanted members as JSON.parse, and where they stand', () => {
    fc.assert(
      fc.property(flatObject, indent, cuts, (value, space, at) => {
        const bytes = bytesOf(value, space);
        const found = scan(bytes, at);
        if ('problem' in found) throw new Error(found.problem);
        for (const name of WANTED) {
          const member = found.get(name);
          expect(member !== undefined).toBe(Object.hasOwn(value, name));
          if (member === undefined) continue;
          expect(JSON.parse(member.text ?? '')).toEqual(JSON.parse(JSON.stringify(value[name])));
          expect(new TextDecoder().decode(bytes.subarray(member.start, member.end))).toBe(member.text);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes a key in any case, by any escape, and the last of two, as Go does', () => {
    expect(scanText('{"serial": 1, "SERIAL": 2}')).toEqual(
      new Map([['serial', { text: '2', start: 24, end: 25 }]]),
    );
    expect(scanText('{"\\u0073erial":3}')).toEqual(new Map([['serial', { text: '3', start: 15, end: 16 }]]));
    expect(scanText('{"outputs":{"serial":9},"a":["serial"]}')).toEqual(new Map());
    expect(scanText('{"serial":{"a":[]}}')).toEqual(
      new Map([['serial', { text: null, start: 10, end: 18 }]]),
    );
  });

  it.each([
    ['{"a":1"b":2}'],
    ['{"a":1{}}'],
    ['{"a":1[]}'],
    ['{"a":1 2}'],
    ['{"a":tr ue}'],
    ['{"a":"b" "c"}'],
    ['{"a" 1}'],
    ['{"a"::1}'],
    ['{,}'],
    ['{"a":1,}'],
    ['{"a":1,,"b":2}'],
    ['{a:1}'],
    ["{'a':1}"],
    ['{"a":01}'],
    ['{"a":+1}'],
    ['{"a":NaN}'],
    ['{"a":1]'],
    ['{"a":[}]}'],
    ['{"a":{"b":[}}'],
    ['{"a":"\\x"}'],
    ['{"a":{"b":"\\x"}}'],
    ['{"a":"\\u12g4"}'],
    ['{"a":{"b":"line\nbreak"}}'],
    ['{"a":"\\\n"}'],
    ['{}}'],
    ['{} {}'],
    ['{}\0'],
    ['[]'],
    ['"{}"'],
    ['4'],
    ['\ufeff{}'],
    ['{"a":\ufeff1}'],
    ['\u00a0{}'],
    [''],
    [' \n'],
  ])('is refused: %j', (text) => {
    expect(isWellFormed(scanText(text))).toBe(false);
  });

  it.each([['{}'], [' {\t"a"\r:\n1 } \n'], ['{"a":{"b":"\\\\"},"c":"\\""}'], ['{"":0}'], ['{"a":-0.5e+3}']])(
    'is accepted: %j',
    (text) => {
      expect(isWellFormed(scanText(text))).toBe(true);
    },
  );

  it('is bounded in depth, in members and in what is kept of a token', () => {
    const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect(isWellFormed(scanText(nested(999)))).toBe(true);
    expect(scanText(nested(1_000))).toEqual({ problem: 'the JSON nests deeper than 1000 levels' });
    const members = (count: number): string => `{${'"a":1,'.repeat(count)}"b":1}`;
    expect(isWellFormed(scanText(members(999)))).toBe(true);
    expect(scanText(members(1_000))).toEqual({ problem: 'the JSON has more than 1000 members' });
    const long = 'x'.repeat(100_000);
    expect(scanText(`{"${long}":"${long}","lineage":"${long}","serial":"${'y'.repeat(510)}"}`)).toEqual(
      new Map([
        ['lineage', { text: null, start: 200_017, end: 300_019 }],
        ['serial', { text: `"${'y'.repeat(510)}"`, start: 300_029, end: 300_541 }],
      ]),
    );
    expect(isWellFormed(scanText(`{"a":${'1'.repeat(600)}}`))).toBe(false);
  });
});
