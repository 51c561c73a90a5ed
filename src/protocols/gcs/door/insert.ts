import { isProblem } from '../../../core/read-value.ts';
import { newDigest, parseDigest } from '../../wire/digest.ts';
import { readBody } from '../../wire/read-body.ts';
import { readObjectName, type ObjectName } from '../layout.ts';
import { jsonReply, UploadProblem, type Answer, type DoorCall } from './call.ts';
import { readConditions } from './conditions.ts';
import { invalid, type GcsError } from './errors.ts';
import { insertLock } from './lock.ts';
import { readMetadata, type Metadata } from './metadata.ts';
import { describeObject, stateView } from './object-view.ts';
import { readRelated } from './related.ts';
import { beginResumable } from './resumable.ts';
import { writeState } from './state.ts';

/** The largest description of an object. */
const METADATA_BYTES_MAX: number = 64 * 1024;

/** An upload in one request, or the begin of one that can be resumed. */
export async function insertObject(call: DoorCall): Promise<Answer> {
  const { request, asked } = call;
  switch (asked.query.get('uploadType')) {
    case 'media':
      return insert(call, {}, request.body);
    case 'multipart': {
      const { metadata, media } = await readRelated(request.body, request.header('content-type') ?? '');
      const said = readMetadata(metadata);
      return isProblem(said) ? invalid(said.problem) : insert(call, said, media);
    }
    case 'resumable': {
      const bytes = await readBody(request, METADATA_BYTES_MAX);
      if (bytes === null) return invalid('the metadata of the upload is too large');
      const said = readMetadata(bytes);
      if (isProblem(said)) return invalid(said.problem);
      const name = nameIn(call, said);
      if (name.kind === 'state') return beginResumable(call, name.address, said);
      return name.kind === 'lock' ? invalid('a lock is put in one request') : noPlaceFor(name.problem);
    }
    default:
      return invalid('uploadType is media, multipart or resumable');
  }
}

async function insert(call: DoorCall, said: Metadata, media: AsyncIterable<Uint8Array>): Promise<Answer> {
  const name = nameIn(call, said);
  if (name.kind === 'none') return noPlaceFor(name.problem);
  const body = checked(media, said);
  if (name.kind === 'lock') return insertLock(call, name.address, body);
  const conditions = readConditions(call.asked.query);
  if ('reason' in conditions) return conditions;
  const stored = await writeState(call, name.address, body, { contentLength: null, conditions });
  if ('reason' in stored) return stored;
  const object = said.name ?? call.asked.query.get('name') ?? '';
  const view = stateView(call.asked.bucket, object, stored.version, stored.crc32c);
  return jsonReply(call, describeObject(view, call.request));
}

function nameIn({ asked: { bucket, query } }: DoorCall, said: Metadata): ObjectName {
  return readObjectName(bucket, said.name ?? query.get('name') ?? '');
}

/** What cannot be a state has no place. */
function noPlaceFor(problem: string): GcsError {
  return invalid(
    `only Terraform states and their locks are kept here, and a state cannot have this name: ${problem}`,
  );
}

/** A body that is held against the digests that were said of it; it throws at its end, before anything is kept. */
async function* checked(
  body: AsyncIterable<Uint8Array>,
  { md5Hash, crc32c }: Metadata,
): AsyncGenerator<Uint8Array> {
  const wanted = [
    ['md5', md5Hash],
    ['crc32c', crc32c],
  ] as const;
  const digests = wanted.flatMap(([name, said]) =>
    said === undefined ? [] : [{ name, said: parseDigest(name, said), digest: newDigest(name) }],
  );
  for await (const chunk of body) {
    for (const { digest } of digests) digest.update(chunk);
    yield chunk;
  }
  for (const { name, said, digest } of digests) {
    if (said === null || !Buffer.from(digest.digest()).equals(said))
      throw new UploadProblem(`the body does not match the ${name} that was said of it`);
  }
}
