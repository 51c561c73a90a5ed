import { preconditionFailed, type S3Error } from './errors.ts';

/** What a conditional request is compared with. */
export interface Standing {
  /** Lower-case hex, without quotes. */
  readonly etag: string;
  readonly modified: number;
}

type Header = (name: string) => string | undefined;

/** The parts of a body that are asked for: [from, to). */
export type Span = readonly [number, number];

/**
 * Whether a read's conditions hold: null, or 304 or 412.
 * Source: Amazon S3 API reference, GetObject, which follows RFC 9110, section 13.2.2.
 */
export function readConditions(header: Header, { etag, modified }: Standing): 304 | S3Error | null {
  const match = header('if-match');
  if (match !== undefined) {
    if (!names(match, etag)) return preconditionFailed('If-Match');
  } else if (isBefore(header('if-unmodified-since'), modified)) {
    return preconditionFailed('If-Unmodified-Since');
  }
  const noneMatch = header('if-none-match');
  if (noneMatch !== undefined) return names(noneMatch, etag) ? 304 : null;
  const since = header('if-modified-since');
  return since !== undefined && isTime(since) && !isBefore(since, modified) ? 304 : null;
}

/** Whether a list of ETags names this one. */
export function names(list: string, etag: string): boolean {
  return list.split(',').some((tag) => {
    const text = tag.trim().replace(/^W\//, '').replaceAll('"', '');
    return text === '*' || text === etag;
  });
}

/**
 * The one span that a `Range` header asks of a body of this size. Null for the whole, which S3 also answers to several
 * spans at once and to what is no range.
 */
export function readRange(range: string | undefined, size: number): Span | null | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : [size - length, size];
  }
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= size) return 'unsatisfiable';
  return [Number(first), last === '' ? size : Math.min(Number(last) + 1, size)];
}

/** The bytes of a span, out of all of them. */
export function cut(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  span: Span,
): Uint8Array | AsyncIterable<Uint8Array> {
  return bytes instanceof Uint8Array ? bytes.subarray(...span) : cutStream(bytes, span);
}

async function* cutStream(stream: AsyncIterable<Uint8Array>, [from, to]: Span): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of stream) {
    const piece = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
    at += chunk.length;
    if (piece.length > 0) yield piece;
    if (at >= to) return;
  }
}

function isTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

/** HTTP's times know no milliseconds. */
function isBefore(text: string | undefined, modified: number): boolean {
  return text !== undefined && isTime(text) && Date.parse(text) < Math.floor(modified / 1_000) * 1_000;
}
