/** What a conditional request is compared with. */
export interface Representation {
  /** Lower-case hex, without quotes. */
  readonly etag: string;
  readonly modified: number;
}

type Header = (name: string) => string | undefined;

/**
 * Whether a read's conditions hold: null, or 304, or the header whose condition failed, which is a 412.
 * Source: RFC 9110, section 13.2.2.
 */
export function readConditions(
  header: Header,
  { etag, modified }: Representation,
): 304 | 'If-Match' | 'If-Unmodified-Since' | null {
  const match = header('if-match');
  if (match !== undefined) {
    if (!namesETag(match, etag)) return 'If-Match';
  } else if (isBefore(header('if-unmodified-since'), modified)) {
    return 'If-Unmodified-Since';
  }
  const noneMatch = header('if-none-match');
  if (noneMatch !== undefined) return namesETag(noneMatch, etag) ? 304 : null;
  const since = header('if-modified-since');
  return since !== undefined && isTime(since) && !isBefore(since, modified) ? 304 : null;
}

/**
 * Whether the conditions hold that a copy sets for its source: null, or the header whose condition failed.
 * Source: Amazon S3 API reference, CopyObject; all of them fail with 412.
 */
export function readCopyConditions(header: Header, source: Representation): string | null {
  const ofSource = (name: string): string | undefined => header(`x-amz-copy-source-${name}`);
  const failed = readConditions(ofSource, source);
  if (failed === null) return null;
  if (failed !== 304) return `x-amz-copy-source-${failed}`;
  return `x-amz-copy-source-${ofSource('if-none-match') === undefined ? 'If-Modified-Since' : 'If-None-Match'}`;
}

/** Whether a range may be answered as one: `If-Range` names what is there, or is not sent (RFC 9110, section 13.1.5). */
export function sameRange(text: string | undefined, { etag, modified }: Representation): boolean {
  if (text === undefined) return true;
  return text.startsWith('"')
    ? text === `"${etag}"`
    : Date.parse(text) === Math.floor(modified / 1_000) * 1_000;
}

/** Whether a list of ETags names this one. */
export function namesETag(list: string, etag: string): boolean {
  return list.split(',').some((tag) => {
    const text = tag.trim().replace(/^W\//, '').replaceAll('"', '');
    return text === '*' || text === etag;
  });
}

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** HTTP's times know no milliseconds. */
function isBefore(text: string | undefined, modified: number): boolean {
  return text !== undefined && isTime(text) && Date.parse(text) < Math.floor(modified / 1_000) * 1_000;
}
