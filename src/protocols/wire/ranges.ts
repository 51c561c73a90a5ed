/** The part of a body that is asked for: [from, to). */
export type Span = readonly [number, number];

/**
 * The one span that a `Range` header asks of a body of this size. Null for the whole, which is also the answer to several
 * spans at once and to an invalid range (RFC 9110, section 14.2, lets a server ignore both).
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

/**
 * The range of a copy's source: both ends are said, and within it.
 * Source: Amazon S3 API reference, UploadPartCopy, `x-amz-copy-source-range`.
 */
export function readCopyRange(range: string, size: number): Span | 'malformed' | 'unsatisfiable' {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(range);
  const [from, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || last < from) return 'malformed';
  return last < size ? [from, last + 1] : 'unsatisfiable';
}

/** The bytes of a span, out of all of them. */
export function cut(bytes: AsyncIterable<Uint8Array>, span: Span): AsyncIterable<Uint8Array>;
export function cut(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  span: Span,
): Uint8Array | AsyncIterable<Uint8Array>;
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
