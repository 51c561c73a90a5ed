import type { Identity } from '../../core/grant.ts';
import type { Authenticator, Claimed, Presented } from './presented.ts';
import type { SessionTokens } from './session-tokens.ts';

/** Authenticates a session: by its token, and by what was signed with the secret that is sealed in it. */
export class SessionAuthenticator implements Authenticator {
  readonly #tokens: Pick<SessionTokens, 'find'>;

  constructor(tokens: Pick<SessionTokens, 'find'>) {
    this.#tokens = tokens;
  }

  async authenticate(presented: Presented): Promise<Identity | null> {
    if (presented.kind !== 'signed' || presented.token === null) return null;
    const known = await this.#tokens.find(presented.keyId, presented.token);
    return known !== null && presented.verify(known.secret) ? known.identity : null;
  }

  async claimed(keyId: string, token: string | null): Promise<Claimed | null> {
    const known = token === null ? null : await this.#tokens.find(keyId, token);
    return known === null ? null : { identity: known.identity };
  }
}
