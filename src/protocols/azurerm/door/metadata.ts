import { LOCK_INFO_TAKEN_BYTES_MAX, parseLockRequest } from '../../../core/lock-info.ts';
import type { DoorRequest } from '../../door.ts';
import { LOCK_INFO_METADATA, readBlobName } from '../layout.ts';
import { isNothing, standingHeaders, viewOf } from './blob-view.ts';
import { emptyReply, type Answer, type DoorCall } from './call.ts';
import { invalidHeader, noSuchBlob, notDone, refused, type AzureError } from './errors.ts';
import { leaseRefusal } from './lease-check.ts';

const PREFIX = 'x-ms-meta-';
const LOCK_INFO_HEADER = `${PREFIX}${LOCK_INFO_METADATA}`;

/** Why the metadata that a request sends is not kept; null where it sends none but the lock info. */
export function metadataRefusal({ rawHeaders }: Pick<DoorRequest, 'rawHeaders'>): AzureError | null {
  const other = rawHeaders
    .filter((_, index) => index % 2 === 0)
    .map((name) => name.toLowerCase())
    .find((name) => name.startsWith(PREFIX) && name !== LOCK_INFO_HEADER);
  return other === undefined
    ? null
    : notDone(
        `the metadata ${other}`,
        `a blob here has no metadata but its lock info, ${LOCK_INFO_METADATA}`,
      );
}

/**
 * Set Blob Metadata: the holder of a lease tells its lock info. Without one, as terraform sends it before it releases the lease,
 * nothing is forgotten: the info goes with the lease, so that one that is left can be broken all the same.
 */
export async function setBlobMetadata(call: DoorCall): Promise<Answer> {
  const { house, caller, request, asked } = call;
  const name = readBlobName(asked.container, asked.blob);
  if (name.kind === 'none') return noSuchBlob();
  const { address } = name;
  const other = metadataRefusal(request);
  if (other !== null) return other;
  const encoded = request.header(LOCK_INFO_HEADER);
  const refusal = encoded === undefined ? await house.locks.refuse(caller, 'unlock', address) : null;
  if (refusal !== null) return refused(refusal);
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  if (isNothing(view)) return noSuchBlob();
  const lease = leaseRefusal(request, view, { needed: true });
  if (lease !== null) return lease;
  if (encoded !== undefined) {
    const lockId = request.header('x-ms-lease-id');
    if (lockId === undefined)
      return notDone('a lock info without a lease', 'acquire the lease of the blob first');
    const info = Buffer.from(encoded, 'base64');
    const parsed =
      info.length > LOCK_INFO_TAKEN_BYTES_MAX
        ? { problem: `expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes` }
        : parseLockRequest(info);
    if ('problem' in parsed)
      return invalidHeader(LOCK_INFO_HEADER, `the lock info of Terraform in base64 (${parsed.problem})`);
    const { operation } = parsed.info;
    const answer = await house.locks.describe(caller, address, { lockId, operation, info });
    if (answer.type !== 'described') return refused(answer);
  }
  return emptyReply(call, 200, standingHeaders(view));
}
