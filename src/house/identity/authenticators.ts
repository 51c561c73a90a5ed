import type { Identity } from '../../core/grant.ts';
import { CertificateAuthenticator } from './certificate.ts';
import type { KnownCredentials } from './known-credentials.ts';
import { PairAuthenticator } from './pair.ts';
import type { Authenticator, Presented } from './presented.ts';

/** Who is asking: answered by the first authenticator that knows. A new kind of credential is a file beside this one and a row here. */
export class Authenticators {
  readonly #all: readonly Authenticator[];

  constructor({ credentials }: { readonly credentials: KnownCredentials }) {
    this.#all = [new PairAuthenticator(credentials), new CertificateAuthenticator(credentials)];
  }

  /** @param presented null when a request presents nothing that can be read. @returns null for a stranger */
  async authenticate(presented: Presented | null): Promise<Identity | null> {
    if (presented === null) return null;
    for (const authenticator of this.#all) {
      const identity = await authenticator.authenticate(presented);
      if (identity !== null) return identity;
    }
    return null;
  }
}
