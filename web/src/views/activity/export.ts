import type { AuditShape } from '../../../../src/api/shapes/house.ts';

const COLUMNS = [
  'id',
  'at',
  'subject',
  'action',
  'address',
  'door',
  'refused',
  'credential',
  'peer',
  'requestId',
  'userAgent',
] as const;

/** Records as CSV, with their details as JSON in the last column. */
export function csvOf(records: readonly AuditShape[]): string {
  const lines = records.map((record) =>
    [...COLUMNS.map((name) => record[name]), JSON.stringify(record.detail)].map(cell).join(','),
  );
  return `${[[...COLUMNS, 'detail'].join(','), ...lines].join('\r\n')}\r\n`;
}

/** Has the browser save a text as a file. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** One cell. What a spreadsheet would take for a formula is kept a text. */
export function cell(value: string | number | null): string {
  const text = String(value ?? '');
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
