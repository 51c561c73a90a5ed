import { pagePathOf } from '../../src/api/page-path.ts';
import { formatAddress, parseAddress, isAddress, type Address } from '../../src/core/address.ts';

/** The path of a state's page: `/s/acme/net/main.tfstate@dev`. @param address its text form */
export function statePath(address: string, query: Readonly<Record<string, string>> = {}): string {
  const asked = new URLSearchParams(query).toString();
  return `${pagePathOf(address)}${asked === '' ? '' : `?${asked}`}`;
}

/** The address that a state's page is of; null where the path names none. @param path what follows `/s/` */
export function addressOfPath(path: string): string | null {
  try {
    const text = path.split('/').map(decodeURIComponent).join('/');
    const address = parseAddress(text);
    return isAddress(address) ? formatAddress(address) : null;
  } catch {
    return null;
  }
}

/** The parts of an address; what is no address has all of its text as the key. */
export function addressParts(text: string): Address {
  const address = parseAddress(text);
  return isAddress(address) ? address : { project: '', key: text, workspace: 'default' };
}
