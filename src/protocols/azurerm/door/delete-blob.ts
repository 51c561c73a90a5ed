import { readBlobName } from '../layout.ts';
import { isNothing, standingHeaders, viewOf } from './blob-view.ts';
import { emptyReply, type Answer, type DoorCall } from './call.ts';
import { expectation } from './conditions.ts';
import { noSuchBlob, notDone, refused } from './errors.ts';
import { claimOf } from './lease-check.ts';

/** Delete Blob hides a state, whose versions stay. */
export async function deleteBlob(call: DoorCall): Promise<Answer> {
  const { house, caller, request, asked } = call;
  const name = readBlobName(asked.container, asked.blob);
  if (name.kind === 'none') {
    const refusal = house.projects.refuse(caller, 'delete', asked.container);
    return refusal === null ? noSuchBlob() : refused(refusal);
  }
  const isOld = asked.query.has('snapshot') || asked.query.has('versionid');
  if (isOld || request.header('x-ms-delete-snapshots') === 'only')
    return notDone(
      'the deletion of snapshots and old versions',
      'versions are pruned as the retention of the project says',
    );
  const expects = await expectation(call, name.address);
  if (expects !== null && 'code' in expects) return expects;
  const { sha256 = null } = expects ?? {};
  const answer = await house.states.delete(
    caller,
    name.address,
    claimOf(request),
    sha256 === null ? undefined : { sha256 },
  );
  if (answer.type === 'deleted') return emptyReply(call, 202, { 'x-ms-delete-type-permanent': 'false' });
  return answer.type === 'absent' ? noSuchBlob() : refused(answer);
}

/** Snapshot Blob: every version is kept as it is, so the newest one is the snapshot. */
export async function snapshotBlob(call: DoorCall): Promise<Answer> {
  const { house, caller, asked } = call;
  const name = readBlobName(asked.container, asked.blob);
  if (name.kind === 'none') return noSuchBlob();
  const refusal = await house.locks.refuse(caller, 'write', name.address);
  if (refusal !== null) return refused(refusal);
  const view = await viewOf(call, name.address);
  if (view.type !== 'view') return refused(view);
  if (isNothing(view)) return noSuchBlob();
  const headers = standingHeaders(view);
  const snapshot = headers['x-ms-version-id'] ?? new Date(0).toISOString().replace('Z', '0000Z');
  return emptyReply(call, 201, {
    ...headers,
    'x-ms-snapshot': snapshot,
    'x-ms-request-server-encrypted': 'true',
  });
}
