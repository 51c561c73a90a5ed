import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import {
  attributeProblem,
  equals,
  hasElement,
  type AttributeValue,
  type Item,
} from '../../../src/protocols/dynamodb/attribute.ts';
import { addNumbers, compareNumbers } from '../../../src/protocols/dynamodb/number.ts';
import { parseCondition } from '../../../src/protocols/dynamodb/expression/condition.ts';
import { Placeholders } from '../../../src/protocols/dynamodb/expression/names.ts';
import { parseProjection } from '../../../src/protocols/dynamodb/expression/projection.ts';
import { includesText } from '../../../src/protocols/dynamodb/expression/substring.ts';
import { ExpressionProblem } from '../../../src/protocols/dynamodb/expression/tokens.ts';
import { parseUpdate } from '../../../src/protocols/dynamodb/expression/update.ts';
import { Work, WORK_MAX } from '../../../src/protocols/dynamodb/expression/work.ts';

const ITEM: Item = new Map<string, AttributeValue>([
  ['LockID', { S: 'bucket/key' }],
  ['Info', { S: '{"ID":"1"}' }],
  ['n', { N: '10' }],
  ['flag', { BOOL: true }],
  ['tags', { SS: ['a', 'b'] }],
  ['listed', { L: [{ N: '1' }, { S: 'x' }] }],
  ['mapped', { M: { nested: { M: { deep: { S: 'd' } } } } }],
]);

const VALUES: Readonly<Record<string, AttributeValue>> = {
  ':id': { S: 'bucket/key' },
  ':info': { S: '{"ID":"1"}' },
  ':other': { S: 'zzz' },
  ':ten': { N: '1e1' },
  ':nine': { N: '9' },
  ':eleven': { N: '11' },
  ':s': { S: 'S' },
  ':a': { S: 'a' },
  ':set': { SS: ['b', 'a'] },
  ':one': { N: '1' },
  ':big': { N: '9e125' },
};
const NAMES = { '#i': 'Info', '#l': 'LockID', '#d': 'deep' };

/** What DynamoDB says first of a value that is wrong. */
const WRONG = 'One or more parameter values were invalid:';

const holds = (expression: string, item: Item = ITEM): boolean =>
  parseCondition(expression, new Placeholders(NAMES, VALUES))(item);

