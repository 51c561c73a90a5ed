import { createHash } from 'node:crypto';
import type { DoorRequest } from '../../door.ts';
import { invalidArgument, type S3Error } from './errors.ts';

const MODE = 'x-amz-server-side-encryption';
const KMS_KEY = 'x-amz-server-side-encryption-aws-kms-key-id';
const CUSTOMER_ALGORITHM = 'x-amz-server-side-encryption-customer-algorithm';
const CUSTOMER_KEY = 'x-amz-server-side-encryption-customer-key';
const CUSTOMER_KEY_MD5 = 'x-amz-server-side-encryption-customer-key-md5';

/**
 * The answer to whatever a client says of encryption. States are encrypted at rest under the house's own key in any case:
 * what a client asks for is confirmed, no key of its is used or kept, and the answer says so (`undone.ts`).
 */
export function encryptionHeaders(request: DoorRequest): Record<string, string> {
  const customer = request.header(CUSTOMER_ALGORITHM);
  if (customer !== undefined) {
    return {
      [CUSTOMER_ALGORITHM]: customer,
      [CUSTOMER_KEY_MD5]: request.header(CUSTOMER_KEY_MD5) ?? '',
    };
  }
  const key = request.header(KMS_KEY);
  return {
    [MODE]: request.header(MODE) ?? 'AES256',
    ...(key === undefined ? {} : { [KMS_KEY]: key }),
  };
}

const MODES: ReadonlySet<string> = new Set(['AES256', 'aws:kms', 'aws:kms:dsse', 'aws:fsx']);
const CUSTOMER_KEY_BYTES = 32;

/**
 * What S3 refuses of what is said of encryption, whatever is done with it here. Source: Amazon S3 API reference, PutObject; user
 * guide, "Using server-side encryption with customer-provided keys".
 */
export function encryptionProblem({ header }: Pick<DoorRequest, 'header'>): S3Error | null {
  const [mode, kmsKey] = [header(MODE), header(KMS_KEY)];
  const customer = [header(CUSTOMER_ALGORITHM), header(CUSTOMER_KEY), header(CUSTOMER_KEY_MD5)];
  const refuse = (name: string, message: string): S3Error =>
    invalidArgument(name, header(name) ?? '', message);
  if (mode !== undefined && !MODES.has(mode)) {
    return refuse(MODE, 'The encryption method specified is not supported');
  }
  if (kmsKey !== undefined && !(mode ?? '').startsWith('aws:kms')) {
    return refuse(KMS_KEY, `A key of KMS needs ${MODE} of aws:kms`);
  }
  if (customer.every((value) => value === undefined)) return null;
  if (mode !== undefined) {
    return refuse(
      MODE,
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    );
  }
  return customerProblem(customer, refuse);
}

function customerProblem(
  [algorithm, key, md5]: readonly (string | undefined)[],
  refuse: (name: string, message: string) => S3Error,
): S3Error | null {
  if (algorithm !== 'AES256') {
    return refuse(
      CUSTOMER_ALGORITHM,
      'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm: expected AES256.',
    );
  }
  const bytes = Buffer.from(key ?? '', 'base64');
  // A key is no argument to be told again.
  if (bytes.length !== CUSTOMER_KEY_BYTES) {
    return refuse(
      CUSTOMER_ALGORITHM,
      'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key: expected base64 of 32 bytes.',
    );
  }
  return md5 === createHash('md5').update(bytes).digest('base64')
    ? null
    : refuse(
        CUSTOMER_KEY_MD5,
        'The calculated MD5 hash of the key did not match the hash that was provided.',
      );
}
