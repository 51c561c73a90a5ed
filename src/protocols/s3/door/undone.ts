import type { DoorReply, DoorRequest } from '../../door.ts';
import { readXml, type XmlNode } from '../../wire/xml-reader.ts';
import { NOT_DONE_HEADER } from '../layout.ts';
import type { S3Error } from './errors.ts';

/** What a client can ask for that is confirmed, or remembered, and not done. */
export type Undone =
  | 'acl'
  | 'bucket-owner'
  | 'customer-key'
  | 'kms-key'
  | 'lifecycle'
  | 'logging'
  | 'metadata'
  | 'mfa-delete'
  | 'ownership-controls'
  | 'policy'
  | 'public-access-block'
  | 'storage-class'
  | 'tags'
  | 'website-redirect';

/** What is so in any case, so that it is done when it is asked for. */
const DONE: Readonly<Record<string, readonly string[]>> = {
  'x-amz-acl': ['private', 'bucket-owner-full-control'],
  'x-amz-metadata-directive': ['COPY'],
  'x-amz-tagging-directive': ['COPY'],
  'x-amz-storage-class': ['STANDARD'],
  'x-amz-server-side-encryption': ['AES256'],
  'x-amz-server-side-encryption-bucket-key-enabled': ['false'],
  'x-amz-object-ownership': ['BucketOwnerEnforced'],
};

/** The longest prefix of a header's name counts, so that they stand in that order. */
const HEADERS: readonly (readonly [prefix: string, undone: Undone])[] = [
  ['x-amz-copy-source-server-side-encryption-customer-', 'customer-key'],
  ['x-amz-server-side-encryption-customer-', 'customer-key'],
  ['x-amz-server-side-encryption', 'kms-key'],
  ['x-amz-acl', 'acl'],
  ['x-amz-grant-', 'acl'],
  ['x-amz-meta-', 'metadata'],
  ['x-amz-metadata-directive', 'metadata'],
  ['x-amz-tagging-directive', 'tags'],
  ['x-amz-tagging', 'tags'],
  ['x-amz-storage-class', 'storage-class'],
  ['x-amz-website-redirect-location', 'website-redirect'],
  ['x-amz-object-ownership', 'ownership-controls'],
  ['x-amz-expected-bucket-owner', 'bucket-owner'],
  ['x-amz-source-expected-bucket-owner', 'bucket-owner'],
];

/**
 * What the headers of a request ask for that is not done here, each once.
 * @param account the one that owns every bucket
 */
export function undoneByHeaders(
  { rawHeaders }: Pick<DoorRequest, 'rawHeaders'>,
  account: string,
): readonly Undone[] {
  const found = new Set<Undone>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const undone = HEADERS.find(([prefix]) => name.startsWith(prefix))?.[1];
    const value = (rawHeaders[index + 1] ?? '').trim();
    const isDone = undone === 'bucket-owner' ? value === account : DONE[name]?.includes(value) === true;
    if (undone !== undefined && !isDone) found.add(undone);
  }
  return [...found].sort();
}

const SETTINGS: Readonly<Record<string, Undone>> = {
  acl: 'acl',
  policy: 'policy',
  publicAccessBlock: 'public-access-block',
  lifecycle: 'lifecycle',
  ownershipControls: 'ownership-controls',
};

/** Settings of which it depends on what they say. */
const LOOKED_INTO: ReadonlySet<string> = new Set(['encryption', 'versioning', 'logging']);

/** What of a bucket's setting is remembered and not done; null where it is so. Tags are there to be remembered. */
export function undoneBySetting(setting: string, text: string): Undone | null {
  const document = LOOKED_INTO.has(setting) ? readXml(Buffer.from(text)) : null;
  if (document === null) return SETTINGS[setting] ?? null;
  if (setting === 'logging') return document.children.length === 0 ? null : 'logging';
  if (setting === 'versioning')
    return textsOf(document, 'MfaDelete').includes('Enabled') ? 'mfa-delete' : null;
  const others = textsOf(document, 'SSEAlgorithm').some((algorithm) => algorithm !== 'AES256');
  return others || textsOf(document, 'KMSMasterKeyID').length > 0 ? 'kms-key' : null;
}

/** An answer that says what of the request is not done, although it is confirmed. */
export function saying(reply: DoorReply, undone: readonly Undone[]): DoorReply {
  return { ...reply, headers: { ...reply.headers, [NOT_DONE_HEADER]: undone.join(', ') } };
}

/** The refusal of a server that is told to confirm only what it does (`--strict-s3`). */
export function notDone(undone: readonly Undone[]): S3Error {
  const what = undone.join(', ');
  return {
    status: 501,
    code: 'NotImplemented',
    message: `This server does not do what the request asks for (${what}), and is started with --strict-s3 so that it does not confirm it. Ask without it: every state is encrypted at rest, private, and kept in versions in any case.`,
    details: { NotDone: what },
  };
}

function textsOf(node: XmlNode, name: string): readonly string[] {
  const own = node.name === name ? [node.text.trim()] : [];
  return [...own, ...node.children.flatMap((child) => textsOf(child, name))];
}
