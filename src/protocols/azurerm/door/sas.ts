import type { Instant } from '../../../core/instant.ts';
import type { DoorRequest } from '../../door.ts';
import { accountSasText, serviceSasText, type SasField } from '../sas-text.ts';
import type { DetectedRequest, Operation } from './detect.ts';
import { notPermitted, type AzureError } from './errors.ts';
import { isSignatureOf } from './shared-key.ts';

/** A shared access signature, out of the query of a request. */
export interface Sas {
  readonly kind: 'account' | 'service';
  readonly account: string;
  readonly signature: string;
  /** The stored access policy that it names: here the id of the credential whose secret it is signed with. Null for none. */
  readonly policy: string | null;
  readonly field: SasField;
}

/** The oldest version of signatures that is read: what is signed has changed with it. */
const VERSION_MIN = '2018-11-09';

/** What a signature must permit for an operation: one of the letters of `sp`, and the resource type of `srt`. */
const NEEDS: Readonly<Record<Operation, { readonly any: string; readonly type: 's' | 'c' | 'o' }>> = {
  ListContainers: { any: 'l', type: 's' },
  GetServiceProperties: { any: 'r', type: 's' },
  GetAccountInformation: { any: 'rl', type: 's' },
  CreateContainer: { any: 'cw', type: 'c' },
  GetContainerProperties: { any: 'r', type: 'c' },
  GetContainerAcl: { any: 'r', type: 'c' },
  ListBlobs: { any: 'l', type: 'c' },
  PutBlob: { any: 'w', type: 'o' },
  GetBlob: { any: 'r', type: 'o' },
  GetBlobProperties: { any: 'r', type: 'o' },
  SetBlobMetadata: { any: 'w', type: 'o' },
  LeaseBlob: { any: 'w', type: 'o' },
  SnapshotBlob: { any: 'cw', type: 'o' },
  DeleteBlob: { any: 'd', type: 'o' },
  PutBlock: { any: 'w', type: 'o' },
  PutBlockList: { any: 'w', type: 'o' },
  GetBlockList: { any: 'r', type: 'o' },
};

/** Reads a signature; null where the query has none, or one of a kind that is not known here. */
export function readSas(query: ReadonlyMap<string, string>, account: string): Sas | null {
  const field = (name: string): string => query.get(name) ?? '';
  const signature = field('sig');
  const kind = query.has('ss') ? 'account' : query.has('sr') ? 'service' : null;
  if (signature === '' || kind === null || isUserDelegation(query)) return null;
  const policy = kind === 'service' ? field('si') : '';
  return { kind, account, signature, policy: policy === '' ? null : policy, field };
}

/** Whether a signature is made with a key that Azure gives to a user for a while, which it names. */
export function isUserDelegation(query: ReadonlyMap<string, string>): boolean {
  return query.has('skoid');
}

/** Whether it was signed with this secret. @param secret in base64 */
export function isSasSignedWith(
  secret: string,
  sas: Sas,
  { container, blob }: Pick<DetectedRequest, 'container' | 'blob'>,
): boolean {
  const { kind, account, field } = sas;
  const text =
    kind === 'account'
      ? accountSasText(account, field)
      : serviceSasText(resourceOf(sas, { container, blob }), field);
  return isSignatureOf(secret, text, sas.signature);
}

/** Why a signature that is right does not permit this request; null where it does. */
export function sasRefusal(
  { kind, field }: Sas,
  request: Pick<DoorRequest, 'secure' | 'peer'>,
  { operation, container }: Pick<DetectedRequest, 'operation' | 'container'>,
  now: Instant,
): AzureError | null {
  const [start, end] = [Date.parse(field('st')), Date.parse(field('se'))];
  if (field('sv') < VERSION_MIN) return failed(`its version (sv) is not ${VERSION_MIN} or later`);
  if (Number.isNaN(end) || now >= end) return failed('it has expired (se)');
  if (field('st') !== '' && !(now >= start)) return failed('it is not valid yet (st)');
  if (field('spr') === 'https' && !request.secure)
    return notPermitted('AuthorizationProtocolMismatch', 'the signature permits https alone (spr)');
  if (!isIn(field('sip'), request.peer))
    return notPermitted('AuthorizationSourceIPMismatch', 'the signature permits other addresses alone (sip)');
  const { any, type } = NEEDS[operation];
  const permits = [...any].some((letter) => field('sp').includes(letter));
  if (!permits)
    return notPermitted(
      'AuthorizationPermissionMismatch',
      `the signature does not permit this operation: expected one of "${any}" in sp`,
    );
  if (kind === 'account') {
    if (!field('ss').includes('b'))
      return notPermitted('AuthorizationServiceMismatch', 'the signature is not for blobs (ss)');
    return field('srt').includes(type) ? null : otherType();
  }
  const isInside = type === 'o' || (operation === 'ListBlobs' && field('sr') === 'c' && container !== '');
  return isInside ? null : otherType();
}

function failed(why: string): AzureError {
  return {
    status: 403,
    code: 'AuthenticationFailed',
    message: `the shared access signature is not valid: ${why}`,
  };
}

function otherType(): AzureError {
  return notPermitted('AuthorizationResourceTypeMismatch', 'the signature is not for this type of resource');
}

function resourceOf(
  { account, field }: Sas,
  { container, blob }: { container: string; blob: string },
): string {
  return `/blob/${account}/${container}${field('sr') === 'b' ? `/${blob}` : ''}`;
}

/** Whether a network address is the one, or in the range, that is permitted; any where none is said. */
function isIn(permitted: string, peer: string): boolean {
  if (permitted === '') return true;
  const [first = '', last = first] = permitted.split('-');
  const [from, to, at] = [first, last, peer.replace(/^::ffff:/i, '')].map(numberOf);
  return from !== null &&
    to !== null &&
    at !== null &&
    from !== undefined &&
    to !== undefined &&
    at !== undefined
    ? from <= at && at <= to
    : false;
}

function numberOf(address: string): number | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
