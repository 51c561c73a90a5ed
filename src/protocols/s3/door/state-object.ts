import type { Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import { retainingOf, type Retained } from '../../../core/retained.ts';
import type { Version } from '../../../core/world.ts';
import { visible } from '../../../core/visible.ts';
import type { Shut } from '../../../house/caller.ts';
import type { WriteTerms } from '../../../house/states/states.ts';
import { newDigest, type DigestName } from '../../wire/digest.ts';
import { openPayload, planPayload, type PayloadPlan } from '../../aws/payload.ts';
import { LOCK_ITEM_ALIAS } from '../../dynamodb/layout.ts';
import { deleteMarkerId, LOCK_FILE_ALIAS, readVersionId, versionId } from '../layout.ts';
import { emptyReply, idHeaders, type Answer, type DoorCall } from './call.ts';
import { namesETag, readConditions } from '../../wire/conditions.ts';
import { cut } from '../../wire/ranges.ts';
import { encryptionHeaders } from './encryption.ts';
import { readResponseHeaders } from './response-headers.ts';
import { readSpan } from './span.ts';
import { lockHeaders } from './object-lock.ts';
import { lockStored, lockToBe } from './retained-version.ts';
import { noSuchVersion, preconditionFailed, refused, type S3Error } from './errors.ts';

/** A PUT or DELETE at S3 names no lock: whoever holds it by either of AWS's means is its holder. */
export const CLAIM: Claim = { kind: 'unnamed', aliases: [LOCK_FILE_ALIAS, LOCK_ITEM_ALIAS] };

/** GetObject and HeadObject of a state. */
export async function getState(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller, asked, request } = call;
  const said = readResponseHeaders(asked.query);
  if ('code' in said) return said;
  const wanted = asked.query.get('versionId');
  const version = wanted === undefined ? null : readVersionId(wanted);
  if (wanted !== undefined && version === null) return noSuchVersion();
  if (version?.kind === 'delete-marker') return getMark(call, address, version.number);
  // What terraform asks before every read needs no bytes.
  const newestAlone = asked.operation === 'HeadObject' && version === null;
  const answer = newestAlone
    ? await describeState(call, address)
    : await house.states.read(caller, address, version?.number ?? null);
  if (answer.type === 'absent') return version === null ? getMark(call, address, null) : noSuchVersion();
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
  const part = readSpan(call, size, { etag, modified });
  if ('code' in part) return part;
  const { span, isWhole } = part;
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
      ...(head ? await retentionHeaders(call, address, answer) : {}),
      ...(isWhole ? checksumHeaders(call, answer.version) : {}),
      ...said.headers,
    },
    body: head || answer.bytes === null ? null : cut(answer.bytes.plain(), [from, to]),
  };
}

/** What keeps the version that a HEAD is about. What holds for the whole project is told by GetObjectRetention alone. */
async function retentionHeaders(
  { house, caller }: DoorCall,
  address: Address,
  { version, retained }: { readonly version: Version; readonly retained?: Retained | null },
): Promise<Record<string, string>> {
  if (retained === null) return {};
  if (retained !== undefined) return lockHeaders(retainingOf(retained, version, null, await house.now()));
  const answer = await house.history.retaining(caller, address, version.number);
  return answer.type === 'retaining' ? lockHeaders(answer) : {};
}

/** The newest version without its bytes, for those who might read them. */
async function describeState(
  { house, caller }: DoorCall,
  address: Address,
): Promise<
  { type: 'found'; version: Version; bytes: null; retained: Retained | null } | { type: 'absent' } | Shut
> {
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return described;
  const { head, world } = described;
  if (head === null) return { type: 'absent' };
  return { type: 'found', version: head, bytes: null, retained: world.record.retained };
}

/** PutObject of a state. */
export async function putState(call: DoorCall, address: Address): Promise<Answer> {
  const { request, authenticatedRequest } = call;
  const plan = planPayload(authenticatedRequest.mode, (name) => request.header(name));
  const seen = new Map<DigestName, Uint8Array>();
  const body = openPayload(request.body, plan, authenticatedRequest.verified, seen);
  const lock = await lockToBe(call, address);
  if (lock !== null && 'code' in lock) return lock;
  const stored = await writeState(call, address, body, plan.decodedLength ?? request.contentLength);
  if ('code' in stored) return stored;
  const unlocked = await lockStored(call, address, stored.number, lock);
  if (unlocked !== null) return unlocked;
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
  if (answer.type === 'stored') return answer.version;
  return answer.type === 'stale' && answer.reason !== 'changed-meanwhile'
    ? orRestore(call.asked, refused(answer))
    : refused(answer);
}

/** Whoever puts an old version back with its old serial is told how that is done. */
function orRestore({ bucket, key }: DoorCall['asked'], refusal: S3Error): S3Error {
  const how = `To bring back an old version, copy it onto its own name (aws s3api copy-object --bucket ${bucket} --key ${key} --copy-source '${bucket}/${key}?versionId=NUMBER'), or run "statehouse restore"`;
  return { ...refusal, message: visible(`${refusal.message}. ${how}`) };
}

/**
 * What is told of a deletion in place of a state: that the newest thing here is its mark, or, asked for the mark itself, that
 * it cannot be read (S3 user guide, "Working with delete markers").
 * @param number of the mark that is asked for; null for whatever is the newest
 */
async function getMark(
  { house, caller }: DoorCall,
  address: Address,
  number: number | null,
): Promise<S3Error> {
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  const { head, deletedAt } = described.world.record;
  const isMarked = head !== null && deletedAt !== null && head.number === (number ?? head.number);
  if (!isMarked) return number === null ? refused({ type: 'absent' }) : noSuchVersion();
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': deleteMarkerId(head.number) };
  if (number === null) return { ...refused({ type: 'absent' }), headers };
  return {
    status: 405,
    code: 'MethodNotAllowed',
    message: 'The specified method is not allowed against this resource.',
    headers: { ...headers, allow: 'DELETE', 'last-modified': new Date(deletedAt).toUTCString() },
  };
}

/** Brings an old version back as S3's users do: by copying it onto its own name. */
export async function restoreState(
  call: DoorCall,
  address: Address,
  number: number,
): Promise<Version | S3Error> {
  const expects = await expectation(call, address);
  if (expects !== null && 'code' in expects) return expects;
  const answer = await call.house.history.restore(call.caller, address, number, CLAIM, expects ?? undefined);
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

/** `If-None-Match` and `If-Match` make a write depend on what it replaces. */
async function expectation(
  { house, caller, request }: DoorCall,
  address: Address,
): Promise<NonNullable<WriteTerms['expects']> | null | S3Error> {
  const [match, noneMatch] = [request.header('if-match'), request.header('if-none-match')];
  if (match === undefined && noneMatch === undefined) return null;
  if (match === undefined && noneMatch?.trim() === '*') return { sha256: null };
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  const { head } = described;
  if (head === null) return match === undefined ? { sha256: null } : refused({ type: 'absent' });
  if (match !== undefined && !namesETag(match, head.md5)) return preconditionFailed('If-Match');
  if (noneMatch !== undefined && namesETag(noneMatch, head.md5)) return preconditionFailed('If-None-Match');
  return { sha256: head.sha256 };
}

/** The checksum that the client may check; S3 gives none with a part of an object. */
function checksumHeaders({ request }: DoorCall, { sha256 }: Version): Record<string, string> {
  if (request.header('x-amz-checksum-mode')?.toUpperCase() !== 'ENABLED') return {};
  return {
    'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
}
