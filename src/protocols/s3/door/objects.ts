import type { DoorReply } from '../../door.ts';
import { DELETE_OBJECTS_MAX, readObjectName, readVersionId } from '../layout.ts';
import { readXml, xmlExactText, xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { readDocument } from './buckets.ts';
import {
  conditionOfHeaders,
  conditionOfObject,
  deleteState,
  isConditional,
  type DeleteCondition,
} from './deletion.ts';
import { documentReply, emptyReply, type Answer, type DoorCall } from './call.ts';
import { invalid, malformedXml, noPlaceFor, refused } from './errors.ts';
import { saysObjectLock } from './object-lock.ts';
import { deleteLockFile, getLockFile, putLockFile } from './lock-file.ts';
import { getState, putState } from './state-object.ts';

const UNCONDITIONAL: DeleteCondition = { etag: undefined, size: undefined, modified: undefined };

/** GetObject and HeadObject. */
export async function getObject(call: DoorCall): Promise<Answer> {
  const name = readObjectName(call.asked.bucket, call.asked.key);
  if (name.kind === 'none') return refused({ type: 'absent' });
  return name.kind === 'state' ? getState(call, name.address) : getLockFile(call, name.address);
}

export async function putObject(call: DoorCall): Promise<Answer> {
  const name = readObjectName(call.asked.bucket, call.asked.key);
  if (name.kind === 'none') return noPlaceFor(name.problem);
  if (name.kind === 'state') return putState(call, name.address);
  return saysObjectLock(call)
    ? invalid('A lock file has no versions that could be retained.')
    : putLockFile(call, name.address);
}

export async function deleteObject(call: DoorCall): Promise<Answer> {
  const { key, query } = call.asked;
  return deleteNamed(call, key, query.get('versionId'), conditionOfHeaders(call));
}

/**
 * DeleteObjects: each on its own, as if it had been asked alone. Of the versions of a state the older ones go first, because the
 * newest can only go last, and then the mark of its deletion.
 */
export async function deleteObjects(call: DoorCall): Promise<Answer> {
  const bytes = await readDocument(call);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const document = readXml(bytes);
  const objects = document?.children.filter(({ name }) => name === 'Object') ?? [];
  const conditions = new Map(objects.map((object) => [object, conditionOfObject(object)]));
  if (document?.name !== 'Delete' || objects.length === 0 || objects.length > DELETE_OBJECTS_MAX) {
    return malformedXml();
  }
  const known = document.children.every(({ name }) => name === 'Object' || name === 'Quiet');
  if (!known || [...conditions.values()].includes(null)) return malformedXml();
  const quiet = xmlText(document, 'Quiet') === 'true';
  const deleted: XmlElement[] = [];
  const errors: XmlElement[] = [];
  for (const object of [...objects].sort((a, b) => turnOf(a) - turnOf(b))) {
    const key = xmlExactText(object, 'Key') ?? '';
    const version = xmlText(object, 'VersionId') ?? undefined;
    const answer = await deleteNamed(call, key, version, conditions.get(object) ?? UNCONDITIONAL);
    const named = { Key: key, VersionId: version };
    if ('code' in answer) errors.push({ ...named, Code: answer.code, Message: answer.message });
    else if (!quiet) deleted.push({ ...named, ...markIn(answer) });
  }
  return documentReply(call, 'DeleteResult', { Deleted: deleted, Error: errors });
}

async function deleteNamed(
  call: DoorCall,
  key: string,
  version: string | undefined,
  condition: DeleteCondition,
): Promise<Answer> {
  const name = readObjectName(call.asked.bucket, key);
  if (name.kind === 'none') return deleteNothing(call, condition);
  return name.kind === 'state'
    ? deleteState(call, name.address, version, condition)
    : deleteLockFile(call, name.address, version, condition);
}

/** Where a deletion stands among those of one request: versions by their numbers, then marks and what names no version. */
function turnOf(object: XmlNode): number {
  const version = readVersionId(xmlText(object, 'VersionId') ?? '');
  return version?.kind === 'version' ? version.number : Number.MAX_SAFE_INTEGER;
}

/** The mark that was left or removed, as DeleteObjects tells it. */
function markIn({ headers }: DoorReply): XmlElement {
  if (headers['x-amz-delete-marker'] !== 'true') return {};
  return { DeleteMarker: true, DeleteMarkerVersionId: headers['x-amz-version-id'] };
}

/** Nothing is kept under such a name, and S3 answers the deletion of what is not there like any other. */
function deleteNothing(call: DoorCall, condition: DeleteCondition): Answer {
  const refusal = call.house.projects.refuse(call.caller, 'delete', call.asked.bucket);
  if (refusal !== null) return refused(refusal);
  return isConditional(condition) ? refused({ type: 'absent' }) : emptyReply(call, 204);
}
