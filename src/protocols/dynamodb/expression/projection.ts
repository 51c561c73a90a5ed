import type { AttributeValue, Item } from '../attribute.ts';
import { parsePath, valueAt, type Path, type Placeholders } from './names.ts';
import { Tokens } from './tokens.ts';
import { Work } from './work.ts';

/** What looking for one path counts for. */
const PATH = 16;

/** The part of an item that is asked for. */
export type Projection = (item: Item) => Item;

/**
 * Reads a projection expression: paths parted by commas.
 * @throws {ExpressionProblem}
 */
export function parseProjection(
  expression: string,
  placeholders: Placeholders,
  work: Work = new Work(),
): Projection {
  const tokens = new Tokens(expression);
  const paths: Path[] = [];
  do paths.push(parsePath(tokens, placeholders));
  while (tokens.accept(','));
  tokens.end();
  return (item) => {
    work.add(PATH * paths.length);
    const projected = new Map<string, AttributeValue>();
    for (const path of paths) {
      const value = valueAt(item, path);
      if (value !== undefined) projected.set(path[0], nest(projected.get(path[0]), path.slice(1), value));
    }
    return projected;
  };
}

/** Puts a value where its path says, beside what other paths have put there. */
function nest(
  beside: AttributeValue | undefined,
  [step, ...rest]: readonly (string | number)[],
  value: AttributeValue,
): AttributeValue {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = beside !== undefined && 'L' in beside ? beside.L : [];
    return { L: [...list, nest(undefined, rest, value)] };
  }
  const map = beside !== undefined && 'M' in beside ? beside.M : {};
  const inside = Object.hasOwn(map, step) ? map[step] : undefined;
  return { M: { ...map, [step]: nest(inside, rest, value) } };
}
