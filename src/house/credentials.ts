import { timingSafeEqual, createHash } from 'node:crypto';
import { isExpired, patternProblem, type Grant, type Identity } from '../core/access.ts';
import {
  CREDENTIAL_ID,
  CREDENTIAL_NAME,
  CREDENTIAL_SECRET,
  subjectOf,
  type Credential,
} from '../core/credential.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Sealer } from '../ports/sealer.ts';
import { refuseInHouse, type Caller, type Forbidden } from './caller.ts';

/** How long a node may go on believing a credential that another node has revoked. */
const REFRESH_MS: Milliseconds = 2_000;
/** No house needs more; each is held in memory. */
export const CREDENTIALS_MAX = 10_000;
export const GRANTS_MAX = 64;

/** Longer than any id and secret that the house gives out. */
const AUTHORIZATION_LENGTH_MAX = 1_000;

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_RANDOM = 16;
const SECRET_LENGTH = 40;

/** A credential that may be used now, with the secret that signatures are made with. */
export interface KnownCredential {
  readonly identity: Identity;
  readonly secret: string;
}

/** A credential as it is shown: all but its secret. */
export type CredentialView = Omit<Credential, 'sealedSecret'>;

/** A credential at the one moment when its secret is told. */
export interface NewCredential {
  readonly type: 'created';
  readonly credential: CredentialView;
  readonly secret: string;
}

interface Held {
  readonly credential: Credential;
  readonly secret: string;
  readonly secretHash: Buffer;
}

/** Who may enter. All credentials are held in memory; on many nodes they are read again every two seconds. */
export class Credentials {
  readonly #engine: Engine;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  #held: ReadonlyMap<string, Held> = new Map();
  #readAt: Instant = -Infinity;

  constructor(options: { engine: Engine; sealer: Sealer; clock: Clock; entropy: Entropy }) {
    this.#engine = options.engine;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
  }

