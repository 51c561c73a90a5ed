import type { DoorRequest } from '../../door.ts';
import type { DetectedRequest, Operation } from './detect.ts';
import { headerNotDone, invalidArgument, type S3Error } from './errors.ts';

/** What an operation can be told, beside what all of them can be. */
interface Known {
  /** Query parameters. */
  readonly parameters?: readonly string[];
  /** Headers that begin with `x-amz-`, and conditions; a name that ends with "-" stands for all that begin so. */
  readonly headers?: readonly string[];
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

const SIGNATURE = words(
  'x-amz-algorithm x-amz-credential x-amz-date x-amz-expires x-amz-signedheaders x-amz-signature x-amz-security-token x-amz-content-sha256',
);
/** Who asks, with what program, and how the body comes. Nothing is charged, and there is no MFA to be missing. */
const OF_ALL = words(
  'x-amz-security-token x-amz-content-sha256 x-amz-date x-amz-user-agent x-amz-trailer x-amz-decoded-content-length x-amz-sdk-checksum-algorithm x-amz-te x-amz-request-payer x-amz-mfa x-amz-expected-bucket-owner',
);
const CHECKSUMS = words(
  'x-amz-checksum-crc32 x-amz-checksum-crc32c x-amz-checksum-crc64nvme x-amz-checksum-sha1 x-amz-checksum-sha256',
);
const CUSTOMER_KEY = ['x-amz-server-side-encryption-customer-'];
/** What a new object is to be like: done, or confirmed as `undone.ts` says. */
const OF_OBJECTS = words(
  'x-amz-acl x-amz-grant- x-amz-meta- x-amz-tagging x-amz-storage-class x-amz-website-redirect-location x-amz-object-lock- x-amz-server-side-encryption x-amz-server-side-encryption-',
);
const SOURCE = words(
  'x-amz-copy-source x-amz-copy-source-if-match x-amz-copy-source-if-none-match x-amz-copy-source-if-modified-since x-amz-copy-source-if-unmodified-since x-amz-copy-source-server-side-encryption-customer- x-amz-source-expected-bucket-owner',
);
const WRITE_CONDITIONS = ['if-match', 'if-none-match'];
const READ: Known = {
  parameters: words(
    'versionId partNumber response-cache-control response-content-disposition response-content-encoding response-content-language response-content-type response-expires',
  ),
  headers: [
    ...words('if-match if-none-match if-modified-since if-unmodified-since if-range x-amz-checksum-mode'),
    ...CUSTOMER_KEY,
  ],
};
const LIST = words('prefix delimiter max-keys encoding-type');
const LISTED = ['x-amz-optional-object-attributes'];
const SETTING: Known = {
  headers: [
    'x-amz-acl',
    'x-amz-grant-',
    ...CHECKSUMS,
    'x-amz-confirm-remove-self-bucket-access',
    'x-amz-transition-default-minimum-object-size',
    'x-amz-bucket-object-lock-token',
  ],
};

/** The one table of what may be said with an operation. Source: Amazon S3 API reference, the page of each. */
const KNOWN: Readonly<Record<Operation, Known>> = {
  ListBuckets: { parameters: words('max-buckets continuation-token prefix bucket-region') },
  CreateBucket: {
    headers: [
      ...CHECKSUMS,
      ...words('x-amz-acl x-amz-grant- x-amz-bucket-object-lock-enabled x-amz-object-ownership'),
    ],
  },
  HeadBucket: {},
  DeleteBucket: {},
  GetBucketLocation: { parameters: ['location'] },
  GetBucketSetting: {},
  PutBucketSetting: SETTING,
  DeleteBucketSetting: {},
  ListObjects: { parameters: [...LIST, 'marker'], headers: LISTED },
  ListObjectsV2: {
    parameters: [...LIST, 'list-type', 'continuation-token', 'fetch-owner', 'start-after'],
    headers: LISTED,
  },
  ListObjectVersions: {
    parameters: [...LIST, 'versions', 'key-marker', 'version-id-marker'],
    headers: LISTED,
  },
  ListMultipartUploads: {
    parameters: [...LIST, 'uploads', 'key-marker', 'upload-id-marker', 'max-uploads'],
  },
  DeleteObjects: {
    parameters: ['delete'],
    headers: [...CHECKSUMS, 'x-amz-bypass-governance-retention'],
  },
  GetObject: READ,
  GetObjectSetting: { parameters: ['versionId'] },
  PutObjectSetting: {
    parameters: ['versionId'],
    headers: [...CHECKSUMS, 'x-amz-bypass-governance-retention'],
  },
  GetObjectAttributes: {
    parameters: ['attributes', 'versionId'],
    headers: [...CUSTOMER_KEY, ...words('x-amz-object-attributes x-amz-max-parts x-amz-part-number-marker')],
  },
  HeadObject: READ,
  PutObject: { headers: [...CHECKSUMS, ...OF_OBJECTS, ...WRITE_CONDITIONS] },
  CopyObject: {
    headers: [
      ...OF_OBJECTS,
      ...SOURCE,
      ...WRITE_CONDITIONS,
      'x-amz-metadata-directive',
      'x-amz-tagging-directive',
      'x-amz-checksum-algorithm',
    ],
  },
  DeleteObject: {
    parameters: ['versionId'],
    headers: words(
      'if-match x-amz-if-match-size x-amz-if-match-last-modified-time x-amz-bypass-governance-retention',
    ),
  },
  CreateMultipartUpload: {
    parameters: ['uploads'],
    headers: [...OF_OBJECTS, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  },
  UploadPart: {
    parameters: ['partNumber', 'uploadId'],
    headers: [...CHECKSUMS, ...CUSTOMER_KEY, 'x-amz-checksum-algorithm'],
  },
  UploadPartCopy: {
    parameters: ['partNumber', 'uploadId'],
    headers: [...SOURCE, ...CUSTOMER_KEY, 'x-amz-copy-source-range'],
  },
  CompleteMultipartUpload: {
    parameters: ['uploadId'],
    headers: [
      ...CHECKSUMS,
      ...CUSTOMER_KEY,
      ...WRITE_CONDITIONS,
      'x-amz-checksum-type',
      'x-amz-mp-object-size',
    ],
  },
  AbortMultipartUpload: { parameters: ['uploadId'] },
  ListParts: { parameters: ['uploadId', 'max-parts', 'part-number-marker'], headers: CUSTOMER_KEY },
};

const ENCRYPTION = 'x-amz-server-side-encryption';
const DATES = ['if-modified-since', 'if-unmodified-since'];

/**
 * Refuses what nobody here knows and what would change the meaning of a request: passed over, a condition would not hold, or
 * a version would not be the one that was meant. Parameters that begin with "x-" are notes for logs, as at S3.
 * @param request with the headers that were moved into its URL
 * @returns null where everything that is said is known
 */
export function refuseUnknown(request: DoorRequest, asked: DetectedRequest): S3Error | null {
  const { parameters = [], headers = [] } = KNOWN[asked.operation];
  for (const name of asked.query.keys()) {
    const lower = name.toLowerCase();
    if (parameters.includes(name) || name === asked.setting || SIGNATURE.includes(lower)) continue;
    // Those of AWS stand among the headers by now.
    if (!lower.startsWith('x-')) return headerNotDone(name);
  }
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = (request.rawHeaders[index] ?? '').toLowerCase();
    if (name.startsWith(ENCRYPTION) && !isListed(name, headers)) return noEncryption(request, name);
    const isOurs = name.startsWith('x-amz-') || name.startsWith('if-') || name === 'content-range';
    if (isOurs && !isListed(name, OF_ALL) && !isListed(name, headers)) return headerNotDone(name);
    const value = request.rawHeaders[index + 1] ?? '';
    if (DATES.some((date) => name.endsWith(date)) && Number.isNaN(Date.parse(value))) {
      return invalidArgument(name, value, `${name} is not a date`);
    }
  }
  return null;
}

/**
 * The request with the headers that its signer has moved into its URL, as SDKs do with all that begin with `x-amz-` when they
 * presign. It is checked before: what is in the URL is signed, and a header that was sent counts first.
 */
export function withMovedHeaders(request: DoorRequest, query: ReadonlyMap<string, string>): DoorRequest {
  const moved = new Map(
    [...query]
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(
        ([name]) =>
          name.startsWith('x-amz-') && !SIGNATURE.includes(name) && request.header(name) === undefined,
      ),
  );
  if (moved.size === 0) return request;
  return {
    ...request,
    header: (name) => request.header(name) ?? moved.get(name),
    rawHeaders: [...request.rawHeaders, ...[...moved].flat()],
  };
}

/** As S3 says it of what has no encryption of its own, such as a read. */
function noEncryption({ header }: DoorRequest, name: string): S3Error {
  return invalidArgument(name, header(name) ?? '', `${name} header is not supported for this operation.`);
}

function isListed(name: string, listed: readonly string[]): boolean {
  return listed.some((known) => name === known || (known.endsWith('-') && name.startsWith(known)));
}
