import { readObjectName } from '../layout.ts';
import type { Answer, DoorCall } from './call.ts';
import { noSuchObject, refused } from './errors.ts';
import { deleteLock, getLock } from './lock.ts';
import { deleteState, getState } from './state.ts';

export async function getObject(call: DoorCall): Promise<Answer> {
  const { bucket, object } = call.asked;
  const name = readObjectName(bucket, object);
  if (name.kind === 'none') return noSuchObject(bucket, object);
  return name.kind === 'state' ? getState(call, name.address) : getLock(call, name.address);
}

export async function deleteObject(call: DoorCall): Promise<Answer> {
  const { bucket, object } = call.asked;
  const name = readObjectName(bucket, object);
  if (name.kind === 'none') {
    const refusal = call.house.projects.refuse(call.caller, 'delete', bucket);
    return refusal === null ? noSuchObject(bucket, object) : refused(refusal);
  }
  return name.kind === 'state' ? deleteState(call, name.address) : deleteLock(call, name.address);
}
