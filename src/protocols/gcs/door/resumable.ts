import type { Address } from '../../../core/address.ts';
import type { Piece, Upload } from '../../../house/states/upload-records.ts';
import type { DoorRequest } from '../../door.ts';
import { readObjectName, UPLOAD_PREFIX } from '../layout.ts';
import { emptyReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import { readConditions } from './conditions.ts';
import { invalid, refused, type GcsError } from './errors.ts';
import type { Metadata } from './metadata.ts';
import { describeObject, stateView } from './object-view.ts';
import { writeState } from './state.ts';

/** Bytes of one request of a resumable upload, and how many there are together; null where that is not known yet. */
interface ContentRange {
  /** null for a question of how far the upload is. */
  readonly from: number | null;
  readonly to: number;
  readonly total: number | null;
}

/** "Resume incomplete": Go's client takes it as a status of its own (`X-GUploader-No-308`). */
const INCOMPLETE = 308;
/** Cloud Storage, "Performing resumable uploads": a cancelled one. */
const CANCELLED = 499;

/** Begins an upload that comes in pieces. Its URL carries what it was asked with. */
export async function beginResumable(call: DoorCall, address: Address, said: Metadata): Promise<Answer> {
  const { house, caller, request, asked } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const begun = await house.uploads.begin(caller, address);
  if (begun.type !== 'begun') return refused(begun);
  const query = new URLSearchParams({
    uploadType: 'resumable',
    name: said.name ?? asked.query.get('name') ?? '',
  });
  for (const [name, value] of Object.entries(conditions)) query.set(name, String(value));
  query.set('upload_id', begun.upload.id);
  const origin = `${request.secure ? 'https' : 'http'}://${request.header('host') ?? ''}`;
  const location = `${origin}${UPLOAD_PREFIX}b/${encodeURIComponent(asked.bucket)}/o?${query}`;
  return emptyReply(call, 200, { location, 'x-guploader-uploadid': begun.upload.id });
}

/** Takes a piece in, or says how far the upload is; with its last byte the upload becomes a state. */
export async function resumeUpload(call: DoorCall): Promise<Answer> {
  const { house, caller, request } = call;
  const upload = await findUpload(call);
  if ('reason' in upload) return upload;
  if (upload.became !== null) return became(call, upload.address, upload.became.version);
  const range = readContentRange(request);
  if (range === null)
    return invalid(
      'the Content-Range of an upload is "bytes FIRST-LAST/TOTAL", with "*" for what is not known',
    );
  let pieces = await house.uploads.pieces(upload);
  if (range.from !== null && range.from === sizeOf(pieces)) {
    const kept = await house.uploads.put(caller, upload, pieces.length + 1, request.body);
    if (kept.type !== 'kept') return refused(kept);
    pieces = [...pieces, kept.piece];
    if (range.total !== null && kept.piece.size !== range.to - range.from)
      return invalid('the body is not as long as its Content-Range says');
  }
  const size = sizeOf(pieces);
  return range.total !== null && size === range.total
    ? complete(call, upload, pieces)
    : incomplete(call, size);
}

export async function cancelUpload(call: DoorCall): Promise<Answer> {
  const upload = await findUpload(call);
  if ('reason' in upload) return upload;
  await call.house.uploads.abort(call.caller, upload);
  return emptyReply(call, CANCELLED);
}

async function complete(call: DoorCall, upload: Upload, pieces: readonly Piece[]): Promise<Answer> {
  const { house, caller, asked } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const body = house.uploads.read(pieces);
  const terms = { contentLength: sizeOf(pieces), conditions };
  const stored = await writeState(call, upload.address, body, terms);
  if ('reason' in stored) return stored;
  const { version, crc32c } = stored;
  await house.uploads.finish(caller, upload, { md5: version.md5, version: version.number, notes: {} });
  const view = stateView(asked.bucket, asked.query.get('name') ?? '', version, crc32c);
  return jsonReply(call, describeObject(view, call.request));
}

/** The answer to whoever did not hear it the first time. */
async function became(call: DoorCall, address: Address, number: number): Promise<Answer> {
  const { house, caller, asked } = call;
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  const { head } = described;
  if (head?.number !== number) return noSuchUpload();
  return jsonReply(
    call,
    describeObject(stateView(asked.bucket, asked.query.get('name') ?? '', head), call.request),
  );
}

/** How far the upload is. Go's client cannot take a status of 308, and asks for it in a header. */
function incomplete(call: DoorCall, size: number): Answer {
  const range: Record<string, string> = size === 0 ? {} : { range: `bytes=0-${size - 1}` };
  return call.request.header('x-guploader-no-308') === 'yes'
    ? emptyReply(call, 200, { ...range, 'x-http-status-code-override': String(INCOMPLETE) })
    : emptyReply(call, INCOMPLETE, range);
}

async function findUpload({ house, caller, asked }: DoorCall): Promise<Upload | GcsError> {
  const name = readObjectName(asked.bucket, asked.query.get('name') ?? '');
  if (name.kind !== 'state') return noSuchUpload();
  const answer = await house.uploads.find(caller, name.address, asked.query.get('upload_id') ?? '');
  if (answer.type === 'absent') return noSuchUpload();
  return answer.type === 'upload' ? answer.upload : refused(answer);
}

function readContentRange({ header, contentLength }: DoorRequest): ContentRange | null {
  const text = header('content-range');
  // The whole in one request.
  if (text === undefined)
    return contentLength === null ? null : { from: 0, to: contentLength, total: contentLength };
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15}|\*)$/.exec(text);
  if (match === null) return null;
  const [, first, last, all = '*'] = match;
  const total = all === '*' ? null : Number(all);
  if (first === undefined || last === undefined) return { from: null, to: 0, total };
  const [from, to] = [Number(first), Number(last) + 1];
  return from < to && (total === null || to <= total) ? { from, to, total } : null;
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { size }) => sum + size, 0);
}

function noSuchUpload(): GcsError {
  return {
    status: 404,
    reason: 'notFound',
    message: 'There is no such upload: it has ended, or was never begun.',
  };
}
