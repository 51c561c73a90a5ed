/** The largest document that a client of a state store sends is the list of a multipart upload's parts. */
export const XML_BYTES_MAX: number = 2 * 1024 * 1024;
const DEPTH_MAX = 32;
const ELEMENTS_MAX = 50_000;

/** An element: its name without a prefix, its own text, and what is inside it. */
export interface XmlNode {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

interface OpenNode {
  readonly name: string;
  text: string;
  readonly children: XmlNode[];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const NAME = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?';
/** Declaration, comment, CDATA, end tag, start tag with attributes, or text: one after the other, and nothing else. */
const TOKEN = new RegExp(
  [
    '<\\?[\\s\\S]*?\\?>',
    '<!--[\\s\\S]*?-->',
    '<!\\[CDATA\\[([\\s\\S]*?)\\]\\]>',
    `</(${NAME})\\s*>`,
    `<(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`,
    '([^<]+)',
  ].join('|'),
  'y',
);

/**
 * Reads a small XML document: elements and their text. Attributes and namespaces are passed over, because no client
 * of S3 says anything with them. There are no document types, so no entities but XML's own five, and nothing to expand.
 * @returns the root element, or null where this is not such a document
 */
export function readXml(bytes: Uint8Array): XmlNode | null {
  if (bytes.length > XML_BYTES_MAX) return null;
  const text = decode(bytes);
  if (text === null) return null;
  const open: OpenNode[] = [{ name: '', text: '', children: [] }];
  let elements = 0;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    const top = open.at(-1);
    if (match === null || top === undefined) return null;
    const [, data, end, start, , selfClosing, raw] = match;
    if (data !== undefined) top.text += data;
    else if (raw !== undefined) {
      const content = unescape(raw);
      if (content === null) return null;
      top.text += content;
    } else if (start !== undefined) {
      const node: OpenNode = { name: localName(start), text: '', children: [] };
      elements += 1;
      if (elements > ELEMENTS_MAX || open.length > DEPTH_MAX) return null;
      top.children.push(node);
      if (selfClosing === '') open.push(node);
    } else if (end !== undefined && (open.length === 1 || open.pop()?.name !== localName(end))) {
      return null;
    }
  }
  const [document] = open;
  const [root, second] = document?.children ?? [];
  const alone = open.length === 1 && second === undefined && document?.text.trim() === '';
  return alone ? (root ?? null) : null;
}

/** The text of the element at the end of a path of names, each the first of its name; null where there is none. */
export function xmlText(node: XmlNode, ...path: readonly string[]): string | null {
  return xmlExactText(node, ...path)?.trim() ?? null;
}

/** The same with the spaces around it: a name may begin or end with one. */
export function xmlExactText(node: XmlNode, ...path: readonly string[]): string | null {
  let at: XmlNode | undefined = node;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at?.text ?? null;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Null where an entity stands in the text that XML itself does not define. */
function unescape(text: string): string | null {
  let known = true;
  const plain = text.replaceAll(/&([^;&]{0,12});?/g, (whole, name: string) => {
    const code = /^#(?:(\d{1,7})|x([0-9a-fA-F]{1,6}))$/.exec(name);
    const point =
      code === null ? null : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 16 : 10);
    if (!whole.endsWith(';')) known = false;
    else if (point !== null && point <= 0x10_ffff) return String.fromCodePoint(point);
    else if (Object.hasOwn(ENTITIES, name)) return ENTITIES[name] ?? '';
    known = false;
    return '';
  });
  return known ? plain : null;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
