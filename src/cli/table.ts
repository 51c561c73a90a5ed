/** Lines up rows under their headings, two spaces between columns, no trailing spaces. Ends with a line end. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all
    .map((row) =>
      widths
        .map((wide, column) => pad(row[column] ?? '', wide))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Names and values, one a line, the values in one column. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): string {
  const wide = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${`${name}:`.padEnd(wide + 2)} ${value}`.trimEnd()).join('\n');
}

function pad(text: string, wide: number): string {
  return text + ' '.repeat(Math.max(0, wide - width(text)));
}

/** Columns that a text takes, without the colour codes in it. */
function width(text: string): number {
  // oxlint-disable-next-line no-control-regex -- a colour code begins with the escape character
  return [...text.replace(/\u001b\[[0-9;]*m/g, '')].length;
}
