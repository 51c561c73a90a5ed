import type { Address } from '../../../core/address.ts';
import { LOCK_INFO_TAKEN_BYTES_MAX } from '../../../core/lock-info.ts';
import { isResent } from '../attempt.ts';
import { GCS_ALIAS, lockObject } from '../layout.ts';
import { readBody } from '../../wire/read-body.ts';
import { emptyReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import { isNotModified, readConditions, readGeneration, unmet } from './conditions.ts';
import { conditionNotMet, invalid, lockTaken, noSuchObject, refused } from './errors.ts';
import { mediaReply } from './media.ts';
import { describeObject, lockView } from './object-view.ts';

/** A client that is refused reads the lock's bytes, then what is known of it: each is a look of its own. */
const LOOKS = { media: GCS_ALIAS, attributes: `${GCS_ALIAS}-attributes` } as const;

/**
 * The insert of a lock object asks for the lock, on condition that there is none or without one: a held lock is never
 * overwritten. Plans hold it together, since each ends its own by the generation that it was given.
 */
export async function insertLock(
  call: DoorCall,
  address: Address,
  body: AsyncIterable<Uint8Array>,
): Promise<Answer> {
  const { locks, caller, request, asked } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const failed = unmet(conditions, 0);
  if (failed !== null) return conditionNotMet(failed);
  const received = { body, contentLength: null, keep: request.keep };
  const info = await readBody(received, LOCK_INFO_TAKEN_BYTES_MAX);
  if (info === null)
    return invalid(`the lock info is too large: expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes`);
  const answer = await locks.take(caller, address, {
    info,
    alias: GCS_ALIAS,
    request,
    tellsHoldersApart: true,
    looks: Object.values(LOOKS),
  });
  switch (answer.type) {
    case 'granted': {
      const view = lockView(address.project, lockObject(address), { holder: answer.holder, info });
      return { ...jsonReply(call, describeObject(view, request)), undelivered: answer.undelivered };
    }
    case 'no-lock-info':
      return invalid(`only lock infos of Terraform are kept under this name: ${answer.problem}`);
    case 'held':
      return lockTaken(answer);
    default:
      return refused(answer);
  }
}

/** The holder's lock info, or what is known of the object that it is; whichever door it holds the lock through. */
export async function getLock(call: DoorCall, address: Address): Promise<Answer> {
  const { locks, caller, request, asked } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const alias = asked.media ? LOOKS.media : LOOKS.attributes;
  const looked = await locks.look(caller, address, request, alias);
  if (looked.type !== 'looked') return refused(looked);
  const { lock } = looked;
  const generation = asked.query.get('generation');
  if (lock === null || (generation !== undefined && readGeneration(generation) !== lock.holder.fence))
    return noSuchObject(asked.bucket, asked.object);
  const failed = unmet(conditions, lock.holder.fence);
  if (failed !== null) return isNotModified(failed) ? emptyReply(call, 304) : conditionNotMet(failed);
  const view = lockView(asked.bucket, asked.object, lock);
  return asked.media ? mediaReply(call, view, lock.info) : jsonReply(call, describeObject(view, request));
}

/** The deletion of a lock object releases the lock of that generation, or breaks it for an operator. */
export async function deleteLock(call: DoorCall, address: Address): Promise<Answer> {
  const { locks, caller, request, asked } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const said = asked.query.get('generation');
  const generation = said === undefined ? null : readGeneration(said);
  if (said !== undefined && generation === null) return invalid('generation is not a number in decimal');
  const failed = generation === null ? null : unmet(conditions, generation);
  if (failed !== null) return conditionNotMet(failed);
  const named = generation ?? conditions.ifGenerationMatch;
  const ask = { alias: GCS_ALIAS, request };
  const answer =
    named === undefined
      ? await locks.drop(caller, address, ask)
      : await locks.releaseFence(caller, address, named, ask);
  if (answer.type === 'released') return emptyReply(call, 204);
  const isGone = answer.type === 'not-locked' || answer.type === 'not-holder';
  // Its first answer was lost, perhaps with the node that gave it.
  if (isGone && isResent(request)) return emptyReply(call, 204);
  return answer.type === 'not-locked' ? noSuchObject(asked.bucket, asked.object) : refused(answer);
}
