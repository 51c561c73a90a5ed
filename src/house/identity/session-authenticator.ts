import { createHash, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../../core/grant.ts';
import type { Authenticator, Claimed, Presented } from './presented.ts';
import type { SessionTokens } from './session-tokens.ts';
import type { NewSession } from './sessions.ts';

/** The id, the secret and the token, which is base64. */
const SESSION_TEXT = /^(\w{16,128})\.([A-Za-z0-9]{20,128})\.([A-Za-z0-9+/]{1,4096}={0,2})$/;

/**
 * Authenticates a session: by its token, and by what was signed with the secret that is sealed in it; or by all three in one, where a
 * protocol's clients send a single text as it is.
 */
export class SessionAuthenticator implements Authenticator {
  readonly #tokens: Pick<SessionTokens, 'find'>;

  constructor(tokens: Pick<SessionTokens, 'find'>) {
    this.#tokens = tokens;
  }

  async authenticate(presented: Presented): Promise<Identity | null> {
    if (presented.kind === 'bearer') return this.#byText(presented.token);
    if (presented.kind !== 'signed' || presented.token === null) return null;
    const known = await this.#tokens.find(presented.keyId, presented.token);
    return known !== null && presented.verify(known.secret) ? known.identity : null;
  }

  async claimed(keyId: string, token: string | null): Promise<Claimed | null> {
    const known = token === null ? null : await this.#tokens.find(keyId, token);
    return known === null ? null : { identity: known.identity };
  }

  async #byText(text: string): Promise<Identity | null> {
    const [, id = '', secret = '', token = ''] = SESSION_TEXT.exec(text) ?? [];
    const known = id === '' ? null : await this.#tokens.find(id, token);
    return known !== null && isSame(secret, known.secret) ? known.identity : null;
  }
}

/** A session as one text. */
export function sessionText({ id, secret, token }: Pick<NewSession, 'id' | 'secret' | 'token'>): string {
  return `${id}.${secret}.${token}`;
}

/** Takes the same time for any wrong secret. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}
