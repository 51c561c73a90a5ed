import type { AnswerOf, OperationName } from '../../api/operations.ts';
import type { DoorReply } from '../../protocols/door.ts';
import * as wire from '../../protocols/wire/json-reply.ts';

/** The answer of an operation, in the shape that `src/api` says. */
export function jsonReply<Name extends OperationName>(
  operation: Name,
  value: AnswerOf<Name>,
  status?: number,
): DoorReply {
  return wire.jsonReply(operation, value, status);
}
