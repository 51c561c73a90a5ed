import { formatAddress } from '../../core/address.ts';
import type { AuditLine } from '../../ports/audit-sink.ts';

/** A record as one line of JSON, with the names that the API has for its fields. */
export function lineOf({ at, address, note }: AuditLine): string {
  const { action, subject, door, detail, refused = null, origin = {} } = note;
  const { credential = null, peer = null, requestId = null, userAgent = null, presigned = false } = origin;
  return JSON.stringify({
    at: new Date(at).toISOString(),
    address: address === null ? null : formatAddress(address),
    action,
    refused,
    subject,
    credential,
    peer,
    door,
    requestId,
    userAgent,
    presigned,
    detail,
  });
}
