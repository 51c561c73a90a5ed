import { canonicalNumber, compareNumbers, numberProblem } from './number.ts';

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
/** What DynamoDB says first of a value that is of the right type and yet not allowed. */
const WRONG = 'One or more parameter values were invalid:';
const EMPTY_SET = {
  SS: 'An string set  may not be empty',
  NS: 'An number set  may not be empty',
  BS: 'Binary sets should not be empty',
} as const;

export function typeOf(value: AttributeValue): AttributeType {
  return Object.keys(value)[0] as AttributeType;
}

/** What is inside a value, whatever its type. */
export function contentOf(value: AttributeValue): unknown {
  return Object.values(value)[0];
}

/** Checks that a piece of JSON is an attribute value; says what is wrong with it in DynamoDB's words, or null. */
export function attributeProblem(value: unknown, depth = 0): string | null {
  if (!isRecord(value)) return 'an attribute value is an object such as {"S": "text"}';
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined) {
    return 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes';
  }
  if (entries.length !== 1) {
    return 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes';
  }
  if (depth > DEPTH_MAX) return 'Nesting Levels have exceeded supported limits';
  const [type, content] = entry;
  switch (type) {
    case 'S':
    case 'B':
      return typeof content === 'string' ? null : `${type} is not a string`;
    case 'N':
      return typeof content === 'string'
        ? numberProblem(content)
        : 'The parameter cannot be converted to a numeric value';
    case 'BOOL':
    case 'NULL':
      return typeof content === 'boolean' ? null : `${type} is not true or false`;
    case 'SS':
    case 'NS':
    case 'BS':
      return setProblem(value as unknown as AttributeValue, type, content);
    case 'L':
      return Array.isArray(content) ? firstProblem(content, depth) : 'L is not a list';
    case 'M':
      return isRecord(content) ? firstProblem(Object.values(content), depth) : 'M is not a map';
    default:
      return `${type} is not a type of attribute value`;
  }
}

/** Whether two values are the same: of one type, numbers by value, sets in any order. */
export function equals(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  const [left, right] = [contentOf(a), contentOf(b)];
  switch (type) {
    case 'N':
    case 'B':
      return canonical(type, left as string) === canonical(type, right as string);
    case 'SS':
    case 'NS':
    case 'BS':
      return sameMembers(membersOf(a), membersOf(b));
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
      const names = membersOf(a);
      return (
        sameMembers(names, membersOf(b)) &&
        [...names].every((name) => equals(ones[name] as AttributeValue, others[name] as AttributeValue))
      );
    }
    default:
      return left === right;
  }
}

/** Whether a set has an element, which is a value of the set's own kind. */
export function hasElement(set: AttributeValue, element: AttributeValue): boolean {
  const type = typeOf(element);
  if (typeOf(set) !== `${type}S` || !isElementType(type)) return false;
  return membersOf(set).has(canonical(type, contentOf(element) as string));
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

type ElementType = 'S' | 'N' | 'B';
type SetType = `${ElementType}S`;

function isElementType(type: AttributeType): type is ElementType {
  return type === 'S' || type === 'N' || type === 'B';
}

/** The one text of an element: numbers by value, binary by its bytes. */
function canonical(type: ElementType, text: string): string {
  if (type === 'N') return canonicalNumber(text);
  return type === 'B' ? Buffer.from(text, 'base64').toString('base64') : text;
}

const members = new WeakMap<AttributeValue, ReadonlySet<string>>();

/** The elements of a set, each as its one text, or the names of a map: read once, however often the value is compared. */
function membersOf(value: AttributeValue): ReadonlySet<string> {
  const known = members.get(value);
  if (known !== undefined) return known;
  const [type, content] = [typeOf(value), contentOf(value)];
  const element = type.slice(0, 1) as ElementType;
  const found = new Set(
    type === 'M'
      ? Object.keys(content as object)
      : (content as readonly string[]).map((one) => canonical(element, one)),
  );
  members.set(value, found);
  return found;
}

function sameMembers(ones: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  if (ones.size !== others.size) return false;
  for (const one of ones) if (!others.has(one)) return false;
  return true;
}

function setProblem(value: AttributeValue, type: SetType, content: unknown): string | null {
  const isSet = Array.isArray(content) && content.every((one) => typeof one === 'string');
  if (!isSet) return `${type} is not a set of strings`;
  if (content.length === 0) return `${WRONG} ${EMPTY_SET[type]}`;
  for (const one of type === 'NS' ? content : []) {
    const problem = numberProblem(one);
    if (problem !== null) return problem;
  }
  if (membersOf(value).size === content.length) return null;
  if (type === 'NS') return 'Input collection contains duplicates';
  const shown = `[${content.join(', ')}]`;
  return type === 'SS'
    ? `${WRONG} Input collection ${shown} contains duplicates.`
    : `${WRONG} Input collection ${shown}of type BS contains duplicates.`;
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
