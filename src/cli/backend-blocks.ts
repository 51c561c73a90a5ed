import type { Address } from '../core/address.ts';
import { pathOf } from '../protocols/http/layout.ts';

/** The backend block with which terraform reaches an address through the http door. */
export function httpBlock(url: string, address: Address): string {
  const at = `${url}${pathOf(address)}`;
  return [
    'terraform {',
    '  backend "http" {',
    `    address        = "${at}"`,
    `    lock_address   = "${at}"`,
    `    unlock_address = "${at}"`,
    '  }',
    '}',
  ].join('\n');
}
