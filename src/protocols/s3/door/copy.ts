import type { Version } from '../../../core/world.ts';
import type { StateBytes } from '../../../house/states/body-reader.ts';
import { digestIdOf } from '../../dynamodb/layout.ts';
import { readCopyConditions } from '../../wire/conditions.ts';
import { decodeUriText, readQuery } from '../../wire/uri.ts';
import { plainStream } from '../../wire/plain-stream.ts';
import { readObjectName, readVersionId, versionId } from '../layout.ts';
import { documentReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { encryptionHeaders } from './encryption.ts';
import { invalid, invalidArgument, noPlaceFor, preconditionFailed, refused, type S3Error } from './errors.ts';
import { lockStored, lockToBe } from './retained-version.ts';
import { restoreState, standingOf, writeState } from './state-object.ts';

/** What `x-amz-copy-source` names. */
interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly version: number | null;
}

/** A state that is to be copied, all or part of it. */
export interface OpenedSource {
  readonly version: Version;
  readonly bytes: StateBytes;
}

/** Headers that change an object which is copied onto itself, so that such a copy makes sense (API reference, CopyObject). */
const CHANGES = [
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
] as const;
const DIRECTIVES: ReadonlySet<string> = new Set(['COPY', 'REPLACE']);

/**
 * CopyObject: a state to another name, or an old version back onto its own, which the house calls a restore. Copied onto itself
 * with other metadata a state stays as it is, because it has none.
 */
export async function copyObject(call: DoorCall): Promise<Answer> {
  const { asked, request } = call;
  const target = readObjectName(asked.bucket, asked.key);
  if (target.kind === 'none') return noPlaceFor(target.problem);
  if (target.kind !== 'state') return invalid('A lock file cannot be copied: take the lock instead.');
  const source = readCopySource(request.header('x-amz-copy-source'));
  if ('code' in source) return source;
  for (const name of ['x-amz-metadata-directive', 'x-amz-tagging-directive']) {
    const directive = request.header(name) ?? 'COPY';
    if (!DIRECTIVES.has(directive)) {
      return invalidArgument(name, directive, 'Unknown directive: expected COPY or REPLACE.');
    }
  }
  const itself = source.bucket === asked.bucket && source.key === asked.key;
  const changes =
    request.header('x-amz-metadata-directive') === 'REPLACE' ||
    CHANGES.some((name) => request.header(name) !== undefined);
  if (itself && source.version === null && !changes) {
    return invalid(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const opened = await openCopySource(call, source);
  if ('code' in opened) return opened;
  const lock = await lockToBe(call, target.address);
  if (lock !== null && 'code' in lock) return lock;
  const copied =
    itself && source.version !== null
      ? await restoreState(call, target.address, source.version)
      : await writeState(call, target.address, plainStream(opened.bytes), opened.version.size);
  if ('code' in copied) return copied;
  const unlocked = await lockStored(call, target.address, copied.number, lock);
  if (unlocked !== null) return unlocked;
  if (!itself && copied.number === 1) {
    call.locks.copies.copied(call.caller.identity.subject, digestIdOf(target.address));
  }
  const reply = documentReply(call, 'CopyObjectResult', {
    LastModified: isoTime(copied.at),
    ETag: `"${copied.md5}"`,
  });
  const headers = {
    ...reply.headers,
    ...encryptionHeaders(request),
    'x-amz-version-id': versionId(copied.number),
    ...copiedFrom(opened),
  };
  return { ...reply, headers };
}

/** Opens what a copy is made of, on the conditions that the request sets for it. */
export async function openCopySource(
  call: DoorCall,
  named: CopySource | S3Error = readCopySource(call.request.header('x-amz-copy-source')),
): Promise<OpenedSource | S3Error> {
  if ('code' in named) return named;
  const name = readObjectName(named.bucket, named.key);
  if (name.kind !== 'state') return refused({ type: 'absent' });
  const read = await call.house.states.read(call.caller, name.address, named.version);
  if (read.type !== 'found') return refused(read);
  const condition = readCopyConditions((header) => call.request.header(header), standingOf(read.version));
  return condition === null ? read : preconditionFailed(condition);
}

/** Which version was copied. */
export function copiedFrom({ version }: OpenedSource): Record<string, string> {
  return { 'x-amz-copy-source-version-id': versionId(version.number) };
}

function readCopySource(header: string = ''): CopySource | S3Error {
  const mark = header.indexOf('?versionId=');
  const path = decodeUriText((mark === -1 ? header : header.slice(0, mark)).replace(/^\//, ''));
  const slash = path?.indexOf('/') ?? -1;
  if (path === null || slash <= 0) return invalid('x-amz-copy-source is invalid: expected BUCKET/KEY.');
  const place = { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
  if (mark === -1) return { ...place, version: null };
  const version = readVersionId(readQuery(header.slice(mark + 1))?.get('versionId') ?? '');
  if (version?.kind === 'delete-marker') {
    return invalid(
      'The source of a copy request may not specifically refer to a delete marker by version id.',
    );
  }
  return version === null
    ? invalid('x-amz-copy-source is invalid: expected BUCKET/KEY?versionId=NUMBER.')
    : { ...place, version: version.number };
}
