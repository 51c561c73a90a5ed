/** Why a text cannot be read: what is invalid, and what was expected. */
export interface Problem {
  readonly problem: string;
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'problem' in value;
}

/** Reads a whole number within bounds. */
export function readWholeNumber(
  text: string,
  { from, to }: { readonly from: number; readonly to: number },
): number | Problem {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  return { problem: `invalid number "${text}": expected a whole number from ${from} to ${to}` };
}

/** Reads one of a few words. */
export function readWord<const T extends string>(text: string, words: readonly T[]): T | Problem {
  const word = words.find((candidate) => candidate === text);
  return word ?? { problem: `invalid value "${text}": expected one of ${words.join(', ')}` };
}

/** Reads a truth value, as people write it into environment variables. An empty text is false. */
export function readBoolean(text: string): boolean | Problem {
  if (['0', 'false', 'no', ''].includes(text.toLowerCase())) return false;
  if (['1', 'true', 'yes'].includes(text.toLowerCase())) return true;
  return { problem: `invalid value "${text}": expected true or false` };
}
