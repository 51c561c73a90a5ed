import type { Identity, PageSession } from '../../core/grant.ts';
import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Audit } from '../audit.ts';
import type { Busy, Caller, Forbidden, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import type { Records } from '../records/records.ts';
import { endOf } from './session-tokens.ts';
import type { PageSessionTokens, StoredPageSession } from './page-session-tokens.ts';

/** Sessions of one credential at a time: who begins one more ends the oldest. */
const OF_CREDENTIAL_MAX = 10;
/** Sessions of all credentials. */
const SESSIONS_MAX = 2_000;
const FULL_RETRY_SECONDS = 60;
/** A token says when its session was last in use; so often it is said anew, as a share of the time it may be idle. */
const RENEWALS_AN_IDLE = 20;

/** How long sessions of the page last. */
export interface PageSessionSettings {
  /** While nothing is asked. */
  readonly pageSessionIdle: Milliseconds;
  /** Whatever is asked. */
  readonly pageSessionLength: Milliseconds;
}

/** What a browser shows from now on. */
export interface PageSessionToken {
  readonly token: string;
  /** How long its session may last. */
  readonly lasts: Milliseconds;
}

/** A session that was begun. */
export interface BegunPageSession extends PageSessionToken {
  readonly type: 'begun';
  readonly identity: Identity;
}

/** Lets people who show a credential once go on with a token of the browser's, and ends that again. */
export class PageSessions {
  readonly #records: Records<StoredPageSession>;
  readonly #tokens: PageSessionTokens;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #entropy: Entropy;
  readonly #gate: Gate;
  readonly #audit: Audit;
  readonly #settings: PageSessionSettings;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: {
    records: Records<StoredPageSession>;
    tokens: PageSessionTokens;
    clock: Pick<Clock, 'now'>;
    entropy: Entropy;
    gate: Gate;
    audit: Audit;
    settings: PageSessionSettings;
  }) {
    this.#records = options.records;
    this.#tokens = options.tokens;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#gate = options.gate;
    this.#audit = options.audit;
    this.#settings = options.settings;
  }

  /** Begins a session for whoever has shown a credential itself: a session makes no other, or it would never end. */
  async begin(caller: Caller): Promise<BegunPageSession | Busy | Shut> {
    const shut = this.#gate.known(caller.identity);
    if (shut !== null) return shut;
    const { identity } = caller;
    const { credentialId, pageSession, session, subject } = identity;
    if (credentialId === undefined || pageSession !== undefined || session !== undefined) {
      return { type: 'forbidden', subject, action: 'manage', address: null } satisfies Forbidden;
    }
    // One after the other, so that many at a time do not get past the bounds.
    const mine = this.#turn.then(() => this.#begin(identity, credentialId));
    this.#turn = mine.catch(() => undefined);
    const begun = await mine;
    if (begun.type === 'begun') this.#audit.note(caller, 'sign-in', null, { session: idOf(begun.identity) });
    return begun;
  }

  async #begin(identity: Identity, credential: string): Promise<BegunPageSession | Busy> {
    const now = this.#clock.now();
    const live = (await this.#records.list()).filter(({ record }) => record.until > now);
    const mine = live
      .filter(({ record }) => record.credential === credential)
      .toSorted((a, b) => a.record.since - b.record.since);
    const surplus = mine.slice(0, Math.max(0, mine.length - OF_CREDENTIAL_MAX + 1)).map(({ name }) => name);
    if (live.length - surplus.length >= SESSIONS_MAX)
      return { type: 'busy', retryAfterSeconds: FULL_RETRY_SECONDS };
    if (surplus.length > 0) await this.#records.drop(null, ...surplus);
    const id = this.#entropy.uuid();
    const until = Math.min(now + this.#settings.pageSessionLength, endOf(identity));
    await this.#records.put(null, id, { credential, since: now, until });
    const pageSession = { id, since: now, until, seenAt: now };
    const token = this.#tokens.seal(pageSession);
    return { type: 'begun', token, lasts: until - now, identity: { ...identity, pageSession } };
  }

  /** Ends the session that the caller comes in, on every node at once. */
  async end(caller: Caller): Promise<{ readonly type: 'ended' } | { readonly type: 'absent' } | Shut> {
    const shut = this.#gate.known(caller.identity);
    if (shut !== null) return shut;
    const { pageSession } = caller.identity;
    if (pageSession === undefined) return { type: 'absent' };
    await this.#records.drop(null, pageSession.id);
    this.#audit.note(caller, 'sign-out', null, { session: pageSession.id });
    return { type: 'ended' };
  }

  /** A token that says that a session is in use now; null while the one that was shown will do. */
  renewed({ pageSession }: Identity): PageSessionToken | null {
    if (pageSession === undefined) return null;
    const now = this.#clock.now();
    const isFresh = now - pageSession.seenAt < this.#settings.pageSessionIdle / RENEWALS_AN_IDLE;
    if (isFresh) return null;
    const token = this.#tokens.seal({ id: pageSession.id, seenAt: now });
    return { token, lasts: pageSession.until - now };
  }

  /** When a session ends: what there is to know of it, for whoever comes in it. */
  ends(pageSession: PageSession): Pick<PageSession, 'since' | 'until'> & { readonly idleUntil: number } {
    const { since, until } = pageSession;
    const seenAt = this.#clock.now();
    return { since, until, idleUntil: this.#tokens.idleUntil({ ...pageSession, seenAt }) };
  }

  /** Forgets those that have ended by themselves. */
  async prune(): Promise<void> {
    const now = this.#clock.now();
    const over = (await this.#records.list()).filter(({ record }) => record.until <= now);
    if (over.length > 0) await this.#records.drop(null, ...over.map(({ name }) => name));
  }
}

function idOf({ pageSession }: Identity): string {
  return pageSession?.id ?? '';
}
