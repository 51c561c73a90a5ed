import type { DoorRequest } from '../../door.ts';
import { S3_NAMESPACE } from '../layout.ts';
import { invalidArgument, type S3Error } from './errors.ts';

/** Whom an ACL grants something, and what. */
interface AclGrant {
  readonly grantee: { readonly uri: string } | { readonly id: string };
  readonly permission: string;
}

const GROUP = 'http://acs.amazonaws.com/groups';
const LOG_DELIVERY = { uri: `${GROUP}/s3/LogDelivery` };
const ALL_USERS = { uri: `${GROUP}/global/AllUsers` };
const AUTHENTICATED = { uri: `${GROUP}/global/AuthenticatedUsers` };

/** Amazon S3 user guide, "Canned ACL": what each grants beside the owner's full control. */
const CANNED: Readonly<Record<string, readonly AclGrant[]>> = {
  private: [],
  'bucket-owner-full-control': [],
  'bucket-owner-read': [],
  'public-read': [{ grantee: ALL_USERS, permission: 'READ' }],
  'public-read-write': [
    { grantee: ALL_USERS, permission: 'READ' },
    { grantee: ALL_USERS, permission: 'WRITE' },
  ],
  'authenticated-read': [{ grantee: AUTHENTICATED, permission: 'READ' }],
  'log-delivery-write': [
    { grantee: LOG_DELIVERY, permission: 'WRITE' },
    { grantee: LOG_DELIVERY, permission: 'READ_ACP' },
  ],
};

const PERMISSIONS: Readonly<Record<string, string>> = {
  'x-amz-grant-full-control': 'FULL_CONTROL',
  'x-amz-grant-read': 'READ',
  'x-amz-grant-read-acp': 'READ_ACP',
  'x-amz-grant-write': 'WRITE',
  'x-amz-grant-write-acp': 'WRITE_ACP',
};

const GRANTEES_MAX = 100;
const GRANTEE = /^\s*(uri|id)\s*=\s*"?([\w:/.-]{1,256})"?\s*$/;

/** The ACL of whatever nobody has granted to anybody: its owner has full control. */
export const OWNERS_ACL: string = aclDocument([]);

/** The ACL that the headers of a request describe; null where they grant nobody anything, so that the owner's holds. */
export function aclOfHeaders({ header }: Pick<DoorRequest, 'header'>): string | null | S3Error {
  const canned = header('x-amz-acl');
  if (canned !== undefined && !Object.hasOwn(CANNED, canned)) {
    return invalidArgument('x-amz-acl', canned, 'Invalid canned ACL.');
  }
  const grants = [...(CANNED[canned ?? 'private'] ?? [])];
  for (const [name, permission] of Object.entries(PERMISSIONS)) {
    const value = header(name);
    if (value === undefined) continue;
    for (const text of value.split(',')) {
      const [, kind, who = ''] = GRANTEE.exec(text) ?? [];
      if (kind === undefined || grants.length >= GRANTEES_MAX) {
        return invalidArgument(name, value, 'Argument format not recognized: expected uri="…" or id="…".');
      }
      grants.push({ grantee: kind === 'uri' ? { uri: who } : { id: who }, permission });
    }
  }
  return grants.length === 0 ? null : aclDocument(grants);
}

/** The document of an ACL: names in it have no character that XML would want escaped. */
function aclDocument(grants: readonly AclGrant[]): string {
  const owner = '<ID>statehouse</ID><DisplayName>statehouse</DisplayName>';
  const all = [
    grant('CanonicalUser', owner, 'FULL_CONTROL'),
    ...grants.map(({ grantee, permission }) =>
      'uri' in grantee
        ? grant('Group', `<URI>${grantee.uri}</URI>`, permission)
        : grant('CanonicalUser', `<ID>${grantee.id}</ID>`, permission),
    ),
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<AccessControlPolicy xmlns="${S3_NAMESPACE}"><Owner>${owner}</Owner><AccessControlList>${all.join('')}</AccessControlList></AccessControlPolicy>`;
}

function grant(type: string, grantee: string, permission: string): string {
  return `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${type}">${grantee}</Grantee><Permission>${permission}</Permission></Grant>`;
}
