import { createHash } from 'node:crypto';
import { isExpired, patternProblem, type Grant, type Identity } from '../../core/grant.ts';
import { CREDENTIAL_ID, CREDENTIAL_NAME, CREDENTIAL_SECRET, type Credential } from '../../core/credential.ts';
import { subjectOf } from '../../core/subject.ts';
import type { Instant } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { noteBy, refuseInHouse, type Caller, type Forbidden } from '../caller.ts';
import { REFRESH_MS, SharedRun } from '../shared-run.ts';

/** No house needs more; each is held in memory. */
const CREDENTIALS_MAX = 10_000;
const GRANTS_MAX = 64;

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_RANDOM = 16;
const SECRET_LENGTH = 40;

/** A credential that is not revoked, with the secret that signatures are made with. */
export interface KnownCredential {
  readonly identity: Identity;
  readonly secret: string;
  /** The SHA-256 of the secret. */
  readonly secretDigest: Uint8Array;
}

/** A credential as it is shown: all but its secret. */
export type CredentialView = Omit<Credential, 'sealedSecret'>;

export interface CredentialsView {
  readonly type: 'credentials';
  readonly credentials: readonly CredentialView[];
}

/** A credential at the one moment when its secret is told. */
export interface NewCredential {
  readonly type: 'created';
  readonly credential: CredentialView;
  readonly secret: string;
}

interface Held {
  readonly credential: Credential;
  readonly secret: string;
  readonly secretDigest: Uint8Array;
}

/** The credentials of the house. All of them are held in memory; on many nodes they are read again every two seconds. */
export class Credentials {
  readonly #engine: Engine;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #reading = new SharedRun(() => this.#read());
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
    if (this.#isStale()) await this.#reading.join();
    const held = this.#held.get(id);
    if (held === undefined || held.credential.revokedAt !== null) return null;
    const { credential, secret, secretDigest } = held;
    const expired = isExpired(credential.expiresAt, this.#clock.now());
    const subject = subjectOf('token', credential.name);
    return {
      identity: { subject, grants: credential.grants, expired, credentialId: id },
      secret,
      secretDigest,
    };
  }

  async list(caller: Caller): Promise<CredentialsView | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    return { type: 'credentials', credentials: (await this.#engine.credentials()).map(viewOf) };
  }

  /** Makes a credential. Its secret is told this once. */
  async create(
    caller: Caller,
    wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null },
  ): Promise<NewCredential | { type: 'invalid'; problem: string } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#reading.run();
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
    if ((await this.find(id))?.secret === secret) return;
    await this.#put(caller, id, secret, {
      name: `admin-${id.slice(-6)}`,
      grants: [{ role: 'admin', pattern: '*' }],
      expiresAt: null,
    });
  }

  /** Whether anybody may manage the house. */
  async hasAdmin(): Promise<boolean> {
    await this.#reading.run();
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
    await this.#reading.run();
    const held = this.#held.get(id);
    if (held === undefined) return { type: 'absent' };
    const credential = { ...held.credential, revokedAt: held.credential.revokedAt ?? this.#clock.now() };
    const note = noteBy(caller, 'credential-revoke', { id, name: credential.name });
    await this.#engine.apply([{ type: 'put-credential', credential, note }]);
    await this.#reading.run();
    return { type: 'revoked', credential: viewOf(credential) };
  }

  /** Reads all credentials anew, as after a rotation of the master key. */
  async refresh(): Promise<void> {
    await this.#reading.run();
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
    const note = noteBy(caller, 'credential-create', {
      id,
      name: wanted.name,
      grants: wanted.grants.map((g) => `${g.role}:${g.pattern}`).join(' '),
    });
    await this.#engine.apply([{ type: 'put-credential', credential, note }]);
    await this.#reading.run();
    return { type: 'created', credential: viewOf(credential), secret };
  }

  #problem(wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null }): string | null {
    if (!CREDENTIAL_NAME.test(wanted.name)) {
      return 'invalid name: expected 1 to 100 letters, digits and . _ @ : / -';
    }
    const live = [...this.#held.values()].filter(({ credential }) => credential.revokedAt === null);
    if (live.some(({ credential }) => credential.name === wanted.name)) {
      return `there is a credential named ${wanted.name} already: revoke it, or choose another name`;
    }
    if (this.#held.size >= CREDENTIALS_MAX) return `a server has at most ${CREDENTIALS_MAX} credentials`;
    if (wanted.grants.length === 0 || wanted.grants.length > GRANTS_MAX) {
      return `invalid grants: expected 1 to ${GRANTS_MAX} of them`;
    }
    const pattern = wanted.grants.map((grant) => patternProblem(grant.pattern)).find((p) => p !== null);
    if (pattern !== undefined) return pattern;
    return isExpired(wanted.expiresAt, this.#clock.now())
      ? 'invalid expiry: expected a time in the future'
      : null;
  }

  #isStale(): boolean {
    if (this.#readAt === -Infinity) return true;
    return this.#engine.traits.shared && this.#clock.now() - this.#readAt > REFRESH_MS;
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
      return [credential.id, { credential, secret, secretDigest: known?.secretDigest ?? digest(secret) }];
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
