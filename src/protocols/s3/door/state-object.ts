import type { Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import type { Version } from '../../../core/world.ts';
import type { Shut } from '../../../house/caller.ts';
import type { WriteTerms } from '../../../house/states/states.ts';
import { newDigest, type DigestName } from '../../wire/digest.ts';
import { openPayload, planPayload, type PayloadPlan } from '../../aws/payload.ts';
import type { DoorReply } from '../../door.ts';
import { LOCK_ITEM_ALIAS } from '../../dynamodb/layout.ts';
import { deleteMarkerId, LOCK_FILE_ALIAS, readVersionId, versionId } from '../layout.ts';
import { emptyReply, idHeaders, type Answer, type DoorCall } from './call.ts';
import { namesETag, readConditions } from '../../wire/conditions.ts';
import { cut, readRange } from '../../wire/ranges.ts';
import { encryptionHeaders } from './encryption.ts';
import { readResponseHeaders } from './response-headers.ts';
import { denied, preconditionFailed, refused, writeRefused, type S3Error } from './errors.ts';

/** A PUT or DELETE at S3 names no lock: whoever holds it by either of AWS's means is its holder. */
const CLAIM: Claim = { kind: 'unnamed', aliases: [LOCK_FILE_ALIAS, LOCK_ITEM_ALIAS] };

const NO_SUCH_VERSION: S3Error = {
  status: 404,
  code: 'NoSuchVersion',
  message: 'The specified version does not exist.',
};

/** GetObject and HeadObject of a state. */
export async function getState(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller, asked, request } = call;
  const said = readResponseHeaders(asked.query);
  if ('code' in said) return said;
  const wanted = asked.query.get('versionId');
  const version = wanted === undefined ? null : readVersionId(wanted);
  if (wanted !== undefined && version === null) return NO_SUCH_VERSION;
  if (version?.kind === 'delete-marker') {
    return {
      status: 405,
      code: 'MethodNotAllowed',
      message: 'The specified method is not allowed against this resource.',
      headers: { 'x-amz-delete-marker': 'true' },
    };
  }
  // What terraform asks before every read needs no bytes.
  const newestAlone = asked.operation === 'HeadObject' && version === null;
  const answer = newestAlone
    ? await describeState(call, address)
    : await house.states.read(caller, address, version?.number ?? null);
  if (answer.type === 'absent' && version !== null) return NO_SUCH_VERSION;
  if (answer.type !== 'found') return refused(answer);
  const { etag, size, modified } = standingOf(answer.version);
  const headers = {
    ...idHeaders(request),
    etag: `"${etag}"`,
    'last-modified': new Date(modified).toUTCString(),
    'x-amz-version-id': versionId(answer.version.number),
    ...encryptionHeaders(request),
  };
  const condition = readConditions((name) => request.header(name), { etag, modified });
  if (condition === 304) return { operation: asked.operation, status: 304, headers, body: null };
  if (condition !== null) return preconditionFailed(condition);
  const span = readRange(request.header('range'), size);
  if (span === 'unsatisfiable') {
    return {
      status: 416,
      code: 'InvalidRange',
      message: 'The requested range is not satisfiable',
      headers: { 'content-range': `bytes */${size}` },
      details: { ActualObjectSize: size },
    };
  }
  const [from, to] = span ?? [0, size];
  const head = asked.operation === 'HeadObject';
  return {
    operation: asked.operation,
    status: span === null ? 200 : 206,
    headers: {
      ...headers,
      'accept-ranges': 'bytes',
      'content-type': 'application/json',
      'content-length': String(to - from),
      ...(span === null ? {} : { 'content-range': `bytes ${from}-${to - 1}/${size}` }),
      ...(span === null ? checksumHeaders(call, answer.version) : {}),
      ...said.headers,
    },
    body: head || answer.bytes === null ? null : cut(answer.bytes.plain(), [from, to]),
  };
}

/** The newest version without its bytes, for those who might read them. */
async function describeState(
  { house, caller }: DoorCall,
  address: Address,
): Promise<{ type: 'found'; version: Version; bytes: null } | { type: 'absent' } | Shut> {
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return described;
  const { head } = described;
  return head === null ? { type: 'absent' } : { type: 'found', version: head, bytes: null };
}

/** PutObject of a state. */
export async function putState(call: DoorCall, address: Address): Promise<Answer> {
  const { request, authenticatedRequest } = call;
  const plan = planPayload(authenticatedRequest.mode, (name) => request.header(name));
  const seen = new Map<DigestName, Uint8Array>();
  const body = openPayload(request.body, plan, authenticatedRequest.verified, seen);
  const stored = await writeState(call, address, body, plan.decodedLength ?? request.contentLength);
  if ('code' in stored) return stored;
  return emptyReply(call, 200, {
    etag: `"${stored.md5}"`,
    'x-amz-version-id': versionId(stored.number),
    ...encryptionHeaders(request),
    ...checksumsOf(plan, seen),
  });
}

