import type { Address } from '../../core/address.ts';
import type { StateClient } from '../../ports/state-client.ts';
import { HttpClient } from '../../protocols/http/client/client.ts';
import { readHttpConfig } from '../../protocols/http/client/config.ts';
import { pathOf } from '../../protocols/http/layout.ts';
import type { Connection } from './connection.ts';

/** The client of one state of a server, under the lock that terraform takes there. */
export function openServed(address: Address, { url, credential, ca, insecure }: Connection): StateClient {
  const place = `${url}${pathOf({ ...address, workspace: 'default' })}`;
  const attributes = {
    address: place,
    lock_address: place,
    unlock_address: place,
    ...(credential === null ? {} : { username: credential.id, password: credential.secret }),
    ...(ca === null ? {} : { client_ca_certificate_pem: ca.pem }),
    skip_cert_verification: insecure,
  };
  return new HttpClient(readHttpConfig(attributes, {}));
}
