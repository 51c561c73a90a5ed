import type { Address } from '../../../core/address.ts';
import { LOCK_INFO_TAKEN_BYTES_MAX, parseLockRequest } from '../../../core/lock-info.ts';
import { shownLock } from '../../lock-object/shown-lock.ts';
import { readBody } from '../../wire/read-body.ts';
import { absentReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import { invalid, refused } from './errors.ts';
import { pairReply } from './pair-reply.ts';
import { infoPair, lockIndex } from './pairs.ts';

/** The holder's lock info; for who was just refused, with words on who holds the lock and where in line it stands. */
export async function getLockInfo(call: DoorCall, address: Address): Promise<Answer> {
  const { house, refusals, caller, request, asked } = call;
  const answer = await house.locks.show(caller, address);
  if (answer.type !== 'shown') return refused(answer);
  const owed = refusals.looks(caller.identity.subject, request, address, 'lock-info');
  const lock = owed ?? shownLock(answer.lock.holders);
  if (lock === null) return absentReply(call, 1);
  return pairReply(call, infoPair(asked.name, lock.holder, lock.info), lockIndex(lock.holder));
}

/** Who holds a lock tells so after it was granted. */
export async function putLockInfo(call: DoorCall, address: Address): Promise<Answer> {
  const { house, processes, caller, request } = call;
  const refusal = await house.locks.refuse(caller, 'lock', address);
  if (refusal !== null) return refused(refusal);
  const info = await readBody(request, LOCK_INFO_TAKEN_BYTES_MAX);
  if (info === null)
    return invalid(`the lock info is too long: expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes`);
  const parsed = parseLockRequest(info);
  if ('problem' in parsed) return invalid(`only lock infos of Terraform are kept here: ${parsed.problem}`);
  const { id, operation } = parsed.info;
  const answer = await house.locks.describe(caller, address, { lockId: id, operation, info });
  if (answer.type !== 'described') return refused(answer);
  processes.shows(id, caller.identity.subject, request);
  return jsonReply(call, true);
}

/** It goes with the lock: a client deletes it before it releases that. */
export async function deleteLockInfo(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller } = call;
  const refusal = await house.locks.refuse(caller, 'unlock', address);
  return refusal === null ? jsonReply(call, true) : refused(refusal);
}
