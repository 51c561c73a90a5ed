/**
 * What a terminal obeys or does not show: control characters (escape sequences begin with one), line and paragraph separators,
 * characters that turn the direction of writing, and those that are drawn as nothing (Unicode: Cc, Cf, Zl, Zp, Cs,
 * Default_Ignorable_Code_Point).
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text that others wrote, with what cannot be seen in it written as JSON would: `\u001b`. One line comes out as one line. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT[character] ?? escaped(character));
}

/** Whether there is something in a text that cannot be seen. */
export function hasUnseen(text: string): boolean {
  return visible(text) !== text;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('');
}