describe('a condition', () => {
  it.each([
    // What terraform and tofu send.
    ['attribute_not_exists(LockID)', false],
    ['Info = :info', true],
    ['(Info = :info)', true],
    ['((Info = :info) AND (LockID = :id)) OR (Info = :other)', true],
    ['(NOT (Info = :info))', false],
    ['Info = :other', false],
    // What tutorials and other lock tables use.
    ['attribute_exists(#l) AND #i = :info', true],
    ['attribute_not_exists(absent)', true],
    ['attribute_type(LockID, :s)', true],
    ['begins_with(LockID, :a)', false],
    ['contains(tags, :a) and contains(listed, :one)', true],
    ['contains(Info, :a)', false],
    ['n BETWEEN :nine AND :eleven', true],
    ['n IN (:nine, :ten)', true],
    ['n = :ten', true],
    ['n <> :ten', false],
    ['n < :eleven AND n > :nine AND n <= :ten AND n >= :ten', true],
    ['size(tags) = :nine OR size(LockID) = :ten', true],
    ['size(listed) < :nine', true],
    ['tags = :set', true],
    ['mapped.nested.#d = :other', false],
    ['attribute_exists(mapped.nested.#d) AND attribute_exists(listed[1])', true],
    ['attribute_exists(listed[2])', false],
    ['NOT n = :nine AND NOT (flag = :one OR absent = :one)', true],
    ['absent = :one', false],
    ['absent <> :one', true],
    ['LockID < :ten', false],
    // AND binds more tightly than OR.
    ['n = :ten OR n = :nine AND n = :eleven', true],
  ])('%s is %s', (expression, expected) => {
    expect(holds(expression)).toBe(expected);
  });

  it.each([
    '',
    'LockID',
    'LockID =',
    '= :id',
    'LockID = :missing',
    '#missing = :id',
    'LockID == :id',
    '(LockID = :id',
    'LockID = :id)',
    'attribute_exists()',
    'attribute_exists(LockID, n)',
    'begins_with(LockID)',
    'unknown(LockID)',
    'n BETWEEN :nine',
    'n IN ()',
    'LockID = :id AND',
    'listed[x] = :one',
    'listed[',
    // Words that DynamoDB keeps for itself, functions of a path, brackets around brackets.
    'Status = :s',
    'list[0] = :one',
    'map.within = :one',
    'mapped.inner = :one',
    'attribute_exists(:id)',
    'attribute_not_exists(:id)',
    'attribute_type(:id, :s)',
    // What a function cannot be of, whatever the item, and what is compared with itself.
    'attribute_type(LockID, :one)',
    'attribute_type(LockID, :info)',
    'attribute_type(LockID, size(LockID))',
    'begins_with(LockID, :one)',
    'begins_with(:one, LockID)',
    'begins_with(LockID, size(LockID))',
    'size(:one) = :one',
    'n = n',
    'mapped.deep < mapped.deep',
    'contains(Info, Info)',
    '((Info = :info))',
    '((Info = :info) OR ((LockID = :id)))',
    'a..b = :one',
    // A hyphen is no part of a name.
    'attribute_exists(lock-id)',
    '#a-b = :one',
    'n = :on-e',
    'LockID = "text"',
    'LockID = :id; n = :ten',
    'n = :ten'.concat(' AND n = :ten'.repeat(150)),
    `n IN (${':ten, '.repeat(100)}:ten)`,
    `mapped${'.deep'.repeat(32)} = :one`,
    '('.repeat(200) + 'n = :ten' + ')'.repeat(200),
    'NOT '.repeat(200) + 'n = :ten',
    `LockID = :id ${' '.repeat(5_000)}`,
  ])('%s is no expression', (expression) => {
    expect(() => holds(expression)).toThrow(ExpressionProblem);
  });

  it.each([
    ['n = :ten'.concat(' AND n = :ten'.repeat(149)), true],
    [`n IN (${':nine, '.repeat(99)}:ten)`, true],
    [`attribute_exists(mapped${'.deep'.repeat(31)})`, false],
  ])('may be as large as at AWS: %s', (expression, expected) => {
    expect(holds(expression)).toBe(expected);
  });

  it('says in DynamoDB’s words which bound it is over', () => {
    const said = (expression: string): string => {
      try {
        holds(expression);
      } catch (problem) {
        return String(problem);
      }
      return 'nothing';
    };
    expect(said('n = :ten'.concat(' AND n = :ten'.repeat(200)))).toContain(
      'The expression contains too many operators; operator count: 301',
    );
    expect(said('n = :ten'.concat(' '.repeat(4_096)))).toContain(
      'Expression size has exceeded the maximum allowed size; expression size: 4104',
    );
    expect(said(`n IN (${':ten, '.repeat(100)}:ten)`)).toContain('function: IN, number of operands: 101');
    expect(said(`mapped${'.deep'.repeat(32)} = :one`)).toContain(
      'too many nesting levels; nesting levels: 33',
    );
  });

  it('looks at no more than a request may, however often it is asked', () => {
    const text = { S: 'x'.repeat(WORK_MAX / 8) };
    const equal = parseCondition(':x = Info', new Placeholders({}, { ':x': text }), new Work());
    const item = new Map([['Info', { S: text.S }]]);
    expect([equal(item), equal(item), equal(item)]).toEqual([true, true, true]);
    expect(() => equal(item)).toThrow('look at more than');
  });

  it('uses all that was given to it', () => {
    const placeholders = new Placeholders({ '#i': 'Info' }, { ':info': { S: 'x' }, ':more': { S: 'y' } });
    parseCondition('#i = :info', placeholders);
    expect(() => placeholders.checkAllUsed()).toThrow('keys: {:more}');
  });

  it('follows the laws of logic, whatever is in it', () => {
    const atom = fc.constantFrom(
      'n = :ten',
      'n < :nine',
      'attribute_exists(absent)',
      'contains(tags, :a)',
      'Info = :info',
    );
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        atom,
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a}) AND (${b})`),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a}) OR (${b})`),
        tie('tree').map((a) => `NOT (${a})`),
      ),
    }));
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        fc.pre(a.length + b.length < 1_500);
        expect(holds(`NOT (${a})`)).toBe(!holds(a));
        expect(holds(`(${a}) AND (${b})`)).toBe(holds(a) && holds(b));
        expect(holds(`(${a}) OR (${b})`)).toBe(holds(`NOT (NOT (${a}) AND NOT (${b}))`));
      }),
      { numRuns: 500 },
    );
  });

  it('is read or refused, and nothing else, whatever it says', () => {
    const words = fc.constantFrom(
      'LockID',
      'AND',
      'OR',
      'NOT',
      '(',
      ')',
      '=',
      '<>',
      ':id',
      '#i',
      'size',
      ',',
      '[',
      '1',
      ']',
      '.',
      'BETWEEN',
      'IN',
      'attribute_exists',
      '%',
      'é',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 20 }), (tokens) => {
        try {
          holds(tokens.join(' '));
        } catch (problem) {
          expect(problem).toBeInstanceOf(ExpressionProblem);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a projection', () => {
  const project = (expression: string): object =>
    Object.fromEntries(parseProjection(expression, new Placeholders(NAMES))(ITEM));

  it('gives what its paths name, and nothing for what is not there', () => {
    expect(project('LockID, Info')).toEqual({ LockID: { S: 'bucket/key' }, Info: { S: '{"ID":"1"}' } });
    expect(project('#l, absent')).toEqual({ LockID: { S: 'bucket/key' } });
    expect(project('mapped.nested.#d, listed[1]')).toEqual({
      mapped: { M: { nested: { M: { deep: { S: 'd' } } } } },
      listed: { L: [{ S: 'x' }] },
    });
    for (const wrong of ['', 'a,', ',a', 'a b', ':id'])
      expect(() => project(wrong)).toThrow(ExpressionProblem);
  });
});

describe('an update', () => {
  const update = (expression: string): object =>
    Object.fromEntries(parseUpdate(expression, new Placeholders(NAMES, VALUES))(ITEM));

  it('makes a new item of an item', () => {
    expect(update('SET #i = :other, copied = LockID REMOVE tags, listed ADD n :one, fresh :nine')).toEqual({
      ...Object.fromEntries(ITEM),
      Info: { S: 'zzz' },
      copied: { S: 'bucket/key' },
      n: { N: '11' },
      fresh: { N: '9' },
      tags: undefined,
      listed: undefined,
    });
    expect(update('SET n = n - :one, m = if_not_exists(absent, :ten) + :one')).toMatchObject({
      n: { N: '9' },
      m: { N: '11' },
    });
    for (const wrong of [
      '',
      'SET',
      'SET a',
      'SET a = absent',
      'SET a = :id + :one',
      'SET a = :id SET b = :id',
      'PUT a = :id',
      'SET mapped.nested = :id',
      'ADD LockID :one',
      'SET a = list_append(listed, :id)',
      'SET a = :big + :big',
      `SET ${Array.from({ length: 301 }, (_, index) => `a${index}=n+n`).join()}`,
    ]) {
      expect(() => update(wrong)).toThrow(ExpressionProblem);
    }
  });
});

describe('an attribute value', () => {
  it.each([
    [{ S: 'x' }, true],
    [{ N: '-1.5e-3' }, true],
    [{ N: 'x' }, false],
    [{ N: 1 }, false],
    [{ S: 'x', N: '1' }, false],
    [{}, false],
    [{ X: 'x' }, false],
    [{ BOOL: 'true' }, false],
    [{ SS: [] }, false],
    [{ NS: ['1', 'x'] }, false],
    [{ NS: ['1', '2'] }, true],
    [{ N: `-${'9'.repeat(38)}e88` }, true],
    [{ N: '.' }, false],
    [{ N: '' }, false],
    [{ L: [{ S: 'x' }, { Q: 1 }] }, false],
    [{ M: { a: { S: 'x' } } }, true],
    ['x', false],
    [null, false],
  ])('%j is one: %s', (value, right) => {
    expect(attributeProblem(value) === null).toBe(right);
  });

  it.each([
    [{ SS: ['a', 'b', 'a'] }, `${WRONG} Input collection [a, b, a] contains duplicates.`],
    [{ BS: ['Yg==', 'Yg=='] }, `${WRONG} Input collection [Yg==, Yg==]of type BS contains duplicates.`],
    [{ NS: ['1', '2', '1'] }, 'Input collection contains duplicates'],
    [{ NS: ['100', '1e2'] }, 'Input collection contains duplicates'],
    [{ NS: ['0', '-0.00'] }, 'Input collection contains duplicates'],
    [{ L: [{ M: { a: { SS: ['a', 'a'] } } }] }, `${WRONG} Input collection [a, a] contains duplicates.`],
    [{ SS: [] }, `${WRONG} An string set  may not be empty`],
    [{ N: '9'.repeat(39) }, 'Attempting to store more than 38 significant digits in a Number'],
    [
      { N: '1e126' },
      'Number overflow. Attempting to store a number with magnitude larger than supported range',
    ],
    [
      { NS: ['1', '1e-131'] },
      'Number underflow. Attempting to store a number with magnitude smaller than supported range',
    ],
    [{}, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'],
  ])('that is wrong is refused in DynamoDB’s words: %j', (value, problem) => {
    expect(attributeProblem(value)).toBe(problem);
  });

  it('of a set has the same elements as another in any order, each looked at once', () => {
    const elements = Array.from({ length: 100_000 }, (_, index) => `${index}`);
    const set = { NS: elements };
    const turned = { NS: elements.toReversed().map((one) => `${one}.0`) };
    const other = { NS: elements.with(7, '-7') };
    // Were each element looked for among all others, none of these would come to its end.
    expect([equals(set, turned), equals(set, other), equals(set, { SS: elements })]).toEqual([
      true,
      false,
      false,
    ]);
    expect([hasElement(set, { N: '99999.0' }), hasElement(set, { N: '0.5' })]).toEqual([true, false]);
  });

  it('of text is found in another wherever it is, as the language finds it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, text, (before, part, after) => {
        expect(includesText(`${before}${part}${after}`, part)).toBe(true);
        expect(includesText(before, part)).toBe(before.includes(part));
      }),
      { numRuns: 2_000 },
    );
  });

  it('nests to a bound', () => {
    let value: AttributeValue = { S: 'x' };
    for (let depth = 0; depth < 40; depth += 1) value = { L: [value] };
    expect(attributeProblem(value)).toContain('Nesting');
  });

  it('of a number is compared and added exactly', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: -20, max: 20 }))
      .map(([digits, exponent]) => ({
        text: `${digits}e${exponent}`,
        scaled: digits * 10n ** BigInt(exponent + 20),
      }));
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const expected = a.scaled < b.scaled ? -1 : a.scaled > b.scaled ? 1 : 0;
        expect(compareNumbers(a.text, b.text)).toBe(expected);
        const sum = addNumbers(a.text, b.text, 1n);
        expect(sum).toMatch(/^-?\d+(?:\.\d*[1-9])?$/);
        expect(compareNumbers(addNumbers(sum, b.text, -1n), a.text)).toBe(0);
        expect(equals({ N: a.text }, { N: a.text.replace('e', '.0e') })).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(equals({ M: { a: { NS: ['1', '2.0'] } } }, { M: { a: { NS: ['2', '1'] } } })).toBe(true);
    expect(equals({ L: [{ S: 'a' }] }, { L: [{ S: 'b' }] })).toBe(false);
  });
});
