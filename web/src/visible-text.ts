/** What changes how the text beside it reads, and is not seen itself: controls, bidirectional marks, zero-width characters. */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The most characters that a line of the page shows of one text. */
export const LINE_LENGTH_MAX = 400;

/**
 * A text of somebody else's, so that what is seen is what it says: characters that are not seen stand there by their number.
 * @param most characters that are shown; the rest is left out, which is said
 */
export function visibleText(text: string, most: number = LINE_LENGTH_MAX): string {
  const shown = text.length > most ? text.slice(0, most) : text;
  const told = shown.replaceAll(UNSEEN, (sign) => {
    const code = (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `⟨U+${code}⟩`;
  });
  return shown.length < text.length ? `${told}… (${text.length - shown.length} more characters)` : told;
}
