import type { AttributeValue, Item } from '../attribute.ts';
import { isReserved } from './reserved.ts';
import { ExpressionProblem, type Tokens } from './tokens.ts';

/** A path into an item: an attribute, and what is inside it by name or by place. */
export type Path = readonly [string, ...(string | number)[]];

/** Amazon DynamoDB developer guide, "Constraints": a path has at most so many steps. */
const PATH_STEPS_MAX = 32;

/** The names and values that a request gives to its expressions, each of which must be used. */
export class Placeholders {
  readonly #names: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, AttributeValue>;
  readonly #used = new Set<string>();

  constructor(
    names: Readonly<Record<string, string>> = {},
    values: Readonly<Record<string, AttributeValue>> = {},
  ) {
    this.#names = new Map(Object.entries(names));
    this.#values = new Map(Object.entries(values));
  }

  name(placeholder: string): string {
    const name = this.#names.get(placeholder);
    if (name === undefined) {
      throw new ExpressionProblem(
        `An expression attribute name used in the document path is not defined; attribute name: ${placeholder}`,
      );
    }
    this.#used.add(placeholder);
    return name;
  }

  value(placeholder: string): AttributeValue {
    const value = this.#values.get(placeholder);
    if (value === undefined) {
      throw new ExpressionProblem(
        `An expression attribute value used in expression is not defined; attribute value: ${placeholder}`,
      );
    }
    this.#used.add(placeholder);
    return value;
  }

  /** Throws where something was given that no expression uses, as DynamoDB does. */
  checkAllUsed(): void {
    const unused = (given: ReadonlyMap<string, unknown>): string =>
      [...given.keys()].filter((key) => !this.#used.has(key)).join(', ');
    const [names, values] = [unused(this.#names), unused(this.#values)];
    if (names !== '') {
      throw new ExpressionProblem(
        `Value provided in ExpressionAttributeNames unused in expressions: keys: {${names}}`,
      );
    }
    if (values !== '') {
      throw new ExpressionProblem(
        `Value provided in ExpressionAttributeValues unused in expressions: keys: {${values}}`,
      );
    }
  }
}

/** Reads a path: `Info`, `#i`, `a.b[2].#c`. */
export function parsePath(tokens: Tokens, placeholders: Placeholders): Path {
  const path: [string, ...(string | number)[]] = [attributeName(tokens, placeholders)];
  for (;;) {
    if (tokens.accept('.')) path.push(attributeName(tokens, placeholders));
    else if (tokens.accept('[')) {
      const { kind, text } = tokens.take();
      if (kind !== 'number') throw new ExpressionProblem(`Syntax error; token: "${text}"`);
      path.push(Number(text));
      tokens.expect(']');
    } else return path;
    if (path.length > PATH_STEPS_MAX) {
      throw new ExpressionProblem(
        `The document path has too many nesting levels; nesting levels: ${path.length}`,
      );
    }
  }
}

/** Reads a value's placeholder, where one comes next. */
export function parseValue(tokens: Tokens, placeholders: Placeholders): AttributeValue | null {
  const { kind, text } = tokens.next;
  if (kind !== 'value') return null;
  tokens.take();
  return placeholders.value(text);
}

/** What stands at a path of an item; undefined where nothing does. */
export function valueAt(item: Item, [first, ...rest]: Path): AttributeValue | undefined {
  let value = item.get(first);
  for (const step of rest) {
    if (value === undefined) return undefined;
    if (typeof step === 'number') value = 'L' in value ? value.L[step] : undefined;
    else value = 'M' in value && Object.hasOwn(value.M, step) ? value.M[step] : undefined;
  }
  return value;
}

function attributeName(tokens: Tokens, placeholders: Placeholders): string {
  const { kind, text } = tokens.next;
  if (kind !== 'word' && kind !== 'name') throw tokens.unexpected();
  tokens.take();
  if (kind === 'name') return placeholders.name(text);
  if (isReserved(text)) {
    throw new ExpressionProblem(`Attribute name is a reserved keyword; reserved keyword: ${text}`);
  }
  return text;
}
