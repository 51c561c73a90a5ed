import type { Done, Refused } from '../../../src/contract/door-contract-client.ts';

interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** What clients of AWS are told when they may not come in, or not do what they asked. */
const CREDENTIAL_ERRORS = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const BECAUSE: Readonly<Record<string, Refused['because']>> = {
  OperationAborted: 'locked',
  PreconditionFailed: 'conflict',
  ConditionalCheckFailedException: 'conflict',
};

/** The name of the error that a call of an SDK ended with. */
export function nameOf(error: unknown): string {
  return (error as SdkError).name;
}

/** An error of an SDK as the contract understands it. Throws on what is no answer, such as a closed connection. */
export function refusedBy(error: unknown): Refused {
  const { name, message, $metadata } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  if (status === undefined) throw error;
  const because =
    status >= 500 ? 'fault' : CREDENTIAL_ERRORS.has(name) ? 'credential' : (BECAUSE[name] ?? 'other');
  return { type: 'refused', because, says: `${status} ${name}: ${message}` };
}

/** What became of requests that say nothing more when they go well. */
export async function done<Type extends string>(
  type: Type,
  requests: () => Promise<unknown>,
): Promise<Done<Type>> {
  try {
    await requests();
    return { type };
  } catch (error) {
    return refusedBy(error);
  }
}