  /** The credential of this id, if it is known and not revoked; an expired one is given too, and says so. */
  async find(id: string): Promise<KnownCredential | null> {
    const held = await this.#get(id);
    if (held === null || held.credential.revokedAt !== null) return null;
    const { credential, secret } = held;
    const expired = isExpired(credential.expiresAt, this.#clock.now());
    return { identity: { subject: subjectOf(credential), grants: credential.grants, expired }, secret };
  }

  /** Who presents this id and secret; null if nobody whom the house knows. Takes the same time for any wrong secret. */
  async authenticate(id: string, secret: string): Promise<Identity | null> {
    const held = await this.#get(id);
    const right = timingSafeEqual(digest(secret), held?.secretHash ?? digest(''));
    return right && held !== null ? ((await this.find(id))?.identity ?? null) : null;
  }

  /** The bearer form: `id.secret`. */
  async authenticateBearer(token: string): Promise<Identity | null> {
    const dot = token.indexOf('.');
    return dot === -1 ? null : this.authenticate(token.slice(0, dot), token.slice(dot + 1));
  }

  /**
   * Who presents this `Authorization` header: Basic with id and secret, or Bearer with `id.secret`. Some programs keep one
   * secret a system, so a Basic password may also be the whole bearer form, whatever the user name.
   */
  async fromAuthorization(header: string | undefined): Promise<Identity | null> {
    if (header === undefined || header.length > AUTHORIZATION_LENGTH_MAX) return null;
    const space = header.indexOf(' ');
    const scheme = header.slice(0, space).toLowerCase();
    const rest = header.slice(space + 1).trim();
    if (scheme === 'bearer') return this.authenticateBearer(rest);
    if (scheme !== 'basic') return null;
    const pair = Buffer.from(rest, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    const password = pair.slice(colon + 1);
    const identity = await this.authenticate(pair.slice(0, Math.max(colon, 0)), password);
    return identity ?? this.authenticateBearer(password);
  }

  async list(caller: Caller): Promise<readonly CredentialView[] | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    return (await this.#engine.credentials()).map(viewOf);
  }

  /** Makes a credential. Its secret is told this once. */
  async create(
    caller: Caller,
    wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null },
  ): Promise<NewCredential | { type: 'invalid'; problem: string } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#read();
    const problem = this.#problem(wanted);
    if (problem !== null) return { type: 'invalid', problem };
    const id = `SH${pick(this.#entropy, ID_ALPHABET, ID_RANDOM)}`;
    const secret = pick(this.#entropy, SECRET_ALPHABET, SECRET_LENGTH);
    return this.#put(caller, id, secret, wanted);
  }

  /** Sees to it that this very credential is an admin: what the configuration fixes for automation. */
  async ensureAdmin(caller: Caller, id: string, secret: string): Promise<void> {
    if (!CREDENTIAL_ID.test(id) || !CREDENTIAL_SECRET.test(secret)) {
      throw new TypeError(
        'invalid admin credential: expected ID.SECRET, with an id of 16 to 128 letters, digits or "_", and a secret of 20 to 128 letters and digits, a multiple of 4',
      );
    }
    if ((await this.authenticate(id, secret)) !== null) return;
    await this.#put(caller, id, secret, {
      name: `admin-${id.slice(-6)}`,
      grants: [{ role: 'admin', pattern: '*' }],
      expiresAt: null,
    });
  }

  /** Whether anybody may manage the house. */
  async hasAdmin(): Promise<boolean> {
    await this.#read();
    return [...this.#held.values()].some(
      ({ credential: { revokedAt, grants } }) =>
        revokedAt === null && grants.some(({ role, pattern }) => role === 'admin' && pattern === '*'),
    );
  }

  /** Revokes at once, grace and all. */
  async revoke(
    caller: Caller,
    id: string,
  ): Promise<{ type: 'revoked'; credential: CredentialView } | { type: 'absent' } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#read();
    const held = this.#held.get(id);
    if (held === undefined) return { type: 'absent' };
    const credential = { ...held.credential, revokedAt: held.credential.revokedAt ?? this.#clock.now() };
    const note = {
      action: 'credential-revoke',
      subject: caller.identity.subject,
      door: caller.door,
      detail: { id, name: credential.name },
    };
    await this.#engine.apply([{ type: 'put-credential', credential, note }]);
    await this.#read();
    return { type: 'revoked', credential: viewOf(credential) };
  }

  /** Reads all credentials anew, as after a rotation of the master key. */
  async refresh(): Promise<void> {
    await this.#read();
  }

  async #put(
    caller: Caller,
    id: string,
    secret: string,
    wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null },
  ): Promise<NewCredential> {
    const credential: Credential = {
      id,
      name: wanted.name,
      sealedSecret: this.#sealer.seal(Buffer.from(secret), credentialContext(id)),
      grants: wanted.grants,
      createdAt: this.#clock.now(),
      expiresAt: wanted.expiresAt,
      revokedAt: null,
    };
    const note = {
      action: 'credential-create',
      subject: caller.identity.subject,
      door: caller.door,
      detail: { id, name: wanted.name, grants: wanted.grants.map((g) => `${g.role}:${g.pattern}`).join(' ') },
    };
    await this.#engine.apply([{ type: 'put-credential', credential, note }]);
    await this.#read();
    return { type: 'created', credential: viewOf(credential), secret };
  }

  #problem(wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null }): string | null {
    if (!CREDENTIAL_NAME.test(wanted.name)) {
      return "a credential's name has 1 to 100 letters, digits and . _ @ : / -";
    }
    const live = [...this.#held.values()].filter(({ credential }) => credential.revokedAt === null);
    if (live.some(({ credential }) => credential.name === wanted.name)) {
      return `there is a credential named ${wanted.name} already: revoke it, or choose another name`;
    }
    if (this.#held.size >= CREDENTIALS_MAX) return `a house has at most ${CREDENTIALS_MAX} credentials`;
    if (wanted.grants.length === 0 || wanted.grants.length > GRANTS_MAX) {
      return `a credential has 1 to ${GRANTS_MAX} grants`;
    }
    const pattern = wanted.grants.map((grant) => patternProblem(grant.pattern)).find((p) => p !== null);
    if (pattern !== undefined) return pattern;
    return isExpired(wanted.expiresAt, this.#clock.now()) ? 'the expiry is in the past' : null;
  }

  async #get(id: string): Promise<Held | null> {
    const stale = this.#engine.traits.shared && this.#clock.now() - this.#readAt > REFRESH_MS;
    if (stale || this.#readAt === -Infinity) await this.#read();
    return this.#held.get(id) ?? null;
  }

  async #read(): Promise<void> {
    const at = this.#clock.now();
    const before = this.#held;
    const held = (await this.#engine.credentials()).map((credential): [string, Held] => {
      const same = before.get(credential.id);
      // Opening them all is slow; but a secret that was changed, on this node or another, is another secret.
      const known =
        same !== undefined && sameBytes(same.credential.sealedSecret, credential.sealedSecret)
          ? same
          : undefined;
      const secret =
        known?.secret ??
        Buffer.from(this.#sealer.open(credential.sealedSecret, credentialContext(credential.id))).toString();
      return [credential.id, { credential, secret, secretHash: known?.secretHash ?? digest(secret) }];
    });
    this.#held = new Map(held);
    this.#readAt = at;
  }
}

/** What a credential's sealing is bound to. */
export function credentialContext(id: string): string {
  return `credential ${id}`;
}

function viewOf(credential: Credential): CredentialView {
  const { id, name, grants, createdAt, expiresAt, revokedAt } = credential;
  return { id, name, grants, createdAt, expiresAt, revokedAt };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Letters drawn without bias: bytes beyond the last whole multiple of the alphabet are drawn again. */
function pick(entropy: Entropy, alphabet: string, length: number): string {
  const bound = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of entropy.bytes(length)) {
      if (byte < bound && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
