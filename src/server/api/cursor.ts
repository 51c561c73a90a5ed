import { isAddress, makeAddress, type Address } from '../../core/address.ts';

/** An opaque cursor that continues after an address. */
export function addressCursor(after: Address | null): string | null {
  return after === null ? null : encode([after.project, after.key, after.workspace]);
}

/** An opaque cursor that continues before a number. */
export function numberCursor(before: number | null): string | null {
  return before === null ? null : encode([before]);
}

/** @returns null when the cursor is none that {@link addressCursor} made */
export function readAddressCursor(cursor: string): Address | null {
  const parts = decode(cursor);
  if (parts?.length !== 3 || !parts.every((part) => typeof part === 'string')) return null;
  const [project = '', key = '', workspace = ''] = parts;
  const address = makeAddress(project, key, workspace);
  return isAddress(address) ? address : null;
}

/** @returns null when the cursor is none that {@link numberCursor} made */
export function readNumberCursor(cursor: string): number | null {
  const [before] = decode(cursor) ?? [];
  return typeof before === 'number' && Number.isSafeInteger(before) ? before : null;
}

function encode(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decode(cursor: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
