import type { Instant, Milliseconds } from '../../core/instant.ts';
import { nameOfSubject } from '../../core/subject.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Audit } from '../audit.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { newId, newSecret } from './new-pair.ts';
import { endOf, type SessionTokens } from './session-tokens.ts';

/** What a session is wanted for. */
export interface WantedSession {
  readonly role: string;
  readonly account: string;
  readonly name: string;
  readonly lasts: Milliseconds;
  /** A role that is neither the caller's own name nor one to narrow to is refused, where it is a mere label otherwise. */
  readonly strict: boolean;
}

/** A session at the one moment when its secret is told. */
export interface NewSession {
  readonly type: 'assumed';
  readonly id: string;
  readonly secret: string;
  readonly token: string;
  readonly expiresAt: Instant;
  /** Whether the role is the caller's own name or one that it was narrowed to; a mere label otherwise. */
  readonly isRole: boolean;
}

/** Makes sessions: credentials for a while, which are no wider than whoever asks for them. */
export class Sessions {
  readonly #tokens: SessionTokens;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #gate: Gate;
  readonly #audit: Audit;

  constructor(options: { tokens: SessionTokens; clock: Clock; entropy: Entropy; gate: Gate; audit: Audit }) {
    this.#tokens = options.tokens;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#gate = options.gate;
    this.#audit = options.audit;
  }

  /**
   * Makes a session of the caller's own subject. If the role is the name of a credential that allows nothing that the caller's does
   * not, the session has the grants of that one; else those of the caller. A session of a session ends with it, and stays as narrow.
   */
  async assume(caller: Caller, wanted: WantedSession): Promise<NewSession | { type: 'no-role' } | Shut> {
    const shut = this.#gate.known(caller.identity);
    if (shut !== null) return shut;
    const { identity } = caller;
    // Whoever was proven by no credential could be ended by none.
    if (identity.credentialId === undefined) return { type: 'revoked' };
    const { role, account, name } = wanted;
    const isOwn = role === nameOfSubject(identity.subject);
    const before = identity.session?.narrowedTo ?? null;
    const found = isOwn || before !== null ? null : await this.#tokens.roleOf(identity, role);
    const narrowedTo = before ?? (found === null ? null : role);
    const isRole = before === null ? isOwn || found !== null : before === role;
    if (wanted.strict && !isRole) return { type: 'no-role' };
    const id = newId('ST', this.#entropy);
    const secret = newSecret(this.#entropy);
    const expiresAt = Math.min(this.#clock.now() + wanted.lasts, endOf(identity));
    const token = this.#tokens.seal(id, {
      secret,
      credential: identity.credentialId,
      expiresAt,
      role,
      account,
      name,
      narrowedTo,
    });
    this.#audit.note(caller, 'assume-role', null, {
      id,
      role,
      session: name,
      ...(narrowedTo === null ? {} : { narrowedTo }),
    });
    return { type: 'assumed', id, secret, token, expiresAt, isRole };
  }
}
