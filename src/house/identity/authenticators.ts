import type { Identity } from '../../core/grant.ts';
import type { Credentials } from './credentials.ts';
import { PairAuthenticator } from './pair.ts';
import type { Authenticator, Claimed, Presented } from './presented.ts';

/** Who is asking: answered by the first authenticator that knows. A new kind of credential is a file beside this one and a row here. */
export class Authenticators {
  readonly #all: readonly Authenticator[];

  constructor({ credentials }: { readonly credentials: Credentials }) {
    this.#all = [new PairAuthenticator(credentials)];
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

  /** What is known of the key that a request says it was signed with, before that is proven; null for an unknown one. */
  async claimed(keyId: string): Promise<Claimed | null> {
    for (const authenticator of this.#all) {
      const claimed = await authenticator.claimed(keyId);
      if (claimed !== null) return claimed;
    }
    return null;
  }
}
