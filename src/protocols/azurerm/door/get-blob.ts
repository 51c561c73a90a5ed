import type { Address } from '../../../core/address.ts';
import type { Version } from '../../../core/world.ts';
import type { StateBytes } from '../../../house/states/body-reader.ts';
import { sameRange } from '../../wire/conditions.ts';
import { cut, readRange } from '../../wire/ranges.ts';
import { blobHeaders, etagOf, isNothing, modifiedAt, viewOf, type BlobView } from './blob-view.ts';
import type { Answer, DoorCall } from './call.ts';
import { readRefusal } from './conditions.ts';
import { noSuchBlob, refused, type AzureError } from './errors.ts';
import { readBlobName } from '../layout.ts';
import { readVersion } from './version-id.ts';

/** The bytes of a state, or the part of them that is asked for. A lock alone is a blob without bytes. */
export async function getBlob(call: DoorCall): Promise<Answer> {
  const found = await find(call, true);
  return 'code' in found ? found : reply(call, found);
}

/** What is known of a blob: Get Blob Properties, and Get Blob Metadata. A HEAD reads no bytes. */
export async function getBlobProperties(call: DoorCall): Promise<Answer> {
  const found = await find(call, false);
  return 'code' in found ? found : reply(call, { ...found, bytes: null });
}

interface Found {
  readonly view: BlobView;
  /** An old version is asked for. */
  readonly isOld: boolean;
  readonly bytes: StateBytes | null;
}

async function find(call: DoorCall, wantsBytes: boolean): Promise<Found | AzureError> {
  const { house, caller, asked } = call;
  const name = readBlobName(asked.container, asked.blob);
  if (name.kind === 'none') return noSuchBlob();
  const old = asked.query.get('snapshot') ?? asked.query.get('versionid');
  if (old !== undefined) return findOld(call, name.address, old);
  const view = await viewOf(call, name.address);
  if (view.type !== 'view') return refused(view);
  if (isNothing(view)) return noSuchBlob();
  if (!wantsBytes || view.state === null) return { view, isOld: false, bytes: null };
  const read = await house.states.read(caller, name.address);
  // It was deleted just now.
  if (read.type === 'absent') return noSuchBlob();
  if (read.type !== 'found') return refused(read);
  return { view: { ...view, state: read.version }, isOld: false, bytes: read.bytes };
}

async function findOld(call: DoorCall, address: Address, id: string): Promise<Found | AzureError> {
  const read = await readVersion(call, address, id);
  if (read.type === 'absent') return noSuchBlob();
  if (read.type !== 'found') return refused(read);
  return { view: { state: read.version, lock: null, owed: null }, isOld: true, bytes: read.bytes };
}

function reply(call: DoorCall, { view, isOld, bytes }: Found): Answer {
  const { request, asked } = call;
  const failed = readRefusal(request, view);
  if (failed !== null) return failed;
  const { state } = view;
  const size = state?.size ?? 0;
  const { 'x-ms-is-current-version': _, ...known } = blobHeaders(view, request);
  const headers = isOld ? known : blobHeaders(view, request);
  const isMetadata = asked.query.get('comp') === 'metadata';
  if (asked.operation === 'GetBlobProperties') {
    const length = isMetadata ? {} : { 'content-length': String(size), ...md5Header(state) };
    return { operation: asked.operation, status: 200, headers: { ...headers, ...length }, body: null };
  }
  const standing = { etag: etagOf(view), modified: modifiedAt(view) };
  const said = request.header('x-ms-range') ?? request.header('range');
  const range = sameRange(request.header('if-range'), standing) ? readRange(said, size) : null;
  if (range === 'unsatisfiable') {
    return {
      status: 416,
      code: 'InvalidRange',
      message: 'The range specified is invalid for the current size of the resource.',
      headers: { 'content-range': `bytes */${size}` },
    };
  }
  const [from, to] = range ?? [0, size];
  return {
    operation: asked.operation,
    status: range === null ? 200 : 206,
    headers: {
      ...headers,
      'content-length': String(to - from),
      ...(range === null
        ? md5Header(state)
        : {
            'content-range': `bytes ${from}-${to - 1}/${size}`,
            ...md5Header(state, 'x-ms-blob-content-md5'),
          }),
    },
    body: bytes === null ? null : cut(bytes.plain(), [from, to]),
  };
}

function md5Header(state: Version | null, name = 'content-md5'): Record<string, string> {
  return state === null ? {} : { [name]: Buffer.from(state.md5, 'hex').toString('base64') };
}
