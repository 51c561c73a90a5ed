import type { Json } from './json.ts';
import { isJsonNumber } from './json.ts';

/** The address of a resource instance, as `terraform state list` prints it. */
export function instanceAddress(
  resource: {
    readonly module: string;
    readonly mode: 'managed' | 'data';
    readonly resourceType: string;
    readonly name: string;
  },
  indexKey: Json | undefined,
): string {
  const prefix = resource.module === '' ? '' : `${resource.module}.`;
  const data = resource.mode === 'data' ? 'data.' : '';
  return `${prefix}${data}${resource.resourceType}.${resource.name}${formatIndex(indexKey)}`;
}

/** `[0]`, `["a"]`, or nothing. */
function formatIndex(key: Json | undefined): string {
  if (isJsonNumber(key)) return `[${key.value}]`;
  return typeof key === 'string' ? `[${quote(key)}]` : '';
}

/** Quotes as HCL does (terraform internal/addrs/instance_key.go): template markers are doubled. */
function quote(text: string): string {
  const inner = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(/[$%](?=\{)/g, (sign) => sign + sign);
  return `"${inner}"`;
}
