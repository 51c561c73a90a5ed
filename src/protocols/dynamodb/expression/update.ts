import type { AttributeValue, Item } from '../attribute.ts';
import { addNumbers, numberProblem } from '../number.ts';
import { parsePath, parseValue, valueAt, type Placeholders } from './names.ts';
import { ExpressionProblem, Tokens } from './tokens.ts';

/** The item that an update makes of an item. */
export type Update = (item: Item) => Item;
type Operand = (item: Item) => AttributeValue;
type AttributeChange = (item: Item, changed: Map<string, AttributeValue>) => void;

const CLAUSES = ['SET', 'REMOVE', 'ADD'] as const;

/**
 * Reads an update expression as far as lock tables use it: SET (values, paths, `if_not_exists`, `+` and `-`), REMOVE, and ADD
 * of numbers, all of whole attributes.
 * Source: Amazon DynamoDB developer guide, "Update expressions".
 * @throws {ExpressionProblem}
 */
export function parseUpdate(expression: string, placeholders: Placeholders): Update {
  const tokens = new Tokens(expression);
  const changes: AttributeChange[] = [];
  const seen = new Set<string>();
  while (tokens.next.kind !== 'end') {
    const clause = CLAUSES.find((name) => tokens.accept(name));
    if (clause === undefined) throw tokens.unexpected();
    if (seen.has(clause)) {
      throw new ExpressionProblem(`The "${clause}" section can only be used once in an update expression;`);
    }
    seen.add(clause);
    do changes.push(parseChange(clause, tokens, placeholders));
    while (tokens.accept(','));
  }
  return (item) => {
    const changed = new Map(item);
    for (const change of changes) change(item, changed);
    return changed;
  };
}

function parseChange(
  clause: (typeof CLAUSES)[number],
  tokens: Tokens,
  placeholders: Placeholders,
): AttributeChange {
  const name = attribute(tokens, placeholders);
  if (clause === 'REMOVE') return (_, changed) => void changed.delete(name);
  if (clause === 'ADD') {
    const amount = operand(tokens, placeholders);
    return (item, changed) => {
      const before = item.get(name) ?? { N: '0' };
      changed.set(name, sum(before, amount(item), 1n));
    };
  }
  tokens.expect('=');
  const left = operand(tokens, placeholders);
  const sign = tokens.acceptOperator('+') ? 1n : tokens.acceptOperator('-') ? -1n : null;
  if (sign === null) return (item, changed) => void changed.set(name, left(item));
  const right = operand(tokens, placeholders);
  return (item, changed) => void changed.set(name, sum(left(item), right(item), sign));
}

function operand(tokens: Tokens, placeholders: Placeholders): Operand {
  if (tokens.isFunction()) {
    if (!tokens.acceptOperator('if_not_exists')) {
      throw new ExpressionProblem(`Invalid function name; function: ${tokens.next.text}`);
    }
    tokens.expect('(');
    const path = parsePath(tokens, placeholders);
    tokens.expect(',');
    const otherwise = operand(tokens, placeholders);
    tokens.expect(')');
    return (item) => valueAt(item, path) ?? otherwise(item);
  }
  const value = parseValue(tokens, placeholders);
  if (value !== null) return () => value;
  const path = parsePath(tokens, placeholders);
  return (item) => {
    const found = valueAt(item, path);
    if (found !== undefined) return found;
    throw new ExpressionProblem(
      'The provided expression refers to an attribute that does not exist in the item',
    );
  };
}

function attribute(tokens: Tokens, placeholders: Placeholders): string {
  const [name, ...rest] = parsePath(tokens, placeholders);
  if (rest.length > 0) {
    throw new ExpressionProblem('The document path provided in the update expression is invalid for update');
  }
  return name;
}

function sum(a: AttributeValue, b: AttributeValue, sign: 1n | -1n): AttributeValue {
  if (!('N' in a && 'N' in b)) {
    throw new ExpressionProblem('An operand in the update expression has an incorrect data type');
  }
  const N = addNumbers(a.N, b.N, sign);
  const problem = numberProblem(N);
  if (problem !== null) throw new ExpressionProblem(problem);
  return { N };
}
