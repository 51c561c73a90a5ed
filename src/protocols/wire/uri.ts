/**
 * URI encoding as Signature Version 4 wants it. Texts are as Node gives them: one character a byte (latin1), so that
 * what was signed and what is hashed here are the same bytes, valid UTF-8 or not.
 */

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const HEX_PAIR = /%([0-9A-Fa-f]{2})/g;

/** Encodes every byte but the unreserved ones; "/" too, unless it is kept. */
export function encodeUri(bytes: string, keepSlash: boolean): string {
  let encoded = '';
  for (const byte of bytes) {
    encoded += UNRESERVED.test(byte) || (keepSlash && byte === '/') ? byte : percent(byte);
  }
  return encoded;
}

/** Decodes percent-escapes to bytes; a "%" that begins none stays what it is. */
export function decodeUri(text: string): string {
  return text.replace(HEX_PAIR, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Percent-escapes decoded and read as UTF-8; null where the bytes are none. */
export function decodeUriText(text: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(decodeUri(text), 'latin1'),
    );
  } catch {
    return null;
  }
}

/** The pairs of a query, in order, decoded to bytes; "+" is a space, as Go's encoder writes it. */
export function queryPairs(query: string): readonly (readonly [string, string])[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
      return [decodeUri(name.replaceAll('+', ' ')), decodeUri(value.replaceAll('+', ' '))] as const;
    });
}

/** A query's parameters as text, the first of each name; null where one is not UTF-8. */
export function readQuery(query: string): ReadonlyMap<string, string> | null {
  const parameters = new Map<string, string>();
  for (const pair of queryPairs(query)) {
    const [name, value] = pair.map((bytes) => utf8(bytes));
    if (name === undefined || name === null || value === undefined || value === null) return null;
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

function utf8(bytes: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

function percent(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
