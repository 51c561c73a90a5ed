import { S3_NAMESPACE } from '../layout.ts';
import { OWNERS_ACL } from './acl.ts';
import type { S3Error } from './errors.ts';

/**
 * What is answered for a setting of a bucket that nobody has set: what holds here in any case, or S3's own "there is none".
 * Source: Amazon S3 API reference, each operation's example and its list of errors.
 */
export const UNSET: Readonly<Record<string, string | S3Error>> = {
  versioning: xml('VersioningConfiguration', '<Status>Enabled</Status>'),
  encryption: xml(
    'ServerSideEncryptionConfiguration',
    '<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>',
  ),
  acl: OWNERS_ACL,
  logging: xml('BucketLoggingStatus', ''),
  policyStatus: xml('PolicyStatus', '<IsPublic>false</IsPublic>'),
  accelerate: xml('AccelerateConfiguration', ''),
  requestPayment: xml('RequestPaymentConfiguration', '<Payer>BucketOwner</Payer>'),
  notification: xml('NotificationConfiguration', ''),
  publicAccessBlock: none(
    'NoSuchPublicAccessBlockConfiguration',
    'The public access block configuration was not found',
  ),
  tagging: none('NoSuchTagSet', 'The TagSet does not exist'),
  policy: none('NoSuchBucketPolicy', 'The bucket policy does not exist'),
  lifecycle: none('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'),
  ownershipControls: none('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found'),
  cors: none('NoSuchCORSConfiguration', 'The CORS configuration does not exist'),
  website: none('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'),
  replication: none('ReplicationConfigurationNotFoundError', 'The replication configuration was not found'),
  'object-lock': none(
    'ObjectLockConfigurationNotFoundError',
    'Object Lock configuration does not exist for this bucket',
  ),
};

/** A document of S3's, as text. */
export function xml(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${S3_NAMESPACE}">${content}</${root}>`;
}

function none(code: string, message: string): S3Error {
  return { status: 404, code, message };
}
