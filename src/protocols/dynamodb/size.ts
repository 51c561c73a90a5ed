import { contentOf, typeOf, type AttributeValue } from './attribute.ts';

/** What a value counts for. */
export interface Size {
  /** By DynamoDB's own count (Amazon DynamoDB developer guide, "Item sizes and formats"). */
  readonly bytes: number;
  /** How many values it is made of, itself among them. */
  readonly parts: number;
}

const known = new WeakMap<AttributeValue, Size>();

/** The size of a value, counted once. */
export function sizeOf(value: AttributeValue): Size {
  const before = known.get(value);
  if (before !== undefined) return before;
  const size = { bytes: 0, parts: 0 };
  count(value, size);
  known.set(value, size);
  return size;
}

/** Bytes of the attributes of an item, their names among them. */
export function itemBytes(attributes: Iterable<readonly [string, AttributeValue]>): number {
  let bytes = 0;
  for (const [name, value] of attributes) bytes += Buffer.byteLength(name) + sizeOf(value).bytes;
  return bytes;
}

function count(value: AttributeValue, size: { bytes: number; parts: number }): void {
  size.parts += 1;
  const [type, content] = [typeOf(value), contentOf(value)];
  switch (type) {
    case 'S':
    case 'N':
    case 'B':
      size.bytes += scalarBytes(type, content as string);
      return;
    case 'SS':
    case 'NS':
    case 'BS': {
      const element = type === 'SS' ? 'S' : type === 'NS' ? 'N' : 'B';
      const elements = content as readonly string[];
      size.parts += elements.length;
      for (const one of elements) size.bytes += scalarBytes(element, one);
      return;
    }
    case 'L':
      size.bytes += 3;
      for (const one of content as readonly AttributeValue[]) {
        size.bytes += 1;
        count(one, size);
      }
      return;
    case 'M':
      size.bytes += 3;
      for (const [name, one] of Object.entries(content as Readonly<Record<string, AttributeValue>>)) {
        size.bytes += 1 + Buffer.byteLength(name);
        count(one, size);
      }
      return;
    default:
      size.bytes += 1;
  }
}

function scalarBytes(type: 'S' | 'N' | 'B', text: string): number {
  if (type === 'N') return 1 + Math.ceil(text.length / 2);
  return type === 'S' ? Buffer.byteLength(text) : Buffer.byteLength(text, 'base64');
}
