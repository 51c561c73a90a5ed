import type { Address } from '../../../core/address.ts';
import type { Version } from '../../../core/world.ts';
import { newDigest, parseDigest, type DigestName } from '../../wire/digest.ts';
import { readBlobName } from '../layout.ts';
import { standingHeaders, viewOf } from './blob-view.ts';
import { BodyProblem, emptyReply, type Answer, type DoorCall } from './call.ts';
import { blobExists, expectation } from './conditions.ts';
import { invalidHeader, noPlaceFor, notDone, refused, type AzureError } from './errors.ts';
import { claimOf } from './lease-check.ts';
import { metadataRefusal } from './metadata.ts';

/** Put Blob: a state as a whole; or, without bytes, the blob that terraform makes so that it can lease it. */
export async function putBlob(call: DoorCall): Promise<Answer> {
  const { request, asked } = call;
  const name = readBlobName(asked.container, asked.blob);
  if (name.kind === 'none') return noPlaceFor(name.problem);
  const type = request.header('x-ms-blob-type');
  if (request.header('x-ms-copy-source') !== undefined)
    return notDone('a copy', 'read the blob and put it at its new name, or run "statehouse migrate"');
  if (type !== 'BlockBlob') return invalidHeader('x-ms-blob-type', 'BlockBlob');
  const metadata = metadataRefusal(request);
  if (metadata !== null) return metadata;
  if (request.contentLength === 0) return touchBlob(call, name.address);
  const stored = await writeState(call, name.address, checked(call, request.body), request.contentLength);
  return 'code' in stored ? stored : storedReply(call, stored);
}

/** Writes a state on the conditions that the request sets. */
export async function writeState(
  call: DoorCall,
  address: Address,
  body: AsyncIterable<Uint8Array>,
  contentLength: number | null,
): Promise<Version | AzureError> {
  const expects = await expectation(call, address);
  if (expects !== null && 'code' in expects) return expects;
  const answer = await call.house.states.write(call.caller, address, body, {
    claim: claimOf(call.request),
    contentLength,
    ...(expects === null ? {} : { expects }),
  });
  return answer.type === 'stored' ? answer.version : refused(answer);
}

export function storedReply(call: DoorCall, version: Version): Answer {
  return emptyReply(call, 201, {
    ...standingHeaders({ state: version, lock: null }),
    'content-md5': Buffer.from(version.md5, 'hex').toString('base64'),
    'x-ms-request-server-encrypted': 'true',
  });
}

/** A blob without bytes is no state: it is confirmed, and what is to come is kept. One that is there already is not emptied by it. */
async function touchBlob(call: DoorCall, address: Address): Promise<Answer> {
  const { house, firstBlobs, caller, request } = call;
  const refusal = await house.locks.refuse(caller, 'write', address);
  if (refusal !== null) return refused(refusal);
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  if (view.state !== null) {
    const message = 'there is a state, and a blob without bytes would lose it: try again';
    return { ...blobExists(), message };
  }
  firstBlobs.made(caller, request, address);
  return emptyReply(call, 201, {
    ...standingHeaders(view),
    'x-ms-request-server-encrypted': 'true',
  });
}

/**
 * A body that is held against the digests that were sent with it; it throws at its end, before anything is kept.
 * Source: Blob service REST API, "Put Blob", `Content-MD5` and `x-ms-content-crc64`, whose bytes are least significant first.
 */
export async function* checked(
  { request }: Pick<DoorCall, 'request'>,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const wanted = [
    digestOf('md5', request.header('content-md5'), 'Content-MD5', 'Md5Mismatch'),
    digestOf('crc64nvme', request.header('x-ms-content-crc64'), 'x-ms-content-crc64', 'Crc64Mismatch'),
  ].filter((one) => one !== null);
  for await (const chunk of body) {
    for (const { digest } of wanted) digest.update(chunk);
    yield chunk;
  }
  for (const { name, said, digest, header, code } of wanted) {
    const computed = Buffer.from(digest.digest());
    if (name === 'crc64nvme') computed.reverse();
    if (!computed.equals(said)) {
      const message = `The ${header} value specified in the request did not match the one calculated by the server.`;
      throw new BodyProblem({ status: 400, code, message });
    }
  }
}

function digestOf(
  name: DigestName,
  text: string | undefined,
  header: string,
  code: string,
): {
  readonly name: DigestName;
  readonly said: Uint8Array;
  readonly digest: ReturnType<typeof newDigest>;
  readonly header: string;
  readonly code: string;
} | null {
  if (text === undefined) return null;
  const said = parseDigest(name, text);
  if (said === null) throw new BodyProblem(invalidHeader(header, 'a digest in base64'));
  return { name, said, digest: newDigest(name), header, code };
}
