import type { Identity } from '../../core/grant.ts';
import { originOf, type Origin } from '../../core/origin.ts';
import type { Audit } from '../audit.ts';
import { CertificateAuthenticator } from './certificate.ts';
import type { KnownCredentials } from './known-credentials.ts';
import type { PageSessionTokens } from './page-session-tokens.ts';
import type { LastUses } from './last-uses.ts';
import { PageSessionAuthenticator } from './page-session-authenticator.ts';
import { idIn, PairAuthenticator } from './pair.ts';
import type { Authenticator, Claimed, Presented } from './presented.ts';
import { SessionAuthenticator } from './session-authenticator.ts';
import type { SessionTokens } from './session-tokens.ts';

/** Who was not let in, as the audit log calls it. */
const STRANGER = 'stranger';
/** Asking to be let in. */
export const ENTER_ACTION = 'enter';

const WHY = { live: 'wrong-secret', revoked: 'revoked', unknown: 'unknown-credential' } as const;

/** Where a request came from that is to be let in. */
export interface Source {
  readonly door: string;
  readonly origin: Origin;
}

/** Who is asking: answered by the first authenticator that knows. A new kind of credential is a file beside this one and a row here. */
export class Authenticators {
  readonly #all: Authenticator[];
  readonly #credentials: KnownCredentials;
  readonly #audit: Audit;
  readonly #uses: LastUses;

  constructor({
    credentials,
    tokens,
    pageTokens,
    audit,
    uses,
  }: {
    readonly credentials: KnownCredentials;
    readonly tokens: SessionTokens;
    readonly pageTokens: PageSessionTokens;
    readonly audit: Audit;
    readonly uses: LastUses;
  }) {
    this.#uses = uses;
    this.#credentials = credentials;
    this.#audit = audit;
    this.#all = [
      new PairAuthenticator(credentials),
      new SessionAuthenticator(tokens),
      new CertificateAuthenticator(credentials),
      new PageSessionAuthenticator(pageTokens),
    ];
  }

  /** Lets in those whom another authenticator knows, too: one of a room above this one. */
  accept(authenticator: Authenticator): void {
    this.#all.push(authenticator);
  }

  /**
   * @param presented null when a request presents nothing that can be read
   * @param source the request, for the audit log; absent to ask again for one that was let in before
   * @returns null for a stranger
   */
  async authenticate(presented: Presented | null, source?: Source): Promise<Identity | null> {
    const identity = presented === null ? null : await this.#identityOf(presented);
    if (source === undefined) return identity;
    if (identity === null) await this.#note(presented, source);
    else if (identity.credentialId !== undefined) {
      this.#uses.note(identity.credentialId, source);
    }
    return identity;
  }

  /** Notes that somebody was not let in: never what was presented, and its id only where it is a credential's. */
  async #note(presented: Presented | null, { door, origin }: Source): Promise<void> {
    const id = presented === null ? null : idIn(presented);
    const standing = id === null ? null : await this.#credentials.standing(id);
    const why = presented === null ? 'no-credential' : WHY[standing ?? 'unknown'];
    const from = standing === null || id === null ? origin : originOf({ ...origin, credential: id });
    this.#audit.refused({ subject: STRANGER, door, origin: from }, ENTER_ACTION, null, why);
    await this.#audit.accepted();
  }

  async #identityOf(presented: Presented): Promise<Identity | null> {
    for (const authenticator of this.#all) {
      const identity = await authenticator.authenticate(presented);
      if (identity !== null) return identity;
    }
    return null;
  }

  /**
   * What is known of the key that a request says it was signed with, before that is proven; null for an unknown one.
   * @param token what was sent beside the signature of a session, if anything
   */
  async claimed(keyId: string, token: string | null = null): Promise<Claimed | null> {
    for (const authenticator of this.#all) {
      const claimed = await authenticator.claimed(keyId, token);
      if (claimed !== null) return claimed;
    }
    return null;
  }
}
