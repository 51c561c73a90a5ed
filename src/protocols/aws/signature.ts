import { headerValues, SIGNATURE_PARAMETER, type SignedRequest } from './canonical.ts';
import { queryPairs } from '../wire/uri.ts';

/** `date/region/service/aws4_request`: what a signing key is good for. */
export interface Scope {
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** What a request says of its own signature, in the `Authorization` header or in its query (presigned). */
export interface Signature {
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20150830T123600Z` */
  readonly date: string;
  /** Seconds; null in the header form. */
  readonly expires: number | null;
  /** The token of a session; null where the key is a credential's own. */
  readonly token: string | null;
}

export type SignatureProblem =
  | { readonly problem: 'missing' | 'unsupported' | 'twice' | 'expired' | 'mismatch' }
  | { readonly problem: 'malformed' | 'malformed-link'; readonly detail: string }
  | { readonly problem: 'unsigned-headers'; readonly names: readonly string[] }
  | { readonly problem: 'skewed'; readonly date: string }
  /** The signature is good for another service than the one that is asked. */
  | { readonly problem: 'wrong-service'; readonly expected: string };

export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Presigned requests live at most seven days. */
const EXPIRES_MAX_S: number = 7 * 24 * 60 * 60;

/** What the query of a presigned request says of its signature, beside the algorithm. */
const IN_LINKS = [
  'X-Amz-Credential',
  SIGNATURE_PARAMETER,
  'X-Amz-Date',
  'X-Amz-SignedHeaders',
  'X-Amz-Expires',
] as const;

const TIMESTAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;
const SIGNATURE = /^[0-9a-f]{64}$/;
/** Any region: there is one server, and names of regions that AWS has not made yet are used with other stores. */
const REGION = /^[A-Za-z0-9_-]{0,64}$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** Reads the signature of a request, without a word on whether it is right. */
export function parseSignature(request: SignedRequest): Signature | SignatureProblem {
  const headers = headerValues(request.rawHeaders);
  const authorizations = headers.get('authorization') ?? [];
  const presigned = /(?:^|&)X-Amz-(?:Signature|Algorithm)=/.test(request.query);
  if (authorizations.length + (presigned ? 1 : 0) > 1) return { problem: 'twice' };
  const [authorization] = authorizations;
  if (authorization !== undefined) return parseHeader(authorization, headers);
  if (presigned) {
    const signature = parsePresigned(request.query);
    const isMalformed = 'problem' in signature && signature.problem === 'malformed';
    return isMalformed ? { ...signature, problem: 'malformed-link' } : signature;
  }
  // Signature Version 2, which some SDKs still presign with in old regions unless told otherwise.
  return { problem: /(?:^|&)AWSAccessKeyId=/.test(request.query) ? 'unsupported' : 'missing' };
}

/** The moment that a timestamp of a signature names, or null. */
export function instantOf(timestamp: string): number | null {
  const match = TIMESTAMP.exec(timestamp);
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const instant = Date.UTC(year, month - 1, day, hour, minute, second);
  const real = new Date(instant).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `${real}Z` === timestamp ? instant : null;
}

/** A moment as signatures write it. */
export function timestampOf(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

type Headers = ReadonlyMap<string, readonly string[]>;

function parseHeader(authorization: string, headers: Headers): Signature | SignatureProblem {
  const space = authorization.indexOf(' ');
  const algorithm = space === -1 ? authorization : authorization.slice(0, space);
  if (algorithm !== ALGORITHM) {
    return { problem: algorithm.startsWith('AWS') ? 'unsupported' : 'missing' };
  }
  const fields = new Map<string, string>();
  for (const field of authorization.slice(space + 1).split(',')) {
    const equals = field.indexOf('=');
    if (equals === -1) return malformed('the Authorization header is not a list of name=value');
    const name = field.slice(0, equals).trim();
    if (fields.has(name)) return malformed(`the Authorization header has ${name} twice`);
    fields.set(name, field.slice(equals + 1).trim());
  }
  const date = headers.get('x-amz-date') ?? [];
  return assemble({
    form: 'header',
    credential: fields.get('Credential'),
    signedHeaders: fields.get('SignedHeaders'),
    signature: fields.get('Signature'),
    date: date.length === 0 ? dateHeader(headers) : date.length === 1 ? date[0] : undefined,
    expires: null,
    token: headers.get('x-amz-security-token')?.join(',') ?? null,
  });
}

/** `Date` stands in where `X-Amz-Date` is absent. */
function dateHeader(headers: Headers): string | undefined {
  const [date] = headers.get('date') ?? [];
  if (date === undefined) return undefined;
  const instant = TIMESTAMP.test(date) ? instantOf(date) : Date.parse(date);
  return instant === null || Number.isNaN(instant) ? undefined : timestampOf(instant);
}

function parsePresigned(query: string): Signature | SignatureProblem {
  const fields = new Map<string, string>();
  for (const [name, value] of queryPairs(query)) {
    if (!name.startsWith('X-Amz-')) continue;
    if (fields.has(name)) return malformed(`the query has ${name} twice`);
    fields.set(name, value);
  }
  if (fields.get('X-Amz-Algorithm') !== ALGORITHM) return { problem: 'unsupported' };
  const missing = IN_LINKS.filter((name) => !fields.has(name));
  if (missing.length > 0) return malformed(`a presigned request has no ${missing.join(', no ')}`);
  const expires = fields.get('X-Amz-Expires') ?? '';
  const problem = expiresProblem(expires);
  if (problem !== null) return malformed(problem);
  return assemble({
    form: 'query',
    credential: fields.get('X-Amz-Credential'),
    signedHeaders: fields.get('X-Amz-SignedHeaders'),
    signature: fields.get(SIGNATURE_PARAMETER),
    date: fields.get('X-Amz-Date'),
    expires: Number(expires),
    token: fields.get('X-Amz-Security-Token') ?? null,
  });
}

/** In the words of S3. With 0 seconds a link is valid, and has expired. */
function expiresProblem(expires: string): string | null {
  if (/^-\d+$/.test(expires)) return 'X-Amz-Expires must be non-negative';
  if (!/^\d+$/.test(expires)) return 'X-Amz-Expires should be a number';
  return Number(expires) > EXPIRES_MAX_S
    ? `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${EXPIRES_MAX_S} seconds`
    : null;
}

interface Fields {
  readonly form: 'header' | 'query';
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly date: string | undefined;
  readonly expires: number | null;
  readonly token: string | null;
}

function assemble(fields: Fields): Signature | SignatureProblem {
  const { form, date = '', signature = '', expires, token } = fields;
  const parts = (fields.credential ?? '').split('/');
  const [accessKeyId = '', day = '', region = '', service = '', terminator] = parts;
  if (parts.length !== 5 || terminator !== 'aws4_request' || accessKeyId === '' || service === '') {
    return malformed('the credential is not written KEY/DATE/REGION/SERVICE/aws4_request');
  }
  if (!REGION.test(region)) return malformed('the region of the credential is not the name of a region');
  const signedHeaders = (fields.signedHeaders ?? '').split(';');
  if (!signedHeaders.every((name) => HEADER_NAME.test(name))) {
    return malformed('SignedHeaders is not a list of lower-case header names');
  }
  if (!isSortedSet(signedHeaders)) return malformed('SignedHeaders is not in order');
  if (!SIGNATURE.test(signature)) return malformed('the signature is not 64 hexadecimal digits');
  if (instantOf(date) === null) return malformed('X-Amz-Date is not a time such as 20150830T123600Z');
  if (!date.startsWith(day) || day.length !== 8) {
    return malformed('the date of the credential is not the day of the request');
  }
  return {
    form,
    accessKeyId,
    scope: { date: day, region, service },
    signedHeaders,
    signature,
    date,
    expires,
    token,
  };
}

function isSortedSet(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || (names[index - 1] as string) < name);
}

function malformed(detail: string): SignatureProblem {
  return { problem: 'malformed', detail };
}
