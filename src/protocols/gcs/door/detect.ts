import type { DoorRequest } from '../../door.ts';
import { decodeUriText, readQuery } from '../../wire/uri.ts';
import { DOWNLOAD_PREFIX, JSON_PREFIX, RESUMABLE_PREFIX, UPLOAD_PREFIX } from '../layout.ts';

/** The operations of this door, by the names of Google's API reference. */
export type Operation =
  | 'buckets.list'
  | 'buckets.get'
  | 'buckets.insert'
  | 'buckets.patch'
  | 'objects.list'
  | 'objects.get'
  | 'objects.insert'
  | 'objects.insert.resume'
  | 'objects.insert.cancel'
  | 'objects.copy'
  | 'objects.rewrite'
  | 'objects.delete'
  | 'objects.patch';

/** Another object that a request names. */
export interface Target {
  readonly bucket: string;
  readonly object: string;
}

/** What a request asks of which bucket and object. */
export interface DetectedRequest {
  readonly operation: Operation;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** The object's name; empty where it stands in the body, and for the bucket itself. */
  readonly object: string;
  /** Where a copy goes; null for what is no copy. */
  readonly target: Target | null;
  readonly query: ReadonlyMap<string, string>;
  /** The bytes of the object are asked for, not what is known of it. */
  readonly media: boolean;
  /** The request is one of the XML API, which answers errors in XML. */
  readonly xml: boolean;
}

export interface Undetected {
  readonly problem: 'invalid' | 'notImplemented';
  readonly message: string;
  readonly xml: boolean;
}

/** Of the JSON API: the method, and what its path is made of. */
const ROWS: readonly (readonly [method: string, kind: Place['kind'], operation: Operation])[] = [
  ['GET', 'service', 'buckets.list'],
  ['POST', 'service', 'buckets.insert'],
  ['GET', 'bucket', 'buckets.get'],
  ['PATCH', 'bucket', 'buckets.patch'],
  ['GET', 'objects', 'objects.list'],
  ['GET', 'object', 'objects.get'],
  ['DELETE', 'object', 'objects.delete'],
  ['PATCH', 'object', 'objects.patch'],
  ['POST', 'copyTo', 'objects.copy'],
  ['POST', 'rewriteTo', 'objects.rewrite'],
];

interface Place {
  readonly kind: 'service' | 'bucket' | 'objects' | 'object' | 'copyTo' | 'rewriteTo' | 'compose';
  readonly bucket: string;
  readonly object: string;
  readonly target: Target | null;
}

/** Reads method, path and query: of the JSON API, of its uploads, or of a read by the XML API, which has all other paths. */
export function detect(request: DoorRequest): DetectedRequest | Undetected {
  const { path, method } = request;
  const prefix = [JSON_PREFIX, UPLOAD_PREFIX, RESUMABLE_PREFIX, DOWNLOAD_PREFIX].find((known) =>
    path.startsWith(known),
  );
  const xml = prefix === undefined;
  const query = readQuery(request.query);
  if (query === null) {
    return { problem: 'invalid', message: 'the query has a percent-escape that is not valid UTF-8', xml };
  }
  if (prefix === undefined) return detectXml(request, query);
  const parts = path.slice(prefix.length).split('/').map(decodeUriText);
  if (!areTexts(parts)) {
    return { problem: 'invalid', message: 'the path has a percent-escape that is not valid UTF-8', xml };
  }
  const place = readPlace(parts);
  if (place === null) return notDone(`${method} ${path}`, xml);
  const { kind, ...named } = place;
  const uploads = prefix === UPLOAD_PREFIX || prefix === RESUMABLE_PREFIX;
  const asked = { ...named, query, xml };
  if (uploads && kind === 'objects') {
    const operation = uploadOperation(method, query);
    if (operation !== null) return { ...asked, operation, media: true };
  }
  const found = uploads ? undefined : ROWS.find(([m, k]) => m === method && k === kind);
  if (found === undefined) return notDone(`${method} ${kind}`, xml);
  const media = prefix === DOWNLOAD_PREFIX || query.get('alt') === 'media';
  return { ...asked, operation: found[2], media };
}

function uploadOperation(method: string, query: ReadonlyMap<string, string>): Operation | null {
  const resumes = query.has('upload_id');
  if (method === 'DELETE') return resumes ? 'objects.insert.cancel' : null;
  if (method !== 'POST' && method !== 'PUT') return null;
  return resumes ? 'objects.insert.resume' : 'objects.insert';
}

/** The reads of Go's client: `GET /BUCKET/OBJECT` with the object's slashes as they are. */
function detectXml(
  { path, method }: DoorRequest,
  query: ReadonlyMap<string, string>,
): DetectedRequest | Undetected {
  const plain = decodeUriText(path.slice(1));
  if (plain === null) {
    return {
      problem: 'invalid',
      message: 'the path has a percent-escape that is not valid UTF-8',
      xml: true,
    };
  }
  const slash = plain.indexOf('/');
  if ((method !== 'GET' && method !== 'HEAD') || slash <= 0) return notDone(`${method} of the XML API`, true);
  const [bucket, object] = [plain.slice(0, slash), plain.slice(slash + 1)];
  return { operation: 'objects.get', bucket, object, target: null, query, media: true, xml: true };
}

/** `b`, `b/BUCKET`, `b/BUCKET/o`, `b/BUCKET/o/OBJECT`, whose slashes are escaped, and `…/copyTo/b/BUCKET/o/OBJECT`. */
function readPlace(parts: readonly string[]): Place | null {
  const [b, bucket, o, object = '', action, targetB, targetBucket, targetO, targetObject] = parts;
  if (b !== 'b') return null;
  if (bucket === undefined) return { kind: 'service', bucket: '', object: '', target: null };
  const place = { bucket, object, target: null };
  if (o === undefined) return { ...place, kind: 'bucket' };
  if (o !== 'o' || parts.length > 9) return null;
  if (action === undefined) return { ...place, kind: object === '' ? 'objects' : 'object' };
  if (action === 'compose') return { ...place, kind: action };
  if ((action !== 'copyTo' && action !== 'rewriteTo') || targetB !== 'b' || targetO !== 'o') return null;
  const target = { bucket: targetBucket ?? '', object: targetObject ?? '' };
  return { ...place, kind: action, target };
}

function areTexts(parts: readonly (string | null)[]): parts is readonly string[] {
  return !parts.includes(null);
}

function notDone(what: string, xml: boolean): Undetected {
  return {
    problem: 'notImplemented',
    message: `${what} is not supported: this server keeps Terraform's states and locks, and does of Cloud Storage what backend "gcs" needs`,
    xml,
  };
}
