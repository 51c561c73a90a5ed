import type { FoundState } from '../../house/states/states.ts';
import type { DoorReply, DoorRequest } from '../door.ts';
import { namesETag } from './conditions.ts';

/** A state byte for byte, as plain HTTP gives it: compressed if asked, and not at all if the client has it already. */
export function stateReply(operation: string, found: FoundState, request: DoorRequest): DoorReply {
  const gzip = acceptsGzip(request.header('accept-encoding'));
  const headers = stateHeaders(found, gzip);
  const known = request.header('if-none-match');
  const { sha256 } = found.version;
  if (known !== undefined && [sha256, `${sha256}-gzip`].some((tag) => namesETag(known, tag))) {
    return { operation, status: 304, headers, body: null };
  }
  const head = request.method === 'HEAD';
  return {
    operation,
    status: 200,
    headers,
    body: head ? null : gzip ? found.bytes.gzip() : found.bytes.plain(),
  };
}

/** Which version it is, in headers. */
export function versionHeaders(number: number, serial: bigint): Record<string, string> {
  return { 'x-statehouse-version': String(number), 'x-statehouse-serial': serial.toString() };
}

function stateHeaders({ version }: FoundState, gzip: boolean): Record<string, string> {
  const { sha256, md5, size, number, serial, at } = version;
  return {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    vary: 'accept-encoding',
    'last-modified': new Date(at).toUTCString(),
    ...versionHeaders(number, serial),
    // A strong tag names one sequence of bytes, so the compressed form has its own.
    ...(gzip
      ? { etag: `"${sha256}-gzip"`, 'content-encoding': 'gzip' }
      : {
          etag: `"${sha256}"`,
          'content-length': String(size),
          'content-md5': Buffer.from(md5, 'hex').toString('base64'),
        }),
  };
}

function acceptsGzip(header: string | undefined): boolean {
  return /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?:1|0?\.\d*[1-9]\d*)[^,]*)?(?:,|$)/i.test(header ?? '');
}
