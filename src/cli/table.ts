import { visible } from '../core/visible.ts';

/** Lines up rows under their headings, two spaces between columns, no trailing spaces: a line for each row. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  // As they will be shown, so that the columns stand below each other.
  const all = [headings, ...rows].map((row) => row.map(visible));
  const widths = headings.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all.map((row) =>
    widths
      .map((wide, column) => pad(row[column] ?? '', wide))
      .join('  ')
      .trimEnd(),
  );
}

/** Names and values, one a line, the values in one column. */
export function formatFacts(facts: readonly (readonly [name: string, value: string])[]): readonly string[] {
  const wide = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${`${name}:`.padEnd(wide + 2)} ${value}`.trimEnd());
}

function pad(text: string, wide: number): string {
  return text + ' '.repeat(Math.max(0, wide - width(text)));
}

/** Columns that a text takes. */
function width(text: string): number {
  return [...text].length;
}
