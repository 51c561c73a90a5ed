import type { DoorRequest } from '../../door.ts';
import { decodeUriText, readQuery } from '../../wire/uri.ts';
import { ACCOUNT_NAME, AZURE_PREFIX, BLOB_LABEL } from '../layout.ts';

/** The operations of this door, by the names of Azure's REST reference. */
export type Operation =
  | 'ListContainers'
  | 'GetServiceProperties'
  | 'GetAccountInformation'
  | 'CreateContainer'
  | 'GetContainerProperties'
  | 'GetContainerAcl'
  | 'ListBlobs'
  | 'PutBlob'
  | 'GetBlob'
  | 'GetBlobProperties'
  | 'SetBlobMetadata'
  | 'LeaseBlob'
  | 'SnapshotBlob'
  | 'DeleteBlob'
  | 'PutBlock'
  | 'PutBlockList'
  | 'GetBlockList';

/** What a request asks of which account, container and blob. */
export interface DetectedRequest {
  readonly operation: Operation;
  /** The name of the account in lower case. */
  readonly account: string;
  /** Empty for the account itself. */
  readonly container: string;
  /** Empty for the container itself. */
  readonly blob: string;
  readonly query: ReadonlyMap<string, string>;
}

export interface Undetected {
  readonly problem: 'invalid' | 'unsupported';
  readonly message: string;
  readonly account: string;
}

type Kind = 'account' | 'container' | 'blob';

/** The method, what it is about, the values of `restype` and `comp`. */
const ROWS: readonly (readonly [
  method: string,
  kind: Kind,
  restype: string,
  comp: string,
  operation: Operation,
])[] = [
  ['GET', 'account', '', 'list', 'ListContainers'],
  ['GET', 'account', 'service', 'properties', 'GetServiceProperties'],
  ['GET', 'account', 'account', 'properties', 'GetAccountInformation'],
  ['GET', 'container', 'account', 'properties', 'GetAccountInformation'],
  ['GET', 'blob', 'account', 'properties', 'GetAccountInformation'],
  ['PUT', 'container', 'container', '', 'CreateContainer'],
  ['GET', 'container', 'container', '', 'GetContainerProperties'],
  ['GET', 'container', 'container', 'metadata', 'GetContainerProperties'],
  ['GET', 'container', 'container', 'acl', 'GetContainerAcl'],
  ['GET', 'container', 'container', 'list', 'ListBlobs'],
  ['PUT', 'blob', '', '', 'PutBlob'],
  ['GET', 'blob', '', '', 'GetBlob'],
  ['GET', 'blob', '', 'metadata', 'GetBlobProperties'],
  ['DELETE', 'blob', '', '', 'DeleteBlob'],
  ['PUT', 'blob', '', 'metadata', 'SetBlobMetadata'],
  ['PUT', 'blob', '', 'lease', 'LeaseBlob'],
  ['PUT', 'blob', '', 'snapshot', 'SnapshotBlob'],
  ['PUT', 'blob', '', 'block', 'PutBlock'],
  ['PUT', 'blob', '', 'blocklist', 'PutBlockList'],
  ['GET', 'blob', '', 'blocklist', 'GetBlockList'],
];

const HOST = new RegExp(String.raw`^([^.:]+)\.${BLOB_LABEL}\.`, 'i');

/**
 * Whether a request is one to the host of an account's blobs: Azure's clients name a version of the service, or sign the URL.
 * @param domain the name under which the house is reached; null for whatever name
 */
export function isAtBlobHost(
  { header, query }: Pick<DoorRequest, 'header' | 'query'>,
  domain: string | null,
): boolean {
  const host = header('host') ?? '';
  if (!ACCOUNT_NAME.test(accountOf(host))) return false;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  if (domain !== null && !name.endsWith(`.${BLOB_LABEL}.${domain.toLowerCase()}`)) return false;
  return header('x-ms-version') !== undefined || /(?:^|&)sig=/.test(query);
}

/**
 * Reads host, method, path and query: the account is the host's first label, or else the path's first part.
 * @param domain the name under which the house is reached; null for whatever name
 */
export function detect(request: DoorRequest, domain: string | null): DetectedRequest | Undetected {
  const { path, method } = request;
  const host = request.header('host') ?? '';
  const named = isAtBlobHost(request, domain);
  const inPath = path.startsWith(AZURE_PREFIX) ? path.slice(AZURE_PREFIX.length) : path.slice(1);
  const rest = named ? path.slice(1) : inPath.slice(partEnd(inPath) + 1);
  const account = named ? accountOf(host) : inPath.slice(0, partEnd(inPath)).toLowerCase();
  const query = readQuery(request.query);
  const decoded = decodeUriText(rest);
  if (query === null || decoded === null)
    return { problem: 'invalid', message: 'the URL has a percent-escape that is not valid UTF-8', account };
  if (!ACCOUNT_NAME.test(account)) {
    const message = `invalid account "${account}": expected 3 to 24 lower-case letters and digits, as /azure/ACCOUNT/CONTAINER/BLOB`;
    return { problem: 'invalid', message, account };
  }
  const end = partEnd(decoded);
  const [container, blob] = [decoded.slice(0, end), decoded.slice(end + 1)];
  const kind: Kind = container === '' ? 'account' : blob === '' ? 'container' : 'blob';
  const [restype, comp] = [query.get('restype') ?? '', query.get('comp') ?? ''];
  const row = ROWS.find(
    ([m, k, r, c]) => m === (method === 'HEAD' ? 'GET' : method) && k === kind && r === restype && c === comp,
  );
  if (row === undefined) {
    const what = [`${method} of a ${kind}`, restype && `restype=${restype}`, comp && `comp=${comp}`];
    const message = `${what.filter((part) => part !== '').join(' with ')} is not supported: this server keeps Terraform's states and locks, and does of Blob Storage what backend "azurerm" needs`;
    return { problem: 'unsupported', message, account };
  }
  const operation = row[4] === 'GetBlob' && method === 'HEAD' ? 'GetBlobProperties' : row[4];
  return { operation, account, container, blob, query };
}

function partEnd(path: string): number {
  const slash = path.indexOf('/');
  return slash === -1 ? path.length : slash;
}

function accountOf(host: string): string {
  return HOST.exec(host)?.[1]?.toLowerCase() ?? '';
}
