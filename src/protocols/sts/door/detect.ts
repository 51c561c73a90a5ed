import { readQuery } from '../../wire/uri.ts';
import type { DoorRequest } from '../../door.ts';

/** The operations of this door, by the names that AWS gives them. */
export const OPERATION_NAMES = ['GetCallerIdentity', 'GetUser'] as const;
export type Operation = (typeof OPERATION_NAMES)[number];

/** The action that a request names, in its body (POST) or its query (GET); null where this door has none of that name. */
export function detect(request: DoorRequest, body: Uint8Array): Operation | null {
  const form = request.method === 'POST' ? Buffer.from(body).toString('latin1') : request.query;
  const action = readQuery(form)?.get('Action');
  return OPERATION_NAMES.find((operation) => operation === action) ?? null;
}
