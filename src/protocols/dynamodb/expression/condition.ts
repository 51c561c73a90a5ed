import {
  compare,
  contentOf,
  equals,
  hasElement,
  typeOf,
  TYPES,
  type AttributeValue,
  type Item,
} from '../attribute.ts';
import { parsePath, parseValue, valueAt, type Placeholders } from './names.ts';
import { includesText } from './substring.ts';
import { ExpressionProblem, Tokens } from './tokens.ts';
import { Work } from './work.ts';

/** A question about an item. */
export type Condition = (item: Item) => boolean;
type Read = (item: Item) => AttributeValue | undefined;

/** A path, a value that the request has, or a size. */
interface Operand {
  readonly read: Read;
  /** The value that it is, whatever the item. */
  readonly value: AttributeValue | null;
  /** The type that it has in any case. */
  readonly type: string | null;
  /** The path as names, for comparison with another. */
  readonly path: string | null;
}

/** Amazon DynamoDB developer guide, "Functions": what begins with something, and what has a size. */
const TEXTUAL: readonly string[] = ['S', 'B'];
const SIZED: readonly string[] = ['S', 'B', 'SS', 'NS', 'BS', 'L', 'M'];

/** Brackets and NOTs nest at most so deep: far more than DynamoDB's own bound on operators allows. */
const NESTING_MAX = 100;
/** Amazon DynamoDB developer guide, "Constraints": so many operands of IN. */
const OPERANDS_MAX = 100;

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/**
 * Reads a condition, filter or key condition expression.
 * Source: Amazon DynamoDB developer guide, "Condition and filter expressions, operators, and functions".
 * @param work counts what its tests look at
 * @throws {ExpressionProblem}
 */
export function parseCondition(
  expression: string,
  placeholders: Placeholders,
  work: Work = new Work(),
): Condition {
  return new Parser(new Tokens(expression), placeholders, work).whole();
}

class Parser {
  readonly #tokens: Tokens;
  readonly #placeholders: Placeholders;
  readonly #work: Work;
  #depth = 0;
  /** Where the last pair of brackets began and ended. */
  #bracketed: readonly [number, number] = [-1, -1];

  constructor(tokens: Tokens, placeholders: Placeholders, work: Work) {
    this.#tokens = tokens;
    this.#placeholders = placeholders;
    this.#work = work;
  }

  whole(): Condition {
    const condition = this.#or();
    this.#tokens.end();
    return condition;
  }

