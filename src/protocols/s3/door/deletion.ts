import type { Address } from '../../../core/address.ts';
import { namesETag } from '../../wire/conditions.ts';
import { xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import { deleteMarkerId, readVersionId } from '../layout.ts';
import { emptyReply, type Answer, type DoorCall } from './call.ts';
import { denied, headerNotDone, noSuchVersion, preconditionFailed, refused, type S3Error } from './errors.ts';
import { bypasses } from './object-lock.ts';
import { CLAIM, standingOf } from './state-object.ts';

/** What an object must be for a deletion to be done; undefined where it does not matter. */
export interface DeleteCondition {
  readonly etag: string | undefined;
  readonly size: string | undefined;
  readonly modified: string | undefined;
}

/** An object as conditions see it. */
interface Standing {
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
}

const OF_OBJECT: ReadonlySet<string> = new Set(['Key', 'VersionId', 'ETag', 'Size', 'LastModifiedTime']);

/** The conditions of DeleteObject. */
export function conditionOfHeaders({ request }: DoorCall): DeleteCondition {
  return {
    etag: request.header('if-match'),
    size: request.header('x-amz-if-match-size'),
    modified: request.header('x-amz-if-match-last-modified-time'),
  };
}

/** The conditions that DeleteObjects sets for one object; null where it says what nobody here knows. */
export function conditionOfObject(object: XmlNode): DeleteCondition | null {
  if (!object.children.every(({ name }) => OF_OBJECT.has(name))) return null;
  const text = (name: string): string | undefined => xmlText(object, name) ?? undefined;
  return { etag: text('ETag'), size: text('Size'), modified: text('LastModifiedTime') };
}

/** Whether there is a condition at all. */
export function isConditional(condition: DeleteCondition): boolean {
  return Object.values(condition).some((value) => value !== undefined);
}

/** The condition that an object does not meet, or null. */
export function unmet({ etag, size, modified }: DeleteCondition, object: Standing): string | null {
  if (etag !== undefined && !namesETag(etag, object.etag)) return 'If-Match';
  if (size !== undefined && size !== String(object.size)) return 'x-amz-if-match-size';
  if (modified === undefined) return null;
  const isSame = Math.floor(Date.parse(modified) / 1_000) === Math.floor(object.modified / 1_000);
  return isSame ? null : 'x-amz-if-match-last-modified-time';
}

/** DeleteObject of a state, of the mark of its deletion, or of one version. */
export async function deleteState(
  call: DoorCall,
  address: Address,
  wanted: string | undefined,
  condition: DeleteCondition,
): Promise<Answer> {
  if (wanted !== undefined) return deleteVersion(call, address, wanted, condition);
  const expects = await expectation(call, address, condition);
  if (expects !== null && 'code' in expects) return expects;
  const answer = await call.house.states.delete(call.caller, address, CLAIM, expects ?? undefined);
  if (answer.type === 'absent') return emptyReply(call, 204);
  if (answer.type !== 'deleted') return refused(answer);
  return marked(call, deleteMarkerId(answer.version.number));
}

/**
 * The state that a conditional deletion is meant for. What is not there is 404, what is deleted already 412 (S3 user guide, "How
 * to perform conditional deletes").
 */
async function expectation(
  { house, caller }: DoorCall,
  address: Address,
  condition: DeleteCondition,
): Promise<{ readonly sha256: string } | null | S3Error> {
  if (!isConditional(condition)) return null;
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  const { head, world } = described;
  if (head === null) {
    return world.record.head === null ? refused({ type: 'absent' }) : preconditionFailed('If-Match');
  }
  const failed = unmet(condition, standingOf(head));
  return failed === null ? { sha256: head.sha256 } : preconditionFailed(failed);
}

async function deleteVersion(
  call: DoorCall,
  address: Address,
  wanted: string,
  condition: DeleteCondition,
): Promise<Answer> {
  const version = readVersionId(wanted);
  if (version === null) return noSuchVersion();
  return version.kind === 'version'
    ? dropVersion(call, address, version.number, condition)
    : deleteMark(call, address, version.number, condition);
}

/** Deleting the mark of a deletion undeletes. */
async function deleteMark(
  call: DoorCall,
  address: Address,
  number: number,
  condition: DeleteCondition,
): Promise<Answer> {
  if (isConditional(condition)) return headerNotDone('If-Match');
  const refusal = await call.house.locks.refuse(call.caller, 'restore', address);
  if (refusal !== null) return refused(refusal);
  const answer = await call.house.history.undelete(call.caller, address, number);
  // A mark that is gone already, or never was, is deleted all the same, as at S3.
  if (answer.type !== 'undeleted' && answer.type !== 'absent' && answer.type !== 'exists')
    return refused(answer);
  return marked(call, deleteMarkerId(number));
}

/** One version, where the server is told that admins may drop it. */
async function dropVersion(
  call: DoorCall,
  address: Address,
  number: number,
  condition: DeleteCondition,
): Promise<Answer> {
  const { house, caller } = call;
  if (!call.deleteVersions) {
    return denied(
      'Versions of a state are not deleted one by one: history is kept whole until it is pruned or purged. Start the server with --s3-delete-versions to let admins do it.',
    );
  }
  if (isConditional(condition)) {
    const found = await house.history.version(caller, address, number);
    if (found.type !== 'version' && found.type !== 'absent') return refused(found);
    const failed = found.type === 'version' ? unmet(condition, standingOf(found.version)) : null;
    if (failed !== null) return preconditionFailed(failed);
  }
  const lifting = { bypass: bypasses(call) };
  const answer = await house.history.dropVersion(caller, address, number, CLAIM, lifting);
  switch (answer.type) {
    case 'pruned':
    case 'purged':
    case 'absent':
      return emptyReply(call, 204, { 'x-amz-version-id': String(number) });
    case 'newest':
      return {
        status: 409,
        code: 'OperationAborted',
        message: `Version ${answer.older} is kept still: delete the older versions first. The newest goes last, and the state with it.`,
      };
    default:
      return refused(answer);
  }
}

function marked(call: DoorCall, id: string): Answer {
  return emptyReply(call, 204, { 'x-amz-delete-marker': 'true', 'x-amz-version-id': id });
}
