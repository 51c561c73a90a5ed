import { stringify } from 'lossless-json';
import type { z } from 'zod';
import type { DoorReply } from '../door.ts';
import { problemReply } from './problem.ts';

/** A JSON answer; numbers that came out of a state keep their text. */
export function jsonReply(operation: string, value: unknown, status = 200): DoorReply {
  return jsonTextReply(operation, stringify(value) ?? 'null', status);
}

/** The same, of what is JSON text already. */
export function jsonTextReply(operation: string, text: string, status = 200): DoorReply {
  return {
    operation,
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: Buffer.from(`${text}\n`),
  };
}

/** A query or body that is not what its operation takes. */
export function badRequest(operation: string, message: string): DoorReply {
  return problemReply(operation, 'bad-request', { status: 400, message });
}

/** What is wrong with a value, field by field; never the value itself. */
export function inWords(error: z.ZodError): string {
  const issues = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return issues.join('; ');
}
