import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/core/snapshot/json.ts';
import { isJsonArray, isJsonObject, parseJson } from '../../src/core/snapshot/json.ts';
import { MASK, masked, printMasked } from '../../src/core/snapshot/masked.ts';
import { readSnapshot } from '../../src/core/snapshot/read.ts';
import { markAttributes, Secrets } from '../../src/core/snapshot/sensitive.ts';
import { TextSearch } from '../../src/core/snapshot/text-search.ts';
import { hostileState } from '../support/hostile-state.ts';

const few = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\ud83d'), maxLength });

describe('a search for many texts', () => {
  it('finds what looking for one after the other finds', () => {
    fc.assert(
      fc.property(fc.array(few(6), { maxLength: 8 }), few(24), (texts, text) => {
        const search = new TextSearch(texts);
        expect(search.isIn(text)).toBe(texts.some((one) => one !== '' && text.includes(one)));
      }),
      { numRuns: 5_000 },
    );
  });

  it('finds no less where its memory does not reach', () => {
    const nodes = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.array(few(6), { maxLength: 8 }), few(24), nodes, (texts, text, nodesMax) => {
        const found = texts.some((one) => one !== '' && text.includes(one));
        expect(found && !new TextSearch(texts, nodesMax).isIn(text)).toBe(false);
      }),
      { numRuns: 5_000 },
    );
    const cut = new TextSearch(['abcdef', 'xyz'], 6);
    expect(['..ab..', '..xy..', '..a..', '..b..x'].map((text) => cut.isIn(text))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('copies of secrets', () => {
  it('are masked as by comparing each text with each secret', () => {
    fc.assert(
      fc.property(fc.array(few(9), { maxLength: 6 }), few(30), (hidden, text) => {
        const secrets = new Secrets();
        secrets.add(markAttributes({ hidden, other: text }, path([['hidden']])));
        const forms = hidden.filter((one) => one !== '');
        const leaks = forms.some((one) => text === one || (one.length >= 6 && text.includes(one)));
        expect(masked(secrets.mask(text)) === MASK).toBe(leaks);
      }),
      { numRuns: 3_000 },
    );
  });

  it('are found in base64 of which a long secret is only the beginning', () => {
    const secret = 'certificate '.repeat(1_000);
    const attributes = {
      password: secret,
      copy: `see ${btoa(secret)}.`,
      other: `see ${btoa('certificate')}.`,
    };
    const secrets = new Secrets();
    secrets.add(markAttributes(attributes, undefined));
    expect(masked(secrets.mask(attributes.copy))).toBe(MASK);
    expect(masked(secrets.mask(attributes.other))).toBe(attributes.other);
  });

  it.each([126 * 1_024, 1_300_000, 8_000_000])(
    'take no time in a state of %i bytes that is made to take long',
    (size) => {
      const bytes = new TextEncoder().encode(hostileState(size));
      const started = process.cpuUsage();
      const snapshot = readSnapshot(bytes);
      expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
      if (!('instances' in snapshot)) throw new Error(JSON.stringify(snapshot));
      const [, notes] = snapshot.instances[0]?.attributes ?? [];
      expect(printMasked(notes?.content ?? null, false)).toMatch(/^"a+"$/);
    },
  );
});

describe('listed paths', () => {
  const names = fc.constantFrom('a', 'b', 'value', 'type', '0', '1', '1.0', '');
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('x', '', null, true),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
    ),
  }));

  it('mask together what they mask one after the other', () => {
    fc.assert(
      fc.property(
        fc.dictionary(names, tree, { maxKeys: 4 }),
        fc.array(fc.array(names, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        (attributes, paths) => {
          const together = masked(markAttributes(attributes, path(paths)));
          const hidden = paths.reduce<Json>((value, steps) => hideAt(value, steps), plain(attributes));
          expect(plain(together)).toEqual(hidden);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('are followed in one walk, however many they are', () => {
    const attributes = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, n) => [`name${n}`, `text ${n}`]),
    );
    const started = process.cpuUsage();
    const marked = markAttributes(attributes, path(Object.keys(attributes).map((name) => [name])));
    expect(process.cpuUsage(started).user).toBeLessThan(3_000_000);
    expect(new Set(Object.values(masked(marked) as JsonObject))).toEqual(new Set([MASK]));
  });
});

/** The paths as `sensitive_attributes` has them. */
function path(paths: readonly (readonly string[])[]): Json {
  return paths.map((steps) => steps.map((value) => ({ type: 'get_attr', value })));
}

/** The same with ordinary objects. */
function plain(value: Json): Json {
  return parseJson(JSON.stringify(value)) ?? null;
}

/** What one path hides, said as simply as possible. */
function hideAt(value: Json, [step, ...rest]: readonly string[]): Json {
  if (value === MASK || value === null) return value === null && step === undefined ? MASK : value;
  if (step === undefined) return MASK;
  if (isJsonArray(value)) {
    const index = Number(step);
    if (!Object.hasOwn(value, index)) return hideAll(value);
    return value.map((item, at) => (at === index ? hideAt(item, rest) : item));
  }
  if (!isJsonObject(value)) return MASK;
  const own = Object.hasOwn(value, step);
  const wrapped = Object.hasOwn(value, 'value') && Object.hasOwn(value, 'type');
  if (!own && !wrapped) return hideAll(value);
  const [name, further] = own ? [step, rest] : ['value', [step, ...rest]];
  return { ...value, [name]: hideAt(value[name] ?? null, further) };
}

function hideAll(value: Json): Json {
  if (isJsonArray(value)) return value.map(hideAll);
  if (!isJsonObject(value)) return value === null ? null : MASK;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hideAll(inner)]));
}
