import type { Address } from '../../../core/address.ts';
import type { Version } from '../../../core/world.ts';
import type { Resource } from '../json-api.ts';
import { API_PREFIX, outputId } from '../layout.ts';
import type { StateOutput } from './state-content.ts';

/** An output as HCP describes one. @param reveal whether a sensitive value is told */
export function describeOutput(
  address: Address,
  version: Version,
  output: StateOutput,
  reveal: boolean,
): Resource {
  const { name, type, sensitive } = output;
  const id = outputId({ address, ...version }, name);
  return {
    id,
    type: 'state-version-outputs',
    attributes: {
      name,
      sensitive,
      type: simpleType(type),
      value: sensitive && !reveal ? null : output.value,
      'detailed-type': type,
    },
    links: { self: `${API_PREFIX}state-version-outputs/${id}` },
  };
}

/** A type in HCP's few words. */
function simpleType(type: unknown): string {
  if (typeof type === 'string') return type === 'bool' ? 'boolean' : type;
  const [kind] = Array.isArray(type) ? (type as readonly unknown[]) : [];
  return kind === 'object' || kind === 'map' ? 'object' : 'array';
}
