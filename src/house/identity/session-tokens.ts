import { z } from 'zod';
import { areWithin } from '../../core/access.ts';
import type { Grant, Identity } from '../../core/grant.ts';
import type { Instant } from '../../core/instant.ts';
import { SealError, type Sealer } from '../../ports/sealer.ts';
import type { KnownCredentials } from './known-credentials.ts';

/** All that a session is: it is sealed into its token, and nothing of it is stored. */
export interface SessionContent {
  readonly secret: string;
  /** The id of the credential that it acts for. */
  readonly credential: string;
  readonly expiresAt: Instant;
  readonly role: string;
  readonly account: string;
  readonly name: string;
  /** The name of the credential whose grants it is narrowed to, or null. */
  readonly narrowedTo: string | null;
}

/** A session that is good, with the secret that its requests are signed with. */
export interface KnownSession {
  readonly identity: Identity;
  readonly secret: string;
}

const CONTENT: z.ZodType<SessionContent> = z.object({
  secret: z.string(),
  credential: z.string(),
  expiresAt: z.number(),
  role: z.string(),
  account: z.string(),
  name: z.string(),
  narrowedTo: z.string().nullable(),
});

/** Twice as long as any that is given out. */
const TOKEN_LENGTH_MAX = 4_096;

/**
 * The tokens of sessions. A session is good for as long as its token says, and no longer than the credential that it acts for:
 * it ends with that one's revocation and expiry, and never has more rights.
 */
export class SessionTokens {
  readonly #sealer: Sealer;
  readonly #credentials: Pick<KnownCredentials, 'find' | 'findByName' | 'graceUntil'>;

  constructor(options: {
    sealer: Sealer;
    credentials: Pick<KnownCredentials, 'find' | 'findByName' | 'graceUntil'>;
  }) {
    this.#sealer = options.sealer;
    this.#credentials = options.credentials;
  }

  /** @param id what stands for a credential's id: the token is good with it alone */
  seal(id: string, content: SessionContent): string {
    return Buffer.from(this.#sealer.seal(Buffer.from(JSON.stringify(content)), contextOf(id))).toString(
      'base64',
    );
  }

  /** The session that a token is for; null where it is none of this house, or not good any more but for its expiry. */
  async find(id: string, token: string): Promise<KnownSession | null> {
    const content = this.#open(id, token);
    if (content === null) return null;
    const { secret, credential, role, account, name, narrowedTo } = content;
    const parent = await this.#credentials.find(credential);
    if (parent === null) return null;
    const narrow = narrowedTo === null ? parent.identity : await this.roleOf(parent.identity, narrowedTo);
    if (narrow === null) return null;
    const at = Math.min(content.expiresAt, endOf(parent.identity), endOf(narrow));
    const identity: Identity = {
      ...parent.identity,
      grants: narrow.grants,
      expiry: { at, graceUntil: this.#credentials.graceUntil({ expiresAt: at }) ?? at },
      session: { id, role, account, name, narrowedTo },
    };
    return { identity, secret };
  }

  /** The credential of this name, if a session may be narrowed to it: it allows nothing that the caller's own does not. */
  async roleOf(caller: { readonly grants: readonly Grant[] }, name: string): Promise<Identity | null> {
    const role = await this.#credentials.findByName(name);
    return role !== null && areWithin(role.grants, caller.grants) ? role : null;
  }

  #open(id: string, token: string): SessionContent | null {
    if (token.length > TOKEN_LENGTH_MAX) return null;
    try {
      const text = this.#sealer.open(Buffer.from(token, 'base64'), contextOf(id));
      return CONTENT.parse(JSON.parse(Buffer.from(text).toString()));
    } catch (fault) {
      if (fault instanceof SealError) return null;
      throw fault;
    }
  }
}

/** When an identity ends; never for one that does not expire. */
export function endOf({ expiry }: Pick<Identity, 'expiry'>): Instant {
  return expiry?.at ?? Infinity;
}

function contextOf(id: string): string {
  return `session ${id}`;
}
