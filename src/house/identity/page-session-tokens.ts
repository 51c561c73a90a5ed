import { z } from 'zod';
import type { Identity, PageSession } from '../../core/grant.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import { SealError, type Sealer } from '../../ports/sealer.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { PAGE_SESSION_KIND } from '../records/kinds.ts';
import type { Records } from '../records/records.ts';
import type { KnownCredentials } from './known-credentials.ts';
import { endOf } from './session-tokens.ts';

/** A session that was begun and not ended. */
export interface StoredPageSession {
  /** The id of the credential that it acts for. */
  readonly credential: string;
  readonly since: Instant;
  readonly until: Instant;
}

/** The sessions of the page, under their ids. */
export const PAGE_SESSIONS: RecordDefinition<StoredPageSession> = defineRecords<StoredPageSession>(
  PAGE_SESSION_KIND,
  z.object({ credential: z.string(), since: z.number(), until: z.number() }),
);

const CONTENT: z.ZodType<{ readonly id: string; readonly seenAt: Instant }> = z.object({
  id: z.string(),
  seenAt: z.number(),
});
const CONTEXT = 'page session';
/** Longer than any that is given out. */
const TOKEN_LENGTH_MAX = 1_024;

/**
 * The tokens of the page's sessions. A token is sealed, and says which session it is of and when that was last in use, so that
 * no request has to store anything; the session itself is a record that every node reads each time, so that it ends everywhere
 * at once. It is good no longer than the credential that it acts for, and has that one's rights as they are now.
 */
export class PageSessionTokens {
  readonly #records: Records<StoredPageSession>;
  readonly #sealer: Sealer;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #credentials: Pick<KnownCredentials, 'find'>;
  readonly #idle: Milliseconds;

  /** @param idle how long a session lasts in which nothing is asked */
  constructor(options: {
    records: Records<StoredPageSession>;
    sealer: Sealer;
    clock: Pick<Clock, 'now'>;
    credentials: Pick<KnownCredentials, 'find'>;
    idle: Milliseconds;
  }) {
    this.#records = options.records;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#credentials = options.credentials;
    this.#idle = options.idle;
  }

  seal({ id, seenAt }: Pick<PageSession, 'id' | 'seenAt'>): string {
    const content = Buffer.from(JSON.stringify({ id, seenAt }));
    return Buffer.from(this.#sealer.seal(content, CONTEXT)).toString('base64url');
  }

  /** When a session ends in which nothing more is asked. */
  idleUntil({ seenAt, until }: PageSession): Instant {
    return Math.min(seenAt + this.#idle, until);
  }

  /** Who signed in; null where the token is none of this house, or its session has ended. */
  async find(token: string): Promise<Identity | null> {
    const content = this.#open(token);
    if (content === null) return null;
    const now = this.#clock.now();
    const { id, seenAt } = content;
    // What was said to be in use later than now was sealed by a clock that goes ahead.
    if (now - seenAt >= this.#idle) return null;
    const stored = await this.#records.one(id);
    if (stored === null || now >= stored.until) return null;
    const known = await this.#credentials.find(stored.credential);
    if (known === null) return null;
    const { identity } = known;
    const at = Math.min(stored.until, endOf(identity));
    const pageSession = { id, since: stored.since, until: at, seenAt };
    // What is done at the page is no run that has to bring its state home.
    return { ...identity, expiry: { at, graceUntil: at }, pageSession };
  }

  #open(token: string): z.infer<typeof CONTENT> | null {
    if (token.length > TOKEN_LENGTH_MAX) return null;
    try {
      const text = this.#sealer.open(Buffer.from(token, 'base64url'), CONTEXT);
      return CONTENT.parse(JSON.parse(Buffer.from(text).toString()));
    } catch (fault) {
      if (fault instanceof SealError) return null;
      throw fault;
    }
  }
}
