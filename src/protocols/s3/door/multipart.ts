import type { Address } from '../../../core/address.ts';
import type { Notes, Piece, Upload, UploadResult } from '../../../house/states/upload-records.ts';
import type { Digest } from '../../wire/crc.ts';
import { newDigest, type DigestName } from '../../wire/digest.ts';
import { cut, readCopyRange } from '../../wire/ranges.ts';
import { readObjectName, stateObject } from '../layout.ts';
import { openPayload, planPayload } from '../../aws/payload.ts';
import { readXml, XML_BYTES_MAX, xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import type { DoorReply } from '../../door.ts';
import { PIECES_MAX } from '../../../house/states/uploads.ts';
import { versionId } from '../layout.ts';
import { readDocument } from './buckets.ts';
import { documentReply, emptyReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { encryptionHeaders } from './encryption.ts';
import { copiedFrom, openCopySource } from './copy.ts';
import { plainStream } from '../../wire/plain-stream.ts';
import { invalid, invalidArgument, invalidRange, malformedXml, refused, type S3Error } from './errors.ts';
import { owner, readTerms } from './listing.ts';
import { keptLock, lockNotes } from './object-lock.ts';
import { lockStored, lockToBe } from './retained-version.ts';
import { checksumsOf, writeState } from './state-object.ts';
import {
  announcedChecksum,
  checkedWhole,
  checksumNotes,
  checksumsSeen,
  keptChecksum,
  namedChecksums,
  otherAlgorithm,
  partElements,
  readCompletion,
  shownAs,
  type NamedPiece,
  type UploadChecksum,
} from './upload-checksum.ts';

const NO_SUCH_UPLOAD = 'NoSuchUpload';

export async function createMultipartUpload(call: DoorCall): Promise<Answer> {
  const address = stateAddress(call);
  if ('code' in address) return address;
  const checksum = announcedChecksum((name) => call.request.header(name));
  if (checksum !== null && 'code' in checksum) return checksum;
  const lock = await lockToBe(call, address);
  if (lock !== null && 'code' in lock) return lock;
  const notes =
    checksum === null && lock === null
      ? undefined
      : { ...(checksum === null ? {} : checksumNotes(checksum)), ...lockNotes(lock) };
  const begun = await call.house.uploads.begin(call.caller, address, notes);
  if (begun.type !== 'begun') return refused(begun);
  const { bucket, key } = call.asked;
  const reply = documentReply(call, 'InitiateMultipartUploadResult', {
    Bucket: bucket,
    Key: key,
    UploadId: begun.upload.id,
  });
  const announced = Object.entries(checksum ?? {}).map(([name, value]) => [
    `x-amz-checksum-${name}`,
    value.toUpperCase(),
  ]);
  const headers = {
    ...reply.headers,
    ...encryptionHeaders(call.request),
    ...Object.fromEntries(announced),
  };
  return { ...reply, headers };
}

export async function uploadPart(call: DoorCall): Promise<Answer> {
  const { request, authenticatedRequest } = call;
  const part = await findPart(call);
  if ('code' in part) return part;
  const plan = planPayload(authenticatedRequest.mode, (name) => request.header(name));
  const seen = new Map<DigestName, Uint8Array>();
  const body = openPayload(request.body, plan, authenticatedRequest.verified, seen);
  const sent = [...plan.expected.keys(), plan.trailer].find((name) => name !== 'md5');
  const mismatch = otherAlgorithm(part.checksum, sent ?? undefined);
  if (mismatch !== null) return mismatch;
  const piece = await putPart(call, part, body, seen);
  if ('code' in piece) return piece;
  const { 'x-amz-checksum-type': _, ...checksums } = checksumsOf(plan, seen);
  return emptyReply(call, 200, {
    etag: `"${piece.md5}"`,
    ...encryptionHeaders(request),
    ...checksums,
  });
}

/** UploadPartCopy: the bytes of a state, or of a range of it, as a part. */
export async function uploadPartCopy(call: DoorCall): Promise<Answer> {
  const part = await findPart(call);
  if ('code' in part) return part;
  const source = await openCopySource(call);
  if ('code' in source) return source;
  const name = 'x-amz-copy-source-range';
  const range = call.request.header(name);
  const { size } = source.version;
  const span = range === undefined ? ([0, size] as const) : readCopyRange(range, size);
  if (span === 'unsatisfiable') return invalidRange(size);
  if (span === 'malformed') {
    const message = `The ${name} value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy`;
    return invalidArgument(name, range ?? '', message);
  }
  const piece = await putPart(call, part, cut(plainStream(source.bytes), span), new Map());
  if ('code' in piece) return piece;
  const reply = documentReply(call, 'CopyPartResult', {
    LastModified: isoTime(piece.at),
    ETag: `"${piece.md5}"`,
    ...partElements(piece.notes),
  });
  const headers = { ...reply.headers, ...encryptionHeaders(call.request), ...copiedFrom(source) };
  return { ...reply, headers };
}

/** Puts the parts together and writes them as one state, under the same rules as any other write. */
export async function completeMultipartUpload(call: DoorCall): Promise<Answer> {
  const { asked, house } = call;
  const upload = await findUpload(call);
  // S3 looks at the document first; but nothing is read for whom it would not help.
  if ('code' in upload && upload.code !== NO_SUCH_UPLOAD) return upload;
  const bytes = await readDocument(call, XML_BYTES_MAX, 'of-the-object');
  if (!(bytes instanceof Uint8Array)) return bytes;
  const document = readXml(bytes);
  const wanted = document?.children.filter(({ name }) => name === 'Part') ?? [];
  if (document?.name !== 'CompleteMultipartUpload' || wanted.length === 0) return malformedXml();
  if ('code' in upload) return upload;
  if (upload.became !== null) return completed(call, upload.became);
  const header = (name: string): string | undefined => call.request.header(name);
  const completion = readCompletion(header, keptChecksum(upload.notes));
  if ('code' in completion) return completion;
  const pieces = choose(await house.uploads.pieces(upload), wanted);
  if ('code' in pieces) return pieces;
  const size = pieces.reduce((sum, { piece }) => sum + piece.size, 0);
  const said = header('x-amz-mp-object-size');
  if (said !== undefined && said !== String(size)) {
    return invalid(
      `The provided 'x-amz-mp-object-size' header value ${said} does not match what was computed: ${size}`,
    );
  }
  let notes: Notes = {};
  const read = (some: readonly Piece[]): AsyncIterable<Uint8Array> => house.uploads.read(some);
  const body = checkedWhole(pieces, completion, read, (elements) => {
    notes = elements;
  });
  const stored = await writeState(call, upload.address, body, size);
  if ('code' in stored) return stored;
  const unlocked = await lockStored(call, upload.address, stored.number, keptLock(upload.notes));
  if (unlocked !== null) return unlocked;
  const became: UploadResult = { md5: stored.md5, version: stored.number, notes };
  await house.uploads.finish(call.caller, upload, became);
  return completed({ ...call, asked }, became);
}

export async function abortMultipartUpload(call: DoorCall): Promise<Answer> {
  const upload = await findUpload(call, 'anybody');
  if ('code' in upload) return upload;
  await call.house.uploads.abort(call.caller, upload);
  return emptyReply(call, 204);
}

export async function listParts(call: DoorCall): Promise<Answer> {
  const upload = await findUpload(call, 'anybody');
  if ('code' in upload) return upload;
  if (upload.finishedAt !== null) return noSuchUpload();
  const { bucket, key, query } = call.asked;
  const after = Number(query.get('part-number-marker') ?? 0);
  const limit = Math.min(Number(query.get('max-parts') ?? 1_000), 1_000);
  if (!Number.isInteger(after) || !Number.isInteger(limit) || limit < 1) {
    return invalidArgument(
      'max-parts',
      String(query.get('max-parts')),
      'Argument max-parts must be an integer',
    );
  }
  const left = (await call.house.uploads.pieces(upload)).filter(({ number }) => number > after);
  const page = left.slice(0, limit);
  return documentReply(call, 'ListPartsResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.id,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number,
    MaxParts: limit,
    IsTruncated: left.length > page.length,
    ...shownAs(keptChecksum(upload.notes)),
    Part: page.map(({ number, at, md5, size, notes }) => ({
      PartNumber: number,
      LastModified: isoTime(at),
      ETag: `"${md5}"`,
      Size: size,
      ...partElements(notes),
    })),
    Initiator: owner(),
    Owner: owner(),
    StorageClass: 'STANDARD',
  });
}

/** ListMultipartUploads: the caller's own, and all that it administers, on one page, since there are never many. */
export async function listMultipartUploads(call: DoorCall): Promise<Answer> {
  const terms = readTerms(call);
  if ('code' in terms) return terms;
  const answer = await call.house.uploads.list(call.caller, call.asked.bucket);
  if (answer.type !== 'uploads') return refused(answer);
  const shown = answer.uploads.filter(({ address }) => stateObject(address).startsWith(terms.prefix));
  return documentReply(call, 'ListMultipartUploadsResult', {
    Bucket: call.asked.bucket,
    KeyMarker: '',
    UploadIdMarker: '',
    Prefix: terms.encode(terms.prefix),
    MaxUploads: terms.limit,
    IsTruncated: false,
    Upload: shown.map(({ id, address, startedAt, notes }) => ({
      Key: terms.encode(stateObject(address)),
      UploadId: id,
      Initiator: owner(),
      Owner: owner(),
      StorageClass: 'STANDARD',
      Initiated: isoTime(startedAt),
      ...shownAs(keptChecksum(notes)),
    })),
  });
}

function completed(call: DoorCall, { md5, version, notes }: UploadResult): DoorReply {
  const { bucket, key } = call.asked;
  const reply = documentReply(call, 'CompleteMultipartUploadResult', {
    Location: `/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: `"${md5}"`,
    ...notes,
  });
  const headers = {
    ...reply.headers,
    ...encryptionHeaders(call.request),
    'x-amz-version-id': versionId(version),
  };
  return { ...reply, headers };
}

/** The pieces that the client names, in order; what it says of each must be so. */
function choose(pieces: readonly Piece[], wanted: readonly XmlNode[]): readonly NamedPiece[] | S3Error {
  const chosen: NamedPiece[] = [];
  const kept = new Map(pieces.map((piece) => [piece.number, piece]));
  for (const part of wanted) {
    const number = Number(xmlText(part, 'PartNumber') ?? 0);
    if (number <= (chosen.at(-1)?.piece.number ?? 0)) {
      return {
        status: 400,
        code: 'InvalidPartOrder',
        message: 'The list of parts was not in ascending order. Parts must be ordered by part number.',
      };
    }
    const piece = kept.get(number);
    const etag = xmlText(part, 'ETag')?.replaceAll('"', '') ?? '';
    const named = namedChecksums(part);
    if (named === null) {
      return invalid('The checksum of a part is of a kind that this server does not know.');
    }
    if (piece === undefined || etag !== piece.md5) {
      return {
        status: 400,
        code: 'InvalidPart',
        message:
          "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        details: { PartNumber: number },
      };
    }
    chosen.push({ piece, named });
  }
  return chosen;
}

/** The upload and the number of the part that a request is about. */
interface Part {
  readonly upload: Upload;
  readonly number: number;
  readonly checksum: UploadChecksum | null;
}

async function findPart(call: DoorCall): Promise<Part | S3Error> {
  const number = call.asked.query.get('partNumber') ?? '';
  if (!/^[1-9]\d{0,4}$/.test(number) || Number(number) > PIECES_MAX) {
    return invalidArgument(
      'partNumber',
      number,
      `Part number must be an integer between 1 and ${PIECES_MAX}, inclusive`,
    );
  }
  const upload = await findUpload(call);
  if ('code' in upload) return upload;
  return { upload, number: Number(number), checksum: keptChecksum(upload.notes) };
}

/**
 * Keeps a part with the checksum that its upload is made with, and those that it was sent with.
 * @param seen what is known of these at the end of the body
 */
async function putPart(
  { house, caller }: DoorCall,
  { upload, number, checksum }: Part,
  body: AsyncIterable<Uint8Array>,
  seen: Map<DigestName, Uint8Array>,
): Promise<Piece | S3Error> {
  const own = checksum === null ? null : newDigest(checksum.algorithm);
  const stream = own === null ? body : digesting(body, own);
  const answer = await house.uploads.put(caller, upload, number, stream, () => {
    if (checksum !== null && own !== null) seen.set(checksum.algorithm, own.digest());
    return checksumsSeen(seen);
  });
  if (answer.type === 'absent') return noSuchUpload();
  return answer.type === 'kept' ? answer.piece : refused(answer);
}

async function* digesting(body: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    digest.update(chunk);
    yield chunk;
  }
}

function stateAddress({ asked: { bucket, key } }: DoorCall): Address | S3Error {
  const name = readObjectName(bucket, key);
  if (name.kind === 'state') return name.address;
  return invalid(
    name.kind === 'none'
      ? `Only Terraform states are kept here, and a state cannot have this name: ${name.problem}.`
      : 'A lock file cannot be uploaded in parts.',
  );
}

/** @param whose those of others are shown to an admin of the address, and can be ended, but not added to */
async function findUpload(call: DoorCall, whose: 'own' | 'anybody' = 'own'): Promise<Upload | S3Error> {
  const address = stateAddress(call);
  if ('code' in address) return address;
  const id = call.asked.query.get('uploadId') ?? '';
  const { uploads } = call.house;
  const answer = await (whose === 'own'
    ? uploads.find(call.caller, address, id)
    : uploads.look(call.caller, address, id));
  if (answer.type === 'absent') return noSuchUpload();
  return answer.type === 'upload' ? answer.upload : refused(answer);
}

function noSuchUpload(): S3Error {
  return {
    status: 404,
    code: NO_SUCH_UPLOAD,
    message:
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  };
}
