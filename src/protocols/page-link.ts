import { pagePathOf } from '../api/page-path.ts';
import { formatAddress, type Address } from '../core/address.ts';
import type { DoorRequest } from './door.ts';

/**
 * Where the page shows a state with its lock and line, as whoever was refused can open it: `http://…/s/acme/net@dev`.
 * @returns null where the request does not tell by which address the server is reached
 */
export function pageOf({ origin }: Pick<DoorRequest, 'origin'>, address: Address): string | null {
  return origin === null ? null : `${origin}${pagePathOf(formatAddress(address))}`;
}
