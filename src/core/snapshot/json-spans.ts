/** Where a value stands in a text: [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A member of an object: its name, where its value stands, and where the whole of it begins. */
export interface MemberSpan extends Span {
  readonly name: string;
  /** Where the quote before its name stands. */
  readonly nameStart: number;
}

/**
 * The members of an object in a text that is known to be JSON, so that they can be copied as they are.
 * @param start where its brace stands
 */
export function membersOf(text: string, start: number): readonly MemberSpan[] {
  const members: MemberSpan[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const nameStart = at;
    const nameEnd = stringEnd(text, at);
    const name = JSON.parse(text.slice(nameStart, nameEnd)) as string;
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = valueEnd(text, value);
    members.push({ name, nameStart, start: value, end });
    at = next(text, end);
  }
  return members;
}

/**
 * The elements of an array, likewise.
 * @param start where its bracket stands
 */
export function elementsOf(text: string, start: number): readonly Span[] {
  const elements: Span[] = [];
  let at = skipSpace(text, start + 1);
  while (at < text.length && text[at] !== ']') {
    const end = valueEnd(text, at);
    elements.push({ start: at, end });
    at = next(text, end);
  }
  return elements;
}

/** Where the first value of a text begins. */
export function firstValue(text: string): number {
  return skipSpace(text, 0);
}

/** Past the comma that follows a value, if one does. */
function next(text: string, end: number): number {
  const at = skipSpace(text, end);
  return text[at] === ',' ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \n\r\t'.includes(text[at] ?? '"')) at += 1;
  return at;
}

function stringEnd(text: string, quote: number): number {
  let at = quote + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function valueEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"') {
      at = stringEnd(text, at);
      if (depth === 0) return at;
    } else if (character === '{' || character === '[') {
      depth += 1;
      at += 1;
    } else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth -= 1;
      at += 1;
      if (depth === 0) return at;
    } else if (depth === 0 && ', \n\r\t'.includes(character)) {
      return at;
    } else {
      at += 1;
    }
  }
  return at;
}
