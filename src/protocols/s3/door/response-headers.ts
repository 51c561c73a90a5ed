import { invalidArgument, type S3Error } from './errors.ts';

/** A type under which no browser runs anything, with no charset but UTF-8: others have made text into markup before. */
const HARMLESS_TYPE =
  /^(?:application\/json|text\/plain|(?:application|binary)\/octet-stream)(?:\s*;\s*charset="?utf-8"?)?$/i;
/** Keeps a state out of caches that others share. */
const PRIVATE = /^(?:no-store|no-cache|private|must-revalidate|max-age=\d{1,9})$/i;
const KEEPS_OTHERS_OUT = /^(?:no-store|no-cache|private)$/i;
/** What a client would try to undo (IANA, HTTP content coding registry). */
const COMPRESSIONS: ReadonlySet<string> = new Set(
  'aes128gcm br compress dcb dcz deflate exi gzip pack200-gzip x-compress x-gzip zstd'.split(' '),
);
const PRINTABLE = /^[\u0020-\u007e]{1,1024}$/;

/** What a link may say of its answer, and what it may say. */
const ALLOWED: Readonly<Record<string, { readonly expected: string; fits(value: string): boolean }>> = {
  'content-type': {
    expected: 'application/json, text/plain or application/octet-stream, in UTF-8',
    fits: (value) => HARMLESS_TYPE.test(value.trim()),
  },
  'content-disposition': {
    expected: 'attachment or inline, with or without a file name',
    fits: (value) => /^(?:attachment|inline)\s*(?:;|$)/i.test(value),
  },
  'content-language': { expected: 'a language', fits: (value) => /^[A-Za-z0-9, -]+$/.test(value) },
  'content-encoding': {
    expected: 'a word such as utf-8 or identity, and no compression, in which a state does not come',
    fits: (value) => /^[a-z0-9-]+$/i.test(value) && !COMPRESSIONS.has(value.toLowerCase()),
  },
  'cache-control': {
    expected: 'no-store, no-cache or private, with or without max-age',
    fits: (value) => {
      const directives = value.split(',').map((directive) => directive.trim());
      return (
        directives.every((directive) => PRIVATE.test(directive)) &&
        directives.some((directive) => KEEPS_OTHERS_OUT.test(directive))
      );
    },
  },
  expires: { expected: 'a date', fits: (value) => !Number.isNaN(Date.parse(value)) },
};

/**
 * The headers that a presigned link sets with `response-…`: under which name and type a browser is to save the state. What
 * would make a page of it, or keep it where others can get it, is refused, because whoever wrote a state chose its text.
 */
export function readResponseHeaders(
  query: ReadonlyMap<string, string>,
): { readonly headers: Readonly<Record<string, string>> } | S3Error {
  const headers: Record<string, string> = {};
  for (const [name, { expected, fits }] of Object.entries(ALLOWED)) {
    const parameter = `response-${name}`;
    const value = query.get(parameter);
    if (value === undefined) continue;
    if (!PRINTABLE.test(value) || !fits(value)) {
      return invalidArgument(
        parameter,
        value,
        `This value is not allowed for a state: expected ${expected}.`,
      );
    }
    headers[name] = value;
  }
  return { headers };
}
