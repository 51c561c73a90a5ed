import type { DoorRequest } from '../../door.ts';
import { invalid, notDone, type GcsError } from './errors.ts';

/** Keys of the client's own, with which Google would encrypt: `encryption_key` of the block. */
const CUSTOMER_KEY = /^x-goog-(?:copy-source-)?encryption-/;
/** What is so in any case, so that it is done when it is asked for. */
const PRIVATE = new Set(['private', 'projectPrivate', 'bucketOwnerFullControl', 'bucketOwnerRead']);
/** Query parameters that change what is done, and that are not done here. */
const UNDONE_PARAMETERS = ['contentEncoding', 'softDeleted', 'matchGlob'] as const;

/** What a request asks for by header or parameter that is not done here: it is refused, never ignored. Null for nothing. */
export function refuseUndone(
  { rawHeaders, header, method }: DoorRequest,
  query: ReadonlyMap<string, string>,
): GcsError | null {
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  if (names.some((name) => CUSTOMER_KEY.test(name))) {
    return invalid(
      "a customer-supplied encryption key is not used here: remove encryption_key from the backend block (every state is encrypted at rest with the server's own key)",
    );
  }
  if (query.has('kmsKeyName')) {
    return invalid(
      "a Cloud KMS key is not used here: remove kms_encryption_key from the backend block (every state is encrypted at rest with the server's own key)",
    );
  }
  const acl = query.get('predefinedAcl');
  if (acl !== undefined && !PRIVATE.has(acl))
    return notDone(`predefinedAcl=${acl}`, 'every state is private to those with a grant');
  // Newer ones of Go's client name every parameter of a listing, empty or false where nothing is asked.
  const unknown = UNDONE_PARAMETERS.find((name) => !['', 'false'].includes(query.get(name) ?? ''));
  if (unknown !== undefined) return notDone(unknown, 'ask without it');
  const isConditional = header('if-match') !== undefined || header('if-none-match') !== undefined;
  if (isConditional && method !== 'GET' && method !== 'HEAD')
    return notDone('If-Match and If-None-Match of a change', 'use ifGenerationMatch');
  return null;
}
