import { LOCK_INFO_TAKEN_BYTES_MAX } from '../../../core/lock-info.ts';
import type { Address } from '../../../core/address.ts';
import { LOCK_FILE_ALIAS } from '../layout.ts';
import { openPayload, planPayload } from '../../aws/payload.ts';
import type { DigestName } from '../../wire/digest.ts';
import { isConditional, unmet, type DeleteCondition } from './deletion.ts';
import type { UnlockAnswer } from '../../../house/locks/locks.ts';
import { readBody } from '../../wire/read-body.ts';
import { emptyReply, idHeaders, type Answer, type DoorCall } from './call.ts';
import { readConditions } from '../../wire/conditions.ts';
import { readSpan } from './span.ts';
import { readResponseHeaders } from './response-headers.ts';
import { encryptionHeaders } from './encryption.ts';
import { headerNotDone, noSuchKey, noSuchVersion, notKept, preconditionFailed, refused } from './errors.ts';
import { checksumsOf, md5Hex } from './state-object.ts';

/**
 * PutObject of a lock file asks for the lock, with or without `If-None-Match: *`: a held lock is never overwritten. A
 * request that comes again with the same lock ID, because its answer was lost, gets the answer that it did not hear.
 */
export async function putLockFile(call: DoorCall, address: Address): Promise<Answer> {
  const { locks, caller, request, authenticatedRequest } = call;
  if (request.header('if-match') !== undefined) return headerNotDone('If-Match');
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
  if (namesVersion(asked.query.get('versionId'))) return noSuchVersion();
  const said = readResponseHeaders(asked.query);
  if ('code' in said) return said;
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
  const part = readSpan(call, info.length, { etag, modified: holder.since });
  if ('code' in part) return part;
  const { span } = part;
  const [from, to] = span ?? [0, info.length];
  return {
    operation: asked.operation,
    status: span === null ? 200 : 206,
    headers: {
      ...headers,
      'accept-ranges': 'bytes',
      'content-type': 'application/json',
      'content-length': String(to - from),
      ...(span === null ? {} : { 'content-range': `bytes ${from}-${to - 1}/${info.length}` }),
      ...said.headers,
    },
    body: asked.operation === 'HeadObject' ? null : info.subarray(from, to),
  };
}

/**
 * DeleteObject of a lock file releases the lock that the client has just read, or breaks it for an operator. On a condition it
 * releases the lock that meets it.
 */
export async function deleteLockFile(
  call: DoorCall,
  address: Address,
  version: string | undefined,
  condition: DeleteCondition,
): Promise<Answer> {
  const { locks, caller, request } = call;
  if (namesVersion(version)) return noSuchVersion();
  const asked = { alias: LOCK_FILE_ALIAS, request };
  if (!isConditional(condition)) return deleted(call, await locks.drop(caller, address, asked));
  const looked = await locks.look(caller, address, request, null);
  if (looked.type !== 'looked') return refused(looked);
  if (looked.lock === null) return noSuchKey();
  const { holder, info } = looked.lock;
  const failed = unmet(condition, { etag: md5Hex(info), size: info.length, modified: holder.since });
  if (failed !== null) return preconditionFailed(failed);
  return deleted(call, await locks.release(caller, address, holder.lockId, asked));
}

function deleted(call: DoorCall, answer: UnlockAnswer): Answer {
  // S3 answers the deletion of what is not there like any other.
  if (answer.type === 'released' || answer.type === 'not-locked') return emptyReply(call, 204);
  return refused(answer);
}

/** Lock files have no versions; S3 calls that of an object without any "null". */
function namesVersion(version: string | undefined): boolean {
  return version !== undefined && version !== 'null';
}
