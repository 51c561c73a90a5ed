import { isAddress, parseAddress, type Address } from '../../core/address.ts';
import { wrongUse } from '../failure.ts';

/** Reads an address as it is typed: `PROJECT/KEY[@WORKSPACE]`. */
export function readAddress(text: string | undefined): Address {
  const address = parseAddress(text ?? '');
  if (isAddress(address)) return address;
  throw wrongUse(
    `invalid address "${text}": ${address.problem}`,
    'Write PROJECT/KEY[@WORKSPACE], for example app/net/terraform.tfstate@dev.',
  );
}
