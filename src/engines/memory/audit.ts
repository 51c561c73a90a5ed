import { type AuditFilter, type AuditRecord, type ChangeRecord, LOOK_ACTIONS } from '../../ports/engine.ts';
import { isSameAddress } from '../../core/address.ts';

/** Whether a record is among those that are asked for. */
export function fits(record: AuditRecord, filter: AuditFilter): boolean {
  const { address, action, subject, refused = false, since = -Infinity, until = Infinity } = filter;
  return (
    record.at >= since &&
    record.at < until &&
    (address === undefined || (record.address !== null && isSameAddress(record.address, address))) &&
    (action === undefined || record.note.action === action) &&
    (!refused || record.note.refused !== undefined) &&
    (subject === undefined || record.note.subject === subject)
  );
}

/** Whether a record is of something that was changed at an address. */
export function isChange(record: AuditRecord): record is ChangeRecord {
  return (
    record.address !== null && record.note.refused === undefined && !LOOK_ACTIONS.includes(record.note.action)
  );
}
