/** An element's content: text, numbers, nested elements, or several of the same name. Absent ones are left out. */
export type XmlValue =
  | string
  | number
  | boolean
  | XmlElement
  | readonly (string | number | XmlElement)[]
  | undefined;

/** Elements by name, in the order in which they are written. */
export interface XmlElement {
  readonly [name: string]: XmlValue;
}

/** Writes a document the way S3 does: no white space between elements. @param namespace or all attributes of the root */
export function writeXml(
  root: string,
  content: XmlElement,
  namespace: string | Readonly<Record<string, string>> = {},
): Uint8Array {
  const named = typeof namespace === 'string' ? { xmlns: namespace } : namespace;
  const attributes = Object.entries(named).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attributes.join('')}>${inner(content)}</${root}>`;
  return new TextEncoder().encode(text);
}

/** Escapes a text, including what XML 1.0 has no character for: that becomes a replacement character. */
function escapeXml(text: string): string {
  return (
    text
      // Halves of a surrogate pair.
      .replaceAll(/[\ud800-\udfff]/gu, '\ufffd')
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll(/[&<>"'\r]/g, (character) => ESCAPES[character] ?? character)
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // A bare CR would come out as LF.
  '\r': '&#13;',
};

function inner(content: XmlElement): string {
  return Object.entries(content)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const))
    .map(([name, value]) => element(name, value))
    .join('');
}

function element(name: string, value: Exclude<XmlValue, readonly unknown[]>): string {
  if (value === undefined) return '';
  const content = typeof value === 'object' ? inner(value) : escapeXml(String(value));
  return `<${name}>${content}</${name}>`;
}