/** Writes a state on the conditions that the request sets. */
export async function writeState(
  call: DoorCall,
  address: Address,
  body: AsyncIterable<Uint8Array>,
  contentLength: number | null,
): Promise<Version | S3Error> {
  const expects = await expectation(call, address);
  if (expects !== null && 'code' in expects) return expects;
  const answer = await call.house.states.write(call.caller, address, body, {
    claim: CLAIM,
    contentLength,
    ...(expects === null ? {} : { expects }),
  });
  return answer.type === 'stored' ? answer.version : writeRefused(answer);
}

/** DeleteObject of a state, or of the mark of its deletion. */
export async function deleteState(
  call: DoorCall,
  address: Address,
  wanted: string | undefined,
): Promise<Answer> {
  const { house, caller } = call;
  if (wanted !== undefined) return deleteVersion(call, address, wanted);
  const answer = await house.states.delete(caller, address, CLAIM);
  if (answer.type === 'absent') return emptyReply(call, 204);
  if (answer.type !== 'deleted') return refused(answer);
  return emptyReply(call, 204, {
    'x-amz-delete-marker': 'true',
    'x-amz-version-id': deleteMarkerId(answer.version.number),
  });
}

/** Brings an old version back as S3's users do: by copying it onto its own name. */
export async function restoreState(
  call: DoorCall,
  address: Address,
  number: number,
): Promise<Version | S3Error> {
  const answer = await call.house.history.restore(call.caller, address, number, CLAIM);
  return answer.type === 'stored' ? answer.version : refused(answer);
}

/** A state's ETag is the MD5 of its bytes, also when it came in parts. */
export function standingOf({ md5, size, at }: Version): { etag: string; size: number; modified: number } {
  return { etag: md5, size, modified: at };
}

/** The digests of a body that its sender promised, as S3 confirms them. */
export function checksumsOf(
  { expected, trailer }: PayloadPlan,
  seen: ReadonlyMap<DigestName, Uint8Array>,
): Record<string, string> {
  const name = [...expected.keys(), trailer].find((digest) => digest !== null && digest !== 'md5');
  const value = name === undefined || name === null ? undefined : seen.get(name);
  if (name === undefined || name === null || value === undefined) return {};
  return {
    [`x-amz-checksum-${name}`]: Buffer.from(value).toString('base64'),
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
}

/** The digest of a small body that is already here. */
export function md5Hex(bytes: Uint8Array): string {
  const digest = newDigest('md5');
  digest.update(bytes);
  return Buffer.from(digest.digest()).toString('hex');
}

/** Deleting the mark of a deletion undeletes; versions themselves are never deleted one by one. */
async function deleteVersion(call: DoorCall, address: Address, wanted: string): Promise<DoorReply | S3Error> {
  const version = readVersionId(wanted);
  if (version === null) return NO_SUCH_VERSION;
  if (version.kind === 'version') {
    return denied(
      'Versions of a state are not deleted one by one: history is kept whole until it is pruned or purged.',
    );
  }
  const refusal = await call.house.locks.refuse(call.caller, 'restore', address);
  if (refusal !== null) return refused(refusal);
  const answer = await call.house.history.undelete(call.caller, address);
  // A mark that is gone already, or never was, is deleted all the same, as at S3.
  if (answer.type !== 'undeleted' && answer.type !== 'absent' && answer.type !== 'exists')
    return refused(answer);
  return emptyReply(call, 204, { 'x-amz-delete-marker': 'true', 'x-amz-version-id': wanted });
}

/** `If-None-Match: *` and `If-Match` make a write depend on what it replaces. */
async function expectation(
  { house, caller, request }: DoorCall,
  address: Address,
): Promise<NonNullable<WriteTerms['expects']> | null | S3Error> {
  if (request.header('if-none-match') !== undefined) return { sha256: null };
  const match = request.header('if-match');
  if (match === undefined) return null;
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  const { head } = described;
  if (head === null) return refused({ type: 'absent' });
  return namesETag(match, head.md5) ? { sha256: head.sha256 } : preconditionFailed('If-Match');
}

/** The checksum that the client may check; S3 gives none with a part of an object. */
function checksumHeaders({ request }: DoorCall, { sha256 }: Version): Record<string, string> {
  if (request.header('x-amz-checksum-mode')?.toUpperCase() !== 'ENABLED') return {};
  return {
    'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
}
