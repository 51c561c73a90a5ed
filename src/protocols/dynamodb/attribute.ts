/** One value of an item, as DynamoDB's JSON has it: exactly one of these members. */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: boolean }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] }
  | { readonly L: readonly AttributeValue[] }
  | { readonly M: Readonly<Record<string, AttributeValue>> };

export type Item = ReadonlyMap<string, AttributeValue>;

export const TYPES = ['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M'] as const;
export type AttributeType = (typeof TYPES)[number];

/** Values nest at most so deep (Amazon DynamoDB developer guide, "Constraints"). */
export const DEPTH_MAX = 32;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

export function typeOf(value: AttributeValue): AttributeType {
  return Object.keys(value)[0] as AttributeType;
}

/** What is inside a value, whatever its type. */
export function contentOf(value: AttributeValue): unknown {
  return Object.values(value)[0];
}

/** Checks that a piece of JSON is an attribute value; says what is wrong with it, or null. */
export function attributeProblem(value: unknown, depth = 0): string | null {
  if (!isRecord(value)) return 'an attribute value is an object such as {"S": "text"}';
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) {
    return 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes';
  }
  if (depth > DEPTH_MAX) return 'Nesting Levels have exceeded supported limits';
  const [type, content] = entry;
  switch (type) {
    case 'S':
    case 'B':
      return typeof content === 'string' ? null : `${type} is not a string`;
    case 'N':
      return isNumber(content) ? null : 'The parameter cannot be converted to a numeric value';
    case 'BOOL':
    case 'NULL':
      return typeof content === 'boolean' ? null : `${type} is not true or false`;
    case 'SS':
    case 'BS':
      return isSetOf(content, (one) => typeof one === 'string') ? null : `${type} is not a set of strings`;
    case 'NS':
      return isSetOf(content, isNumber) ? null : 'NS is not a set of numbers';
    case 'L':
      return Array.isArray(content) ? firstProblem(content, depth) : 'L is not a list';
    case 'M':
      return isRecord(content) ? firstProblem(Object.values(content), depth) : 'M is not a map';
    default:
      return `${type} is no type of an attribute value`;
  }
}

/** Whether two values are the same: of one type, numbers by value, sets in any order. */
export function equals(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  const [left, right] = [contentOf(a), contentOf(b)];
  switch (type) {
    case 'N':
      return compareNumbers(left as string, right as string) === 0;
    case 'SS':
    case 'NS':
    case 'BS': {
      const element = type.slice(0, 1) as 'S' | 'N' | 'B';
      const [ones, others] = [left as string[], right as string[]];
      const has = (list: string[], one: string): boolean =>
        list.some((other) =>
          equals({ [element]: one } as AttributeValue, { [element]: other } as AttributeValue),
        );
      return ones.length === others.length && ones.every((one) => has(others, one));
    }
    case 'L': {
      const [ones, others] = [left as AttributeValue[], right as AttributeValue[]];
      return (
        ones.length === others.length &&
        ones.every((one, index) => equals(one, others[index] as AttributeValue))
      );
    }
    case 'M': {
      const [ones, others] = [
        left as Record<string, AttributeValue>,
        right as Record<string, AttributeValue>,
      ];
      const names = Object.keys(ones);
      return (
        names.length === Object.keys(others).length &&
        names.every(
          (name) =>
            Object.hasOwn(others, name) &&
            equals(ones[name] as AttributeValue, others[name] as AttributeValue),
        )
      );
    }
    default:
      return left === right;
  }
}

/** The order of two values of one ordered type (text by its bytes, numbers, binary); null where there is none. */
export function compare(a: AttributeValue, b: AttributeValue): number | null {
  const type = typeOf(a);
  if (type !== typeOf(b)) return null;
  const [left, right] = [contentOf(a) as string, contentOf(b) as string];
  if (type === 'N') return compareNumbers(left, right);
  if (type === 'S') return Buffer.compare(Buffer.from(left), Buffer.from(right));
  if (type === 'B') return Buffer.compare(Buffer.from(left, 'base64'), Buffer.from(right, 'base64'));
  return null;
}

/** Exact, to DynamoDB's 38 digits and beyond. */
export function compareNumbers(a: string, b: string): number {
  const [left, right] = [decimal(a), decimal(b)];
  const exponent = Math.min(left.exponent, right.exponent);
  const [x, y] = [left, right].map(({ digits, exponent: own }) => digits * 10n ** BigInt(own - exponent)) as [
    bigint,
    bigint,
  ];
  return x === y ? 0 : x < y ? -1 : 1;
}

/** The sum of two numbers, or their difference, as DynamoDB would write it. */
export function addNumbers(a: string, b: string, sign: 1n | -1n): string {
  const [left, right] = [decimal(a), decimal(b)];
  const exponent = Math.min(left.exponent, right.exponent);
  const scale = ({ digits, exponent: own }: Decimal): bigint => digits * 10n ** BigInt(own - exponent);
  const sum = scale(left) + sign * scale(right);
  if (exponent >= 0) return (sum * 10n ** BigInt(exponent)).toString();
  const text = (sum < 0n ? -sum : sum).toString().padStart(1 - exponent, '0');
  const fraction = text.slice(exponent).replace(/0+$/, '');
  return `${sum < 0n ? '-' : ''}${text.slice(0, exponent)}${fraction === '' ? '' : `.${fraction}`}`;
}

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function decimal(text: string): Decimal {
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return {
    digits: BigInt(`${whole.replace('+', '')}${fraction}`.replace(/^-$/, '0')),
    exponent: Number(power) - fraction.length,
  };
}

function isNumber(content: unknown): boolean {
  return typeof content === 'string' && content.length <= 200 && NUMBER.test(content);
}

function isSetOf(content: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(content) && content.length > 0 && content.every(isOne);
}

function firstProblem(values: readonly unknown[], depth: number): string | null {
  for (const value of values) {
    const problem = attributeProblem(value, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
