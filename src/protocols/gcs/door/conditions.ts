import { invalid, type GcsError } from './errors.ts';

const CONDITIONS = [
  'ifGenerationMatch',
  'ifGenerationNotMatch',
  'ifMetagenerationMatch',
  'ifMetagenerationNotMatch',
] as const;

/** The conditions of a request, each a generation or metageneration. */
export type Conditions = Readonly<Partial<Record<(typeof CONDITIONS)[number], number>>>;

/** What is known of an object does not change, so that it has one metageneration. */
export const METAGENERATION = 1;

/**
 * Reads them from the query; generations are numbers in decimal, 0 for an object that is not there.
 * @param of whose they are: a copy has conditions of its source, too
 */
export function readConditions(
  query: ReadonlyMap<string, string>,
  of: '' | 'Source' = '',
): Conditions | GcsError {
  const conditions: Record<string, number> = {};
  // Google's library for Python writes `ifMetaGenerationNotMatch`.
  const given = new Map([...query].map(([name, text]) => [name.toLowerCase(), text]));
  for (const name of CONDITIONS) {
    const said = name.replace(/^if/, `if${of}`);
    const text = given.get(said.toLowerCase());
    if (text === undefined) continue;
    const value = readGeneration(text);
    if (value === null) return invalid(`${said} is not a number in decimal`);
    conditions[name] = value;
  }
  return conditions;
}

/** A generation out of a query; null for what is none. One that is larger than all of ours names nothing. */
export function readGeneration(text: string): number | null {
  return /^\d{1,19}$/.test(text) ? Number(text) : null;
}

/**
 * The condition that does not hold; null where all of them do.
 * @param generation of the object that is there, 0 for none
 */
export function unmet(conditions: Conditions, generation: number): string | null {
  const metageneration = generation === 0 ? 0 : METAGENERATION;
  const { ifGenerationMatch, ifGenerationNotMatch, ifMetagenerationMatch, ifMetagenerationNotMatch } =
    conditions;
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== generation) return 'ifGenerationMatch';
  if (ifGenerationNotMatch === generation) return 'ifGenerationNotMatch';
  if (ifMetagenerationMatch !== undefined && ifMetagenerationMatch !== metageneration)
    return 'ifMetagenerationMatch';
  return ifMetagenerationNotMatch === metageneration ? 'ifMetagenerationNotMatch' : null;
}

export function isConditional(conditions: Conditions): boolean {
  return Object.keys(conditions).length > 0;
}

/** A read whose condition is that there is something else than the reader knows already. */
export function isNotModified(condition: string): boolean {
  return condition.endsWith('NotMatch');
}
