import type { Identity } from '../../core/grant.ts';
import type { KnownCredentials } from './known-credentials.ts';
import type { Authenticator, Presented } from './presented.ts';

/**
 * Authenticates by a client certificate: whoever has the key of one of its names is the credential of that name. An admin makes it
 * as any other (`cert:dns:build.example.com`), with grants and an expiry, and revokes it so, whatever the authority says.
 */
export class CertificateAuthenticator implements Authenticator {
  readonly #credentials: Pick<KnownCredentials, 'findByName'>;

  constructor(credentials: Pick<KnownCredentials, 'findByName'>) {
    this.#credentials = credentials;
  }

  async authenticate(presented: Presented): Promise<Identity | null> {
    if (presented.kind !== 'certificate') return null;
    for (const name of presented.names) {
      const identity = await this.#credentials.findByName(name);
      if (identity !== null) return identity;
    }
    return null;
  }

  /** Nothing is signed with a certificate but the connection. */
  claimed(): Promise<null> {
    return Promise.resolve(null);
  }
}
