import type { AuditShape } from '../../../../src/api/shapes/house.ts';
import { csvLine } from '../../../../src/api/csv.ts';

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
export function recordsCsv(records: readonly AuditShape[]): string {
  const rows = records.map((record) => [
    ...COLUMNS.map((name) => record[name]),
    JSON.stringify(record.detail),
  ]);
  return [[...COLUMNS, 'detail'], ...rows].map(csvLine).join('');
}
