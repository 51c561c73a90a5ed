import type { DoorRequest } from '../../door.ts';
import { invalidHeader, notDone, type AzureError } from './errors.ts';

/** What is told where a client names no version of the service. */
const VERSION_DEFAULT = '2023-11-03';
const VERSION = /^20\d\d-[01]\d-[0-3]\d$/;

/** Headers that ask for what is not done here, and what to do instead. */
const UNDONE: readonly (readonly [header: string, instead: string])[] = [
  [
    'x-ms-encryption-key',
    "remove the customer-provided key from the backend block (every state is encrypted at rest with the server's own key)",
  ],
  [
    'x-ms-encryption-scope',
    "remove the encryption scope from the backend block (every state is encrypted at rest with the server's own key)",
  ],
  ['x-ms-if-tags', 'blobs have no tags here'],
  ['x-ms-tags', 'blobs have no tags here'],
  ['x-ms-immutability-policy-until-date', 'every version is kept as the retention of the project says'],
  ['x-ms-legal-hold', 'every version is kept as the retention of the project says'],
  ['x-ms-structured-body', 'send Content-MD5 or x-ms-content-crc64 in its place'],
  ['x-ms-blob-content-encoding', 'send the state as it is'],
];

/** What a request asks for by header that is not done here: it is refused, never ignored. Null for nothing. */
export function refuseUndone({ header }: Pick<DoorRequest, 'header'>): AzureError | null {
  const version = header('x-ms-version');
  if (version !== undefined && !VERSION.test(version)) return invalidHeader('x-ms-version', 'a date');
  const undone = UNDONE.find(([name]) => header(name) !== undefined);
  return undone === undefined ? null : notDone(undone[0], undone[1]);
}

/** The version of the service that a request names, and its answer too. */
export function serviceVersion({ header }: Pick<DoorRequest, 'header'>): string {
  const said = header('x-ms-version') ?? '';
  return VERSION.test(said) ? said : VERSION_DEFAULT;
}
