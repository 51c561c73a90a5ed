import { createHash, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../../core/grant.ts';
import type { KnownCredentials } from './known-credentials.ts';
import type { Authenticator, Claimed, Presented } from './presented.ts';

/** Longer than any id and secret that the house gives out. */
const PAIR_LENGTH_MAX = 1_000;

/** Stands for the secret of an id that is not known, so that it takes the same time to be wrong. */
const NO_SECRET = digest('');

/** Authenticates by a credential's id and secret: as a pair, as the token `id.secret`, or by what was signed with the secret. */
export class PairAuthenticator implements Authenticator {
  readonly #credentials: KnownCredentials;

  constructor(credentials: KnownCredentials) {
    this.#credentials = credentials;
  }

  async authenticate(presented: Presented): Promise<Identity | null> {
    if (presented.kind === 'bearer') return this.#byToken(presented.token);
    if (presented.kind === 'basic') {
      const { user, password } = presented;
      // Some programs keep one secret a system, so a password may also be the whole token, whatever the user.
      return (await this.#byPair(user, password)) ?? this.#byToken(password);
    }
    if (presented.kind !== 'signed' || presented.token !== null) return null;
    const known = await this.#credentials.find(presented.keyId);
    return known !== null && presented.verify(known.secret) ? known.identity : null;
  }

  async claimed(keyId: string, token: string | null): Promise<Claimed | null> {
    if (token !== null) return null;
    const known = await this.#credentials.find(keyId);
    return known === null ? null : { identity: known.identity };
  }

  async #byToken(token: string): Promise<Identity | null> {
    const dot = token.indexOf('.');
    return dot === -1 ? null : this.#byPair(token.slice(0, dot), token.slice(dot + 1));
  }

  /** Takes the same time for any wrong secret. */
  async #byPair(id: string, secret: string): Promise<Identity | null> {
    if (id.length + secret.length > PAIR_LENGTH_MAX) return null;
    const known = await this.#credentials.find(id);
    const right = timingSafeEqual(digest(secret), known?.secretDigest ?? NO_SECRET);
    return right && known !== null ? known.identity : null;
  }
}

/** The id of the credential that is presented, if it is of this form. */
export function idIn(presented: Presented): string | null {
  switch (presented.kind) {
    case 'signed':
      return presented.keyId;
    case 'bearer':
      return beforeDot(presented.token);
    case 'basic':
      return presented.password.includes('.') ? beforeDot(presented.password) : presented.user;
    case 'certificate':
    case 'page-session':
      return null;
  }
}

function beforeDot(token: string): string | null {
  const dot = token.indexOf('.');
  return dot === -1 ? null : token.slice(0, dot);
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
