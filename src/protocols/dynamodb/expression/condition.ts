import { compare, contentOf, equals, typeOf, TYPES, type AttributeValue, type Item } from '../attribute.ts';
import { parsePath, parseValue, valueAt, type Placeholders } from './names.ts';
import { ExpressionProblem, Tokens } from './tokens.ts';

/** A question about an item. */
export type Condition = (item: Item) => boolean;
type Operand = (item: Item) => AttributeValue | undefined;

/** Brackets and NOTs nest at most so deep: far more than DynamoDB's own bound on operators allows. */
const NESTING_MAX = 100;

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/**
 * Reads a condition, filter or key condition expression.
 * Source: Amazon DynamoDB developer guide, "Condition and filter expressions, operators, and functions".
 * @throws {ExpressionProblem}
 */
export function parseCondition(expression: string, placeholders: Placeholders): Condition {
  const parser = new Parser(new Tokens(expression), placeholders);
  return parser.whole();
}

class Parser {
  readonly #tokens: Tokens;
  readonly #placeholders: Placeholders;
  #depth = 0;

  constructor(tokens: Tokens, placeholders: Placeholders) {
    this.#tokens = tokens;
    this.#placeholders = placeholders;
  }

  whole(): Condition {
    const condition = this.#or();
    this.#tokens.end();
    return condition;
  }

  #or(): Condition {
    let left = this.#and();
    while (this.#tokens.accept('OR')) {
      const [first, second] = [left, this.#and()];
      left = (item) => first(item) || second(item);
    }
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    while (this.#tokens.accept('AND')) {
      const [first, second] = [left, this.#not()];
      left = (item) => first(item) && second(item);
    }
    return left;
  }

  #not(): Condition {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw new ExpressionProblem('The expression is nested too deeply');
    try {
      if (this.#tokens.accept('NOT')) {
        const inner = this.#not();
        return (item) => !inner(item);
      }
      if (this.#tokens.accept('(')) {
        const inner = this.#or();
        this.#tokens.expect(')');
        return inner;
      }
      return this.#test();
    } finally {
      this.#depth -= 1;
    }
  }

  #test(): Condition {
    const { text } = this.#tokens.next;
    if (this.#tokens.isFunction() && text !== 'size') return this.#function();
    const left = this.#operand();
    if (this.#tokens.accept('BETWEEN')) {
      const low = this.#operand();
      this.#tokens.expect('AND');
      const high = this.#operand();
      return (item) => order(left(item), low(item), '>=') && order(left(item), high(item), '<=');
    }
    if (this.#tokens.accept('IN')) {
      const options = this.#list();
      return (item) => options.some((option) => same(left(item), option(item)));
    }
    const { text: sign } = this.#tokens.next;
    if (sign !== '=' && sign !== '<>' && !Object.hasOwn(COMPARISONS, sign)) throw this.#tokens.unexpected();
    this.#tokens.take();
    const right = this.#operand();
    if (sign === '=') return (item) => same(left(item), right(item));
    if (sign === '<>') return (item) => !same(left(item), right(item));
    return (item) => order(left(item), right(item), sign);
  }

  #list(): readonly Operand[] {
    const options: Operand[] = [];
    this.#tokens.expect('(');
    do options.push(this.#operand());
    while (this.#tokens.accept(','));
    this.#tokens.expect(')');
    return options;
  }

  #function(): Condition {
    const { text: name } = this.#tokens.take();
    this.#tokens.expect('(');
    const path = parsePathOrValue(this.#tokens, this.#placeholders);
    const argument = this.#tokens.accept(',') ? this.#operand() : null;
    this.#tokens.expect(')');
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
        return (item) => path(item) !== undefined;
      case 'attribute_not_exists':
        return (item) => path(item) === undefined;
      case 'attribute_type':
        return hasType(path, two());
      case 'begins_with':
        return beginsWith(path, two());
      case 'contains':
        return contains(path, two());
      default:
        throw new ExpressionProblem(`Invalid function name; function: ${name}`);
    }
  }

  #operand(): Operand {
    if (this.#tokens.isFunction() && this.#tokens.next.text === 'size') {
      this.#tokens.take();
      this.#tokens.expect('(');
      const path = parsePathOrValue(this.#tokens, this.#placeholders);
      this.#tokens.expect(')');
      return (item) => sizeOf(path(item));
    }
    return parsePathOrValue(this.#tokens, this.#placeholders);
  }
}

function parsePathOrValue(tokens: Tokens, placeholders: Placeholders): Operand {
  const value = parseValue(tokens, placeholders);
  if (value !== null) return () => value;
  const path = parsePath(tokens, placeholders);
  return (item) => valueAt(item, path);
}

function same(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  return a !== undefined && b !== undefined && equals(a, b);
}

function order(a: AttributeValue | undefined, b: AttributeValue | undefined, sign: string): boolean {
  const found = a === undefined || b === undefined ? null : compare(a, b);
  return found !== null && (COMPARISONS[sign]?.(found) ?? false);
}

function hasType(path: Operand, wanted: Operand): Condition {
  return (item) => {
    const type = wanted(item);
    if (type === undefined || !('S' in type) || !(TYPES as readonly string[]).includes(type.S)) {
      throw new ExpressionProblem('Invalid attribute type name found');
    }
    const value = path(item);
    return value !== undefined && typeOf(value) === type.S;
  };
}

function beginsWith(path: Operand, start: Operand): Condition {
  return (item) => {
    const [value, prefix] = [path(item), start(item)];
    if (value === undefined || prefix === undefined || typeOf(value) !== typeOf(prefix)) return false;
    if ('S' in value && 'S' in prefix) return value.S.startsWith(prefix.S);
    return 'B' in value && 'B' in prefix
      ? Buffer.from(value.B, 'base64').indexOf(Buffer.from(prefix.B, 'base64')) === 0
      : false;
  };
}

function contains(path: Operand, part: Operand): Condition {
  return (item) => {
    const [value, wanted] = [path(item), part(item)];
    if (value === undefined || wanted === undefined) return false;
    if ('S' in value) return 'S' in wanted && value.S.includes(wanted.S);
    if ('L' in value) return value.L.some((one) => equals(one, wanted));
    const type = typeOf(value);
    if (type !== 'SS' && type !== 'NS' && type !== 'BS') return false;
    const element = type.slice(0, 1);
    return (contentOf(value) as string[]).some((one) => equals({ [element]: one } as AttributeValue, wanted));
  };
}

function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  if (value === undefined) return undefined;
  if ('S' in value) return { N: String(Buffer.byteLength(value.S)) };
  if ('B' in value) return { N: String(Buffer.from(value.B, 'base64').length) };
  const content = contentOf(value);
  if (Array.isArray(content)) return { N: String(content.length) };
  return 'M' in value ? { N: String(Object.keys(value.M).length) } : undefined;
}
