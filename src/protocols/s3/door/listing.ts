import { encodeUri } from '../../wire/uri.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { LIST_KEYS_MAX } from '../layout.ts';
import { documentReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { invalidArgument, refused, type S3Error } from './errors.ts';
import { ObjectWalk, type Listed } from './inventory.ts';

/** What all listings are asked with. */
export interface ListTerms {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  /** Writes a name as the client wants to read it. */
  readonly encode: (name: string) => string;
  readonly encoding: string | undefined;
}

/** One page: objects, and the names that the delimiter stands for. */
interface Page {
  readonly objects: readonly Listed[];
  readonly prefixes: readonly string[];
  /** The last entry of the page, where another page follows. */
  readonly next: string | null;
}

/** ListObjects, the first version: pages go on by the last name. */
export async function listObjectsV1(call: DoorCall): Promise<Answer> {
  const terms = readTerms(call);
  if ('code' in terms) return terms;
  const marker = call.asked.query.get('marker') ?? '';
  const page = await pageOf(call, terms, marker);
  if ('code' in page) return page;
  const { objects, prefixes, next } = page;
  return documentReply(call, 'ListBucketResult', {
    Name: call.asked.bucket,
    Prefix: terms.encode(terms.prefix),
    Marker: terms.encode(marker),
    NextMarker: next === null || terms.delimiter === '' ? undefined : terms.encode(next),
    MaxKeys: terms.limit,
    Delimiter: terms.delimiter === '' ? undefined : terms.encode(terms.delimiter),
    EncodingType: terms.encoding,
    IsTruncated: next !== null,
    Contents: objects.map((object) => ({ ...contents(object, terms), Owner: owner() })),
    CommonPrefixes: prefixes.map((prefix) => ({ Prefix: terms.encode(prefix) })),
  });
}

/** ListObjects, the second version: pages go on by a token. */
export async function listObjectsV2(call: DoorCall): Promise<Answer> {
  const terms = readTerms(call);
  if ('code' in terms) return terms;
  const { query, bucket } = call.asked;
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  // S3 takes an empty token for none, and shows it all the same.
  const isFirst = token === undefined || token === '';
  const after = isFirst ? (startAfter ?? '') : readToken(token);
  if (after === null) {
    return invalidArgument('continuation-token', token ?? '', 'The continuation token provided is incorrect');
  }
  const page = await pageOf(call, terms, after);
  if ('code' in page) return page;
  const { objects, prefixes, next } = page;
  const withOwner = query.get('fetch-owner') === 'true';
  return documentReply(call, 'ListBucketResult', {
    Name: bucket,
    Prefix: terms.encode(terms.prefix),
    StartAfter: startAfter === undefined ? undefined : terms.encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: next === null ? undefined : writeToken(next),
    KeyCount: objects.length + prefixes.length,
    MaxKeys: terms.limit,
    Delimiter: terms.delimiter === '' ? undefined : terms.encode(terms.delimiter),
    EncodingType: terms.encoding,
    IsTruncated: next !== null,
    Contents: objects.map((object) => ({
      ...contents(object, terms),
      Owner: withOwner ? owner() : undefined,
    })),
    CommonPrefixes: prefixes.map((prefix) => ({ Prefix: terms.encode(prefix) })),
  });
}

/** Reads what all listings have in common, and whether the caller may list at all. */
export function readTerms({ asked: { query, bucket }, caller, house }: DoorCall): ListTerms | S3Error {
  const refusal = house.projects.refuse(caller, 'list', bucket);
  if (refusal !== null) return refused(refusal);
  const limit = query.get('max-keys') ?? String(LIST_KEYS_MAX);
  if (!/^\d{1,9}$/.test(limit)) {
    return invalidArgument('max-keys', limit, 'Provided max-keys not an integer or within integer range');
  }
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    return invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request');
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: Math.min(Number(limit), LIST_KEYS_MAX),
    encode: encoding === undefined ? (name) => name : urlEncoded,
    encoding,
  };
}

/** Everything is the house's, whoever wrote it. */
export function owner(): XmlElement {
  return { ID: 'statehouse', DisplayName: 'statehouse' };
}

function contents({ name, etag, size, modified }: Listed, { encode }: ListTerms): XmlElement {
  return {
    Key: encode(name),
    LastModified: isoTime(modified),
    ETag: `"${etag}"`,
    Size: size,
    StorageClass: 'STANDARD',
  };
}

/** A page of objects: entries after a name, names that share a part up to the delimiter counted once. */
async function pageOf(
  call: DoorCall,
  { prefix, delimiter, limit }: ListTerms,
  after: string,
): Promise<Page | S3Error> {
  const objects: Listed[] = [];
  const prefixes: string[] = [];
  const walk = await ObjectWalk.open(call, prefix, after);
  if ('code' in walk) return walk;
  let last: string | null = null;
  for (;;) {
    const object = await walk.next();
    if (object === null) return { objects, prefixes, next: null };
    if ('code' in object) return object;
    const common = commonPrefix(object.name, { prefix, delimiter });
    const entry = common ?? object.name;
    // The name that the page comes after may stand for all that begins so.
    const isTold = entry === after;
    if (!isTold && objects.length + prefixes.length === limit)
      return { objects, prefixes, next: limit === 0 ? null : last };
    if (common !== null) walk.passAll(common);
    if (isTold) continue;
    if (common === null) objects.push(object);
    else prefixes.push(common);
    last = entry;
  }
}

/** The part of a name up to the first delimiter after the prefix; null where there is none. */
export function commonPrefix(
  name: string,
  { prefix, delimiter }: Pick<ListTerms, 'prefix' | 'delimiter'>,
): string | null {
  const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
  return end === -1 ? null : name.slice(0, end + delimiter.length);
}

function urlEncoded(name: string): string {
  return encodeUri(Buffer.from(name).toString('latin1'), true);
}

/** A place in a listing, as the client sends it back. */
export function writeToken(name: string): string {
  return Buffer.from(name).toString('base64url');
}

/** The name that a token stands for, or null. */
export function readToken(token: string): string | null {
  const name = Buffer.from(token, 'base64url').toString();
  return token !== '' && writeToken(name) === token ? name : null;
}
