import { digestItemId, lockItemId } from '../../dynamodb/layout.ts';
import { lockFileKey, stateKey, type S3Place } from '../layout.ts';

/** The lock file of a workspace. */
export function lockKey(place: S3Place, workspace: string): string {
  return lockFileKey(stateKey(place, workspace));
}

/** The `LockID` of the lock's DynamoDB item, and the `Path` of every lock info. */
export function lockPath(place: S3Place, workspace: string): string {
  return lockItemId(place.bucket, stateKey(place, workspace));
}

/** The `LockID` of the item that has the state's MD5. */
export function digestPath(place: S3Place, workspace: string): string {
  return digestItemId(place.bucket, stateKey(place, workspace));
}
