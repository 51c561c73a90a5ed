import type { Address } from '../../../core/address.ts';
import type { UploadResult, Piece, Upload } from '../../../house/states/upload-records.ts';
import type { DigestName } from '../../wire/digest.ts';
import { readObjectName, stateObject } from '../layout.ts';
import { openPayload, planPayload } from '../../aws/payload.ts';
import { readXml, XML_BYTES_MAX, xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import type { DoorReply } from '../../door.ts';
import { PIECES_MAX } from '../../../house/states/uploads.ts';
import { versionId } from '../layout.ts';
import { readDocument } from './buckets.ts';
import { documentReply, emptyReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { encryptionHeaders } from './encryption.ts';
import { invalid, invalidArgument, malformedXml, refused, type S3Error } from './errors.ts';
import { owner, readTerms } from './listing.ts';
import { checksumsOf, writeState } from './state-object.ts';

const NO_SUCH_UPLOAD = 'NoSuchUpload';

export async function createMultipartUpload(call: DoorCall): Promise<Answer> {
  const address = stateAddress(call);
  if ('code' in address) return address;
  const begun = await call.house.uploads.begin(call.caller, address);
  if (begun.type !== 'begun') return refused(begun);
  const { bucket, key } = call.asked;
  const reply = documentReply(call, 'InitiateMultipartUploadResult', {
    Bucket: bucket,
    Key: key,
    UploadId: begun.upload.id,
  });
  return { ...reply, headers: { ...reply.headers, ...encryptionHeaders(call.request) } };
}

export async function uploadPart(call: DoorCall): Promise<Answer> {
  const { asked, request, authenticatedRequest, caller, house } = call;
  const number = asked.query.get('partNumber') ?? '';
  if (!/^[1-9]\d{0,4}$/.test(number) || Number(number) > PIECES_MAX) {
    return invalidArgument(
      'partNumber',
      number,
      `Part number must be an integer between 1 and ${PIECES_MAX}, inclusive`,
    );
  }
  const upload = await findUpload(call);
  if ('code' in upload) return upload;
  const plan = planPayload(authenticatedRequest.mode, (name) => request.header(name));
  const seen = new Map<DigestName, Uint8Array>();
  const body = openPayload(request.body, plan, authenticatedRequest.verified, seen);
  const answer = await house.uploads.put(caller, upload, Number(number), body);
  if (answer.type === 'absent') return noSuchUpload();
  if (answer.type !== 'kept') return refused(answer);
  const { 'x-amz-checksum-type': _, ...checksums } = checksumsOf(plan, seen);
  return emptyReply(call, 200, {
    etag: `"${answer.piece.md5}"`,
    ...encryptionHeaders(request),
    ...checksums,
  });
}

/** Puts the parts together and writes them as one state, under the same rules as any other write. */
export async function completeMultipartUpload(call: DoorCall): Promise<Answer> {
  const { asked, house } = call;
  const upload = await findUpload(call);
  // S3 looks at the document first; but nothing is read for whom it would not help.
  if ('code' in upload && upload.code !== NO_SUCH_UPLOAD) return upload;
  const bytes = await readDocument(call, XML_BYTES_MAX);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const document = readXml(bytes);
  const wanted = document?.children.filter(({ name }) => name === 'Part') ?? [];
  if (document?.name !== 'CompleteMultipartUpload' || wanted.length === 0) return malformedXml();
  if ('code' in upload) return upload;
  if (upload.became !== null) return completed(call, upload.became);
  const pieces = choose(await house.uploads.pieces(upload), wanted);
  if ('code' in pieces) return pieces;
  const size = pieces.reduce((sum, piece) => sum + piece.size, 0);
  const stored = await writeState(call, upload.address, house.uploads.read(pieces), size);
  if ('code' in stored) return stored;
  const became: UploadResult = { md5: stored.md5, version: stored.number };
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
    Part: page.map(({ number, at, md5, size }) => ({
      PartNumber: number,
      LastModified: isoTime(at),
      ETag: `"${md5}"`,
      Size: size,
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
    Upload: shown.map(({ id, address, startedAt }) => ({
      Key: terms.encode(stateObject(address)),
      UploadId: id,
      Initiator: owner(),
      Owner: owner(),
      StorageClass: 'STANDARD',
      Initiated: isoTime(startedAt),
    })),
  });
}

function completed(call: DoorCall, { md5, version }: UploadResult): DoorReply {
  const { bucket, key } = call.asked;
  const reply = documentReply(call, 'CompleteMultipartUploadResult', {
    Location: `/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: `"${md5}"`,
  });
  const headers = {
    ...reply.headers,
    ...encryptionHeaders(call.request),
    'x-amz-version-id': versionId(version),
  };
  return { ...reply, headers };
}

/** The pieces that the client names, in order; what it says of each must be so. */
function choose(pieces: readonly Piece[], wanted: readonly XmlNode[]): readonly Piece[] | S3Error {
  const chosen: Piece[] = [];
  const kept = new Map(pieces.map((piece) => [piece.number, piece]));
  for (const part of wanted) {
    const number = Number(xmlText(part, 'PartNumber') ?? 0);
    if (number <= (chosen.at(-1)?.number ?? 0)) {
      return {
        status: 400,
        code: 'InvalidPartOrder',
        message: 'The list of parts was not in ascending order. Parts must be ordered by part number.',
      };
    }
    const piece = kept.get(number);
    const etag = xmlText(part, 'ETag')?.replaceAll('"', '') ?? '';
    const sha256 = xmlText(part, 'ChecksumSHA256');
    const isThis =
      piece !== undefined &&
      etag === piece.md5 &&
      (sha256 === null || sha256 === Buffer.from(piece.sha256, 'hex').toString('base64'));
    if (!isThis) {
      return {
        status: 400,
        code: 'InvalidPart',
        message:
          "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        details: { PartNumber: number },
      };
    }
    chosen.push(piece);
  }
  return chosen;
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
