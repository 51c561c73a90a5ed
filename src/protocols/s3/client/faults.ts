import { BackendFault } from '../../../ports/state-client.ts';
import { HASH_KEY } from '../../dynamodb/layout.ts';
import type { S3Config } from './config.ts';

const DENIED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
]);
const CREDENTIALS =
  'Check the AWS credentials: environment (AWS_ACCESS_KEY_ID …), profile, or SSO session ("aws sso login").';

/** The name that AWS gives the error, such as `NoSuchKey`. */
function errorName(fault: unknown): string {
  return fault instanceof Error ? fault.name : '';
}

function errorStatus(fault: unknown): number {
  const metadata: unknown =
    typeof fault === 'object' && fault !== null ? Reflect.get(fault, '$metadata') : null;
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : 0;
  return typeof status === 'number' ? status : 0;
}

/** Whether the object or item is not there, as opposed to the bucket or table. */
export function isAbsent(fault: unknown): boolean {
  return ['NoSuchKey', 'NotFound', 'NoSuchVersion'].includes(errorName(fault));
}

/** Whether a conditional request found its condition not met. */
export function isConflict(fault: unknown): boolean {
  const names = ['PreconditionFailed', 'ConditionalRequestConflict', 'ConditionalCheckFailedException'];
  return names.includes(errorName(fault)) || errorStatus(fault) === 412;
}

/** AWS's errors in words that say what to do. */
export function explainFault(fault: unknown, { place, table, region }: S3Config): unknown {
  if (fault instanceof BackendFault || !(fault instanceof Error)) return fault;
  const name = errorName(fault);
  const status = errorStatus(fault);
  if (name === 'NoSuchBucket') {
    return new BackendFault(
      'missing',
      `there is no S3 bucket "${place.bucket}"`,
      'Create the bucket, or correct its name.',
      fault,
    );
  }
  if (name === 'ResourceNotFoundException') {
    const next = `Make it, with a string hash key named ${HASH_KEY}, or correct dynamodb_table.`;
    return new BackendFault('missing', `there is no DynamoDB table "${table}"`, next, fault);
  }
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new BackendFault('denied', `no AWS credentials: ${fault.message}`, CREDENTIALS, fault);
  }
  if (DENIED.has(name) || status === 401 || status === 403) {
    return new BackendFault(
      'denied',
      `AWS refused the request: ${name}: ${fault.message}`,
      CREDENTIALS,
      fault,
    );
  }
  if (fault.message.includes('Region is missing')) {
    return new BackendFault(
      'configuration',
      'the s3 backend needs a region',
      'Set region or AWS_REGION.',
      fault,
    );
  }
  if (status === 301 || name === 'PermanentRedirect') {
    const message = `bucket "${place.bucket}" is in another region than ${region ?? 'the one configured'}`;
    return new BackendFault('configuration', message, 'Correct the region.', fault);
  }
  const code = 'code' in fault ? String(fault.code) : '';
  const network = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH'];
  if (network.includes(code) || name === 'TimeoutError' || status >= 500) {
    const why = fault.message === '' || fault.message === 'UnknownError' ? code || name : fault.message;
    return new BackendFault(
      'unreachable',
      `no answer from AWS: ${why}`,
      'Check the network and the endpoints.',
      fault,
    );
  }
  return new BackendFault('other', `AWS: ${name}: ${fault.message}`, '', fault);
}
