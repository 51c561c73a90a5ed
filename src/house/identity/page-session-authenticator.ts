import type { Identity } from '../../core/grant.ts';
import type { PageSessionTokens } from './page-session-tokens.ts';
import type { Authenticator, Presented } from './presented.ts';

/** Authenticates who signed in at the page, by the token that the browser was given. */
export class PageSessionAuthenticator implements Authenticator {
  readonly #tokens: Pick<PageSessionTokens, 'find'>;

  constructor(tokens: Pick<PageSessionTokens, 'find'>) {
    this.#tokens = tokens;
  }

  async authenticate(presented: Presented): Promise<Identity | null> {
    return presented.kind === 'page-session' ? this.#tokens.find(presented.token) : null;
  }

  async claimed(): Promise<null> {
    return null;
  }
}
