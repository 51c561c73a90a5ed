import type { DoorRequest } from '../../door.ts';
import { decodeUriText, readQuery } from '../../wire/uri.ts';
import { bucketOfHost } from '../layout.ts';

/** The operations of this door, by the names that AWS gives them. */
export type Operation =
  | 'ListBuckets'
  | 'CreateBucket'
  | 'HeadBucket'
  | 'DeleteBucket'
  | 'GetBucketLocation'
  | 'GetBucketSetting'
  | 'PutBucketSetting'
  | 'DeleteBucketSetting'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'ListMultipartUploads'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadObject'
  | 'PutObject'
  | 'CopyObject'
  | 'DeleteObject'
  | 'GetObjectSetting'
  | 'PutObjectSetting'
  | 'GetObjectAttributes'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'UploadPartCopy'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts';

/** What a request asks of which bucket and object. */
export interface DetectedRequest {
  readonly operation: Operation;
  /** Empty for the service itself. */
  readonly bucket: string;
  /** The object's name; empty for the bucket itself. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** The setting that a `…BucketSetting` operation is about, as its query names it. */
  readonly setting: string;
}

export interface Undetected {
  readonly problem: 'InvalidURI' | 'MethodNotAllowed' | 'NotImplemented';
  readonly message: string;
}

type Level = 'service' | 'bucket' | 'object';

interface Row {
  readonly level: Level;
  readonly method: string;
  /** Query parameters that must be there. */
  readonly with: readonly string[];
  readonly header?: string;
  readonly operation: Operation;
}

/** Settings of a bucket that clients read and write as a document of their own. */
const BUCKET_SETTINGS = [
  'versioning',
  'encryption',
  'publicAccessBlock',
  'tagging',
  'policy',
  'lifecycle',
  'ownershipControls',
  'acl',
  'logging',
] as const;

/** Settings of a bucket that are shown as what they are when nobody has set them; of them the object lock alone can be set. */
const SHOWN_SETTINGS =
  'policyStatus cors website replication notification accelerate requestPayment object-lock'.split(' ');

/** The same of an object. */
const OBJECT_SETTINGS = ['acl', 'tagging', 'retention', 'legal-hold'];
/** Those of them that can be set. */
const SET_OF_OBJECTS = ['retention', 'legal-hold'];

/** Query parameters that make another operation of a request: those that no row names are not done here. */
const SUBRESOURCES = new Set<string>([
  ...BUCKET_SETTINGS,
  ...'accelerate acl analytics attributes cors delete intelligent-tiering inventory legal-hold location'.split(
    ' ',
  ),
  ...'logging metrics notification object-lock partNumber policyStatus replication requestPayment'.split(' '),
  ...'restore retention select torrent uploadId uploads versions website'.split(' '),
]);

const ROWS: readonly Row[] = [
  row('service', 'GET', [], 'ListBuckets'),
  row('bucket', 'PUT', [], 'CreateBucket'),
  row('bucket', 'HEAD', [], 'HeadBucket'),
  row('bucket', 'DELETE', [], 'DeleteBucket'),
  row('bucket', 'GET', ['location'], 'GetBucketLocation'),
  ...BUCKET_SETTINGS.flatMap((setting) => [
    row('bucket', 'GET', [setting], 'GetBucketSetting'),
    row('bucket', 'PUT', [setting], 'PutBucketSetting'),
    row('bucket', 'DELETE', [setting], 'DeleteBucketSetting'),
  ]),
  ...SHOWN_SETTINGS.map((setting) => row('bucket', 'GET', [setting], 'GetBucketSetting')),
  row('bucket', 'PUT', ['object-lock'], 'PutBucketSetting'),
  row('bucket', 'GET', ['list-type'], 'ListObjectsV2'),
  row('bucket', 'GET', ['versions'], 'ListObjectVersions'),
  row('bucket', 'GET', ['uploads'], 'ListMultipartUploads'),
  row('bucket', 'GET', [], 'ListObjects'),
  row('bucket', 'POST', ['delete'], 'DeleteObjects'),
  row('object', 'POST', ['uploads'], 'CreateMultipartUpload'),
  { ...row('object', 'PUT', ['partNumber', 'uploadId'], 'UploadPartCopy'), header: 'x-amz-copy-source' },
  row('object', 'PUT', ['partNumber', 'uploadId'], 'UploadPart'),
  row('object', 'POST', ['uploadId'], 'CompleteMultipartUpload'),
  row('object', 'DELETE', ['uploadId'], 'AbortMultipartUpload'),
  row('object', 'GET', ['uploadId'], 'ListParts'),
  ...OBJECT_SETTINGS.map((setting) => row('object', 'GET', [setting], 'GetObjectSetting')),
  ...SET_OF_OBJECTS.map((setting) => row('object', 'PUT', [setting], 'PutObjectSetting')),
  row('object', 'GET', ['attributes'], 'GetObjectAttributes'),
  row('object', 'GET', [], 'GetObject'),
  row('object', 'GET', ['partNumber'], 'GetObject'),
  row('object', 'HEAD', [], 'HeadObject'),
  row('object', 'HEAD', ['partNumber'], 'HeadObject'),
  { ...row('object', 'PUT', [], 'CopyObject'), header: 'x-amz-copy-source' },
  row('object', 'PUT', [], 'PutObject'),
  row('object', 'DELETE', [], 'DeleteObject'),
];

/** Reads method, host, path and query. */
export function detect(request: DoorRequest, domain: string | null): DetectedRequest | Undetected {
  const query = readQuery(request.query);
  const path = decodeUriText(request.path.replace(/^\//, ''));
  if (query === null || path === null) {
    return { problem: 'InvalidURI', message: "Couldn't parse the specified URI." };
  }
  const virtual = bucketOfHost(request.header('host') ?? '', domain);
  const slash = path.indexOf('/');
  const bucket = virtual ?? (slash === -1 ? path : path.slice(0, slash));
  const key = virtual === null ? (slash === -1 ? '' : path.slice(slash + 1)) : path;
  const level: Level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const asked = [...query.keys()].filter((name) => SUBRESOURCES.has(name));
  const found = ROWS.find(
    (candidate) =>
      candidate.level === level &&
      candidate.method === request.method &&
      candidate.with.every((name) => query.has(name)) &&
      asked.every((name) => candidate.with.includes(name)) &&
      (candidate.header === undefined || request.header(candidate.header) !== undefined),
  );
  if (found !== undefined) {
    return { operation: found.operation, bucket, key, query, setting: found.with[0] ?? '' };
  }
  return asked.length > 0
    ? { problem: 'NotImplemented', message: `${request.method} ?${asked.join('&')} is not supported.` }
    : {
        problem: 'MethodNotAllowed',
        message: 'The specified method is not allowed against this resource.',
      };
}

function row(level: Level, method: string, names: readonly string[], operation: Operation): Row {
  return { level, method, with: names, operation };
}
