import { readObjectName } from '../layout.ts';
import { readXml, xmlText } from '../../wire/xml-reader.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { decodeUriText, readQuery } from '../../wire/uri.ts';
import { DELETE_OBJECTS_MAX, readVersionId, versionId } from '../layout.ts';
import { readDocument } from './buckets.ts';
import { documentReply, emptyReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { encryptionHeaders } from './encryption.ts';
import { invalid, malformedXml, notKept, refused, type S3Error } from './errors.ts';
import { deleteLockFile, getLockFile, putLockFile } from './lock-file.ts';
import { deleteState, getState, putState, restoreState, writeState } from './state-object.ts';

/** GetObject and HeadObject. */
export async function getObject(call: DoorCall): Promise<Answer> {
  const name = readObjectName(call.asked.bucket, call.asked.key);
  if (name.kind === 'none') return refused({ type: 'absent' });
  return name.kind === 'state' ? getState(call, name.address) : getLockFile(call, name.address);
}

export async function putObject(call: DoorCall): Promise<Answer> {
  const name = readObjectName(call.asked.bucket, call.asked.key);
  if (name.kind === 'none') return noPlaceFor(name.problem);
  return name.kind === 'state' ? putState(call, name.address) : putLockFile(call, name.address);
}

export async function deleteObject(call: DoorCall): Promise<Answer> {
  return deleteNamed(call, call.asked.key, call.asked.query.get('versionId'));
}

/** DeleteObjects: each on its own, as if it had been asked alone. */
export async function deleteObjects(call: DoorCall): Promise<Answer> {
  const bytes = await readDocument(call);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const document = readXml(bytes);
  const objects = document?.children.filter(({ name }) => name === 'Object') ?? [];
  if (document?.name !== 'Delete' || objects.length === 0 || objects.length > DELETE_OBJECTS_MAX) {
    return malformedXml();
  }
  const quiet = xmlText(document, 'Quiet') === 'true';
  const deleted: XmlElement[] = [];
  const errors: XmlElement[] = [];
  for (const object of objects) {
    const key = xmlText(object, 'Key') ?? '';
    const version = xmlText(object, 'VersionId') ?? undefined;
    const answer = await deleteNamed(call, key, version);
    const named = { Key: key, VersionId: version };
    if ('code' in answer) errors.push({ ...named, Code: answer.code, Message: answer.message });
    else if (!quiet) deleted.push(named);
  }
  return documentReply(call, 'DeleteResult', { Deleted: deleted, Error: errors });
}

/** CopyObject: a state to another name, or an old version back onto its own, which the house calls a restore. */
export async function copyObject(call: DoorCall): Promise<Answer> {
  const { asked, house, caller, request } = call;
  const target = readObjectName(asked.bucket, asked.key);
  const source = copySource(request.header('x-amz-copy-source') ?? '');
  if (target.kind === 'none') return noPlaceFor(target.problem);
  if (target.kind !== 'state') return invalid('A lock file cannot be copied: take the lock instead.');
  if (source === null) return invalid('x-amz-copy-source is invalid: expected BUCKET/KEY.');
  const from = readObjectName(source.bucket, source.key);
  if (from.kind !== 'state') return refused({ type: 'absent' });
  const itself = source.bucket === asked.bucket && source.key === asked.key;
  if (itself && source.version === null) {
    return invalid(
      'This copy request is illegal because it is trying to copy an object to itself without changing it.',
    );
  }
  const read = await house.states.read(caller, from.address, source.version);
  if (read.type !== 'found') return refused(read);
  const bytes = read.bytes.plain();
  const copied =
    itself && source.version !== null
      ? await restoreState(call, target.address, source.version)
      : await writeState(call, target.address, streamOf(bytes), read.version.size);
  if ('code' in copied) return copied;
  const reply = documentReply(call, 'CopyObjectResult', {
    LastModified: isoTime(copied.at),
    ETag: `"${copied.md5}"`,
  });
  const headers = {
    ...reply.headers,
    ...encryptionHeaders(request),
    'x-amz-version-id': versionId(copied.number),
    'x-amz-copy-source-version-id': versionId(read.version.number),
  };
  return { ...reply, headers };
}

async function deleteNamed(call: DoorCall, key: string, version: string | undefined): Promise<Answer> {
  const name = readObjectName(call.asked.bucket, key);
  if (name.kind === 'none') return deleteNothing(call);
  return name.kind === 'state'
    ? deleteState(call, name.address, version)
    : deleteLockFile(call, name.address);
}

/** Nothing is kept under such a name, and S3 answers the deletion of what is not there like any other. */
function deleteNothing(call: DoorCall): Answer {
  const refusal = call.house.projects.refuse(call.caller, 'delete', call.asked.bucket);
  return refusal === null ? emptyReply(call, 204) : refused(refusal);
}

function noPlaceFor(problem: string): S3Error {
  return notKept(
    `Only Terraform states and their lock files are kept here, and a state cannot have this name: ${problem}.`,
  );
}

function copySource(
  header: string,
): { readonly bucket: string; readonly key: string; readonly version: number | null } | null {
  const mark = header.indexOf('?versionId=');
  const path = decodeUriText((mark === -1 ? header : header.slice(0, mark)).replace(/^\//, ''));
  const slash = path?.indexOf('/') ?? -1;
  if (path === null || slash <= 0) return null;
  const wanted = mark === -1 ? null : readQuery(header.slice(mark + 1))?.get('versionId');
  const version = wanted === null ? null : readVersionId(wanted ?? '');
  if (mark !== -1 && version?.kind !== 'version') return null;
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1), version: version?.number ?? null };
}

async function* streamOf(bytes: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (bytes instanceof Uint8Array) yield bytes;
  else yield* bytes;
}
