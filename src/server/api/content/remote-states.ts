import { formatAddress, isAddress, makeAddress, type Address } from '../../../core/address.ts';
import type { RemoteSource } from '../../../core/snapshot/contents.ts';
import { readKey } from '../../../protocols/consul/layout.ts';
import { addressOf, PATH_PREFIX, WORKSPACE_PARAMETER } from '../../../protocols/http/layout.ts';

/** How each backend names a state in its settings, as far as one can tell without asking it. */
const NAMED: Readonly<Record<string, (source: RemoteSource) => Address | null>> = {
  http({ config }) {
    const { address = '' } = config;
    if (!URL.canParse(address)) return null;
    const { pathname, searchParams } = new URL(address);
    // A proxy may have put the doors below a path of its own.
    const at = pathname.indexOf(PATH_PREFIX);
    if (at === -1) return null;
    return found(addressOf(pathname.slice(at), searchParams.get(WORKSPACE_PARAMETER)));
  },
  s3: ({ config: { bucket = '', key = '' }, workspace }) => found(makeAddress(bucket, key, workspace)),
  gcs: ({ config: { bucket = '', prefix = '' }, workspace }) =>
    found(makeAddress(bucket, prefix.replaceAll(/^\/+|\/+$/g, ''), workspace)),
  consul({ config: { path = '' }, workspace }) {
    const key = readKey(workspace === 'default' ? path : `${path}-env:${workspace}`);
    return key.kind === 'state' ? key.address : null;
  },
};

/**
 * The addresses that data sources read, if it is this server that they ask: which server they name is not looked at, since it is
 * reached by many names. Each once.
 */
export function readsOf(sources: readonly RemoteSource[]): readonly string[] {
  const addresses = sources.map((source) => NAMED[source.backend]?.(source) ?? null);
  return [...new Set(addresses.flatMap((address) => (address === null ? [] : [formatAddress(address)])))];
}

function found(address: Address | { readonly problem: string }): Address | null {
  return isAddress(address) ? address : null;
}