  #or(): Condition {
    let left = this.#and();
    while (this.#tokens.acceptOperator('OR')) {
      const [first, second] = [left, this.#and()];
      left = (item) => first(item) || second(item);
    }
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    while (this.#tokens.acceptOperator('AND')) {
      const [first, second] = [left, this.#not()];
      left = (item) => first(item) && second(item);
    }
    return left;
  }

  #not(): Condition {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw new ExpressionProblem('The expression is nested too deeply');
    try {
      if (this.#tokens.acceptOperator('NOT')) {
        const inner = this.#not();
        return (item) => !inner(item);
      }
      if (this.#tokens.accept('(')) return this.#brackets();
      return this.#test();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Brackets around brackets are refused, as DynamoDB does. */
  #brackets(): Condition {
    const from = this.#tokens.at;
    const inner = this.#or();
    const [innerFrom, innerTo] = this.#bracketed;
    if (innerFrom === from + 1 && innerTo === this.#tokens.at) {
      throw new ExpressionProblem('The expression has redundant parentheses;');
    }
    this.#tokens.expect(')');
    this.#bracketed = [from, this.#tokens.at];
    return inner;
  }

  #test(): Condition {
    const { text } = this.#tokens.next;
    if (this.#tokens.isFunction() && text !== 'size') return this.#function();
    const left = this.#operand();
    if (this.#tokens.acceptOperator('BETWEEN')) {
      const low = this.#operand();
      this.#tokens.expect('AND');
      const high = this.#operand();
      return (item) =>
        this.#order(left.read(item), low.read(item), '>=') &&
        this.#order(left.read(item), high.read(item), '<=');
    }
    if (this.#tokens.acceptOperator('IN')) {
      const options = this.#list();
      return (item) => options.some((option) => this.#same(left.read(item), option.read(item)));
    }
    const { text: sign } = this.#tokens.next;
    if (sign !== '=' && sign !== '<>' && !Object.hasOwn(COMPARISONS, sign)) throw this.#tokens.unexpected();
    this.#tokens.acceptOperator(sign);
    const right = this.#operand();
    mustDiffer(sign, left, right);
    if (sign === '=') return (item) => this.#same(left.read(item), right.read(item));
    if (sign === '<>') return (item) => !this.#same(left.read(item), right.read(item));
    return (item) => this.#order(left.read(item), right.read(item), sign);
  }

  #same(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
    this.#work.test(a, b);
    return a !== undefined && b !== undefined && equals(a, b);
  }

  #order(a: AttributeValue | undefined, b: AttributeValue | undefined, sign: string): boolean {
    this.#work.test(a, b);
    const found = a === undefined || b === undefined ? null : compare(a, b);
    return found !== null && (COMPARISONS[sign]?.(found) ?? false);
  }

  #list(): readonly Operand[] {
    const options: Operand[] = [];
    this.#tokens.expect('(');
    do options.push(this.#operand());
    while (this.#tokens.accept(','));
    this.#tokens.expect(')');
    if (options.length > OPERANDS_MAX) {
      throw new ExpressionProblem(
        `Incorrect number of operands for operator or function; operator or function: IN, number of operands: ${options.length}`,
      );
    }
    return options;
  }

  #function(): Condition {
    const { text: name } = this.#tokens.take();
    this.#tokens.countOperator();
    this.#tokens.expect('(');
    const isPath = this.#tokens.next.kind !== 'value';
    const path = parsePathOrValue(this.#tokens, this.#placeholders);
    const argument = this.#tokens.accept(',') ? this.#operand() : null;
    this.#tokens.expect(')');
    if (!isPath && name.startsWith('attribute_')) {
      throw new ExpressionProblem(
        `Operator or function requires a document path; operator or function: ${name}`,
      );
    }
    const two = (): Operand => {
      if (argument !== null) return argument;
      throw new ExpressionProblem(
        `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: 1`,
      );
    };
    if (argument !== null && name.startsWith('attribute_') && name !== 'attribute_type') {
      throw new ExpressionProblem(
        `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: 2`,
      );
    }
    switch (name) {
      case 'attribute_exists':
        return (item) => this.#valueOf(path, item) !== undefined;
      case 'attribute_not_exists':
        return (item) => this.#valueOf(path, item) === undefined;
      case 'attribute_type':
        return hasType((item) => this.#valueOf(path, item), typeNameOf(path, two()));
      case 'begins_with':
        mustBe(TEXTUAL, name, path);
        mustBe(TEXTUAL, name, two());
        return this.#counted(beginsWith, name, path, two());
      case 'contains':
        return this.#counted(contains, name, path, two());
      default:
        throw new ExpressionProblem(`Invalid function name; function: ${name}`);
    }
  }

  /** What is at a path, of which no more is looked at than that it is there and of which type. */
  #valueOf(path: Operand, item: Item): AttributeValue | undefined {
    this.#work.test();
    return path.read(item);
  }

  #counted(
    test: (value: AttributeValue, other: AttributeValue) => boolean,
    name: string,
    path: Operand,
    argument: Operand,
  ): Condition {
    mustDiffer(name, path, argument);
    return (item) => {
      const [value, other] = [path.read(item), argument.read(item)];
      this.#work.test(value, other);
      return value !== undefined && other !== undefined && test(value, other);
    };
  }

  #operand(): Operand {
    if (this.#tokens.isFunction() && this.#tokens.next.text === 'size') {
      this.#tokens.acceptOperator('size');
      this.#tokens.expect('(');
      const path = parsePathOrValue(this.#tokens, this.#placeholders);
      this.#tokens.expect(')');
      mustBe(SIZED, 'size', path);
      const read: Read = (item) => {
        const value = path.read(item);
        this.#work.test(value);
        return lengthOf(value);
      };
      return { read, value: null, type: 'N', path: null };
    }
    return parsePathOrValue(this.#tokens, this.#placeholders);
  }
}

function parsePathOrValue(tokens: Tokens, placeholders: Placeholders): Operand {
  const value = parseValue(tokens, placeholders);
  if (value !== null) return { read: () => value, value, type: typeOf(value), path: null };
  const path = parsePath(tokens, placeholders);
  return { read: (item) => valueAt(item, path), value: null, type: null, path: JSON.stringify(path) };
}

/** What is compared with itself is a slip, which DynamoDB refuses. */
function mustDiffer(name: string, first: Operand, second: Operand): void {
  if (first.path === null || first.path !== second.path) return;
  const path = (JSON.parse(first.path) as readonly (string | number)[]).map((step) =>
    typeof step === 'number' ? `[${step}]` : step,
  );
  throw new ExpressionProblem(
    `The first operand must be distinct from the remaining operands for this operator or function; operator: ${name}, first operand: [${path.join(', ')}]`,
  );
}

function mustBe(types: readonly string[], name: string, { type }: Operand): void {
  if (type === null || types.includes(type)) return;
  throw new ExpressionProblem(
    `Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
  );
}

/** The name of a type that attribute_type is given, which stands in a value of the request. */
function typeNameOf(path: Operand, wanted: Operand): Read {
  mustDiffer('attribute_type', path, wanted);
  mustBe(['S'], 'attribute_type', wanted);
  const { value } = wanted;
  if (value !== null && 'S' in value && !(TYPES as readonly string[]).includes(value.S)) {
    throw new ExpressionProblem(
      `Invalid attribute type name found; type: ${value.S}, valid types: {${TYPES.join(',')}}`,
    );
  }
  return wanted.read;
}

function hasType(path: Read, wanted: Read): Condition {
  return (item) => {
    const type = wanted(item);
    if (type === undefined || !('S' in type) || !(TYPES as readonly string[]).includes(type.S)) {
      throw new ExpressionProblem('Invalid attribute type name found');
    }
    const value = path(item);
    return value !== undefined && typeOf(value) === type.S;
  };
}

function beginsWith(value: AttributeValue, start: AttributeValue): boolean {
  if ('S' in value && 'S' in start) return value.S.startsWith(start.S);
  if (!('B' in value && 'B' in start)) return false;
  const [bytes, first] = [Buffer.from(value.B, 'base64'), Buffer.from(start.B, 'base64')];
  return bytes.subarray(0, first.length).equals(first);
}

function contains(value: AttributeValue, part: AttributeValue): boolean {
  if ('S' in value) return 'S' in part && includesText(value.S, part.S);
  if ('L' in value) return value.L.some((one) => equals(one, part));
  return hasElement(value, part);
}

function lengthOf(value: AttributeValue | undefined): AttributeValue | undefined {
  if (value === undefined) return undefined;
  if ('S' in value) return { N: String(Buffer.byteLength(value.S)) };
  if ('B' in value) return { N: String(Buffer.from(value.B, 'base64').length) };
  const content = contentOf(value);
  if (Array.isArray(content)) return { N: String(content.length) };
  return 'M' in value ? { N: String(Object.keys(value.M).length) } : undefined;
}
