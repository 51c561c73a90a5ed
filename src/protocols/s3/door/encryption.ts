import type { DoorRequest } from '../../door.ts';

const MODE = 'x-amz-server-side-encryption';
const KMS_KEY = 'x-amz-server-side-encryption-aws-kms-key-id';
const CUSTOMER_ALGORITHM = 'x-amz-server-side-encryption-customer-algorithm';
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
