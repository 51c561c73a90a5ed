/** What a cell of a table may be. */
export type CsvCell = string | number | null;

/** A line of CSV (RFC 4180), with its end. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

/** One cell. What a spreadsheet would take for a formula is kept a text (OWASP, "CSV Injection"). */
function cellText(value: CsvCell): string {
  const text = String(value ?? '');
  const safe =
    typeof value === 'string' && /^\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
