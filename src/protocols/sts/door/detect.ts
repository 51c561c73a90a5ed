import { readQuery } from '../../wire/uri.ts';
import type { DoorRequest } from '../../door.ts';

/** The operations of this door, by the names that AWS gives them. */
export const OPERATION_NAMES = ['GetCallerIdentity', 'GetUser', 'AssumeRole'] as const;
export type Operation = (typeof OPERATION_NAMES)[number];

/** What a request asks. */
export interface DetectedRequest {
  /** null where this door has no action of that name. */
  readonly operation: Operation | null;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The action that a request names, in its body (POST) or its query (GET), and what else stands there. */
export function detect(request: DoorRequest, body: Uint8Array): DetectedRequest {
  const form = request.method === 'POST' ? Buffer.from(body).toString('latin1') : request.query;
  const parameters = readQuery(form) ?? new Map<string, string>();
  const action = parameters.get('Action');
  return { operation: OPERATION_NAMES.find((operation) => operation === action) ?? null, parameters };
}
