/** Marks a text that stands for a number: a private character, which no provider writes. */
const NUMBER_MARK = '\u{e000}';
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Keeps the digits of numbers that a browser cannot hold: in JSON text, each such number becomes a marked text.
 * {@link valueText} shows it as the number that it is.
 */
export function keepDigits(json: string): string {
  return json.replaceAll(TOKEN, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : JSON.stringify(NUMBER_MARK + token),
  );
}

/** A value of a state as JSON text, every digit kept. @param indent spaces for each level; 0 for one line */
export function valueText(value: unknown, indent: number = 0): string {
  const text = JSON.stringify(value, null, indent) ?? '';
  return text.replaceAll(/"\u{e000}(-?[\d.eE+-]+)"/gu, '$1');
}
