import { LOCK_INFO_TAKEN_BYTES_MAX } from '../../../core/lock-info.ts';
import type { Address } from '../../../core/address.ts';
import { LOCK_FILE_ALIAS } from '../layout.ts';
import { openPayload, planPayload } from '../../aws/payload.ts';
import type { DigestName } from '../../wire/digest.ts';
import { readBody } from '../../wire/read-body.ts';
import { emptyReply, idHeaders, type Answer, type DoorCall } from './call.ts';
import { readConditions } from '../../wire/conditions.ts';
import { readRange } from '../../wire/ranges.ts';
import { encryptionHeaders } from './encryption.ts';
import { noSuchKey, notKept, preconditionFailed, refused } from './errors.ts';
import { checksumsOf, md5Hex } from './state-object.ts';

/**
 * PutObject of a lock file asks for the lock, with or without `If-None-Match: *`: a held lock is never overwritten. A
 * request that comes again with the same lock ID, because its answer was lost, gets the answer that it did not hear.
 */
export async function putLockFile(call: DoorCall, address: Address): Promise<Answer> {
  const { locks, caller, request, authenticatedRequest } = call;
  const plan = planPayload(authenticatedRequest.mode, (name) => request.header(name));
  const seen = new Map<DigestName, Uint8Array>();
  const body = openPayload(request.body, plan, authenticatedRequest.verified, seen);
  const info = await readBody(
    { body, contentLength: plan.decodedLength, keep: request.keep },
    LOCK_INFO_TAKEN_BYTES_MAX,
  );
  if (info === null)
    return notKept(`The lock file is too large: expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes.`);
  // Written first: nothing may go wrong between a grant and its answer.
  const granted = emptyReply(call, 200, {
    etag: `"${md5Hex(info)}"`,
    ...encryptionHeaders(request),
    ...checksumsOf(plan, seen),
  });
  const answer = await locks.take(caller, address, { info, alias: LOCK_FILE_ALIAS, request });
  switch (answer.type) {
    case 'granted':
      return { ...granted, undelivered: answer.undelivered };
    case 'no-lock-info':
      return notKept(`Only lock files of Terraform are kept under this name: ${answer.problem}.`);
    case 'held':
      return preconditionFailed('If-None-Match');
    default:
      return refused(answer);
  }
}

/** GetObject and HeadObject of a lock file: the holder's lock info, whichever door it holds the lock through. */
export async function getLockFile(call: DoorCall, address: Address): Promise<Answer> {
  const { locks, caller, request, asked } = call;
  // A HEAD names no holder, so it is not the look that follows on a refusal.
  const alias = asked.operation === 'HeadObject' ? null : LOCK_FILE_ALIAS;
  const looked = await locks.look(caller, address, request, alias);
  if (looked.type !== 'looked') return refused(looked);
  if (looked.lock === null) return noSuchKey();
  const { holder, info } = looked.lock;
  const etag = md5Hex(info);
  const headers = {
    ...idHeaders(request),
    etag: `"${etag}"`,
    'last-modified': new Date(holder.since).toUTCString(),
    ...encryptionHeaders(request),
  };
  const condition = readConditions((name) => request.header(name), { etag, modified: holder.since });
  if (condition === 304) return { operation: asked.operation, status: 304, headers, body: null };
  if (condition !== null) return preconditionFailed(condition);
  const span = readRange(request.header('range'), info.length);
  const [from, to] = span === null || span === 'unsatisfiable' ? [0, info.length] : span;
  const part = typeof span !== 'string' && span !== null;
  return {
    operation: asked.operation,
    status: part ? 206 : 200,
    headers: {
      ...headers,
      'accept-ranges': 'bytes',
      'content-type': 'application/json',
      'content-length': String(to - from),
      ...(part ? { 'content-range': `bytes ${from}-${to - 1}/${info.length}` } : {}),
    },
    body: asked.operation === 'HeadObject' ? null : info.subarray(from, to),
  };
}

/** DeleteObject of a lock file releases the lock that the client has just read, or breaks it for an operator. */
export async function deleteLockFile(call: DoorCall, address: Address): Promise<Answer> {
  const { locks, caller, request } = call;
  const answer = await locks.drop(caller, address, { alias: LOCK_FILE_ALIAS, request });
  // S3 answers the deletion of what is not there like any other.
  if (answer.type === 'released' || answer.type === 'not-locked') return emptyReply(call, 204);
  return refused(answer);
}
