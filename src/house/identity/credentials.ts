import { isExpired, patternProblem, type Grant } from '../../core/grant.ts';
import { CREDENTIAL_ID, CREDENTIAL_NAME, CREDENTIAL_SECRET, type Credential } from '../../core/credential.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { noteBy, type Caller, type Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import type { Locks } from '../locks/locks.ts';
import { breakLocks, locksHeldBy, type HeldLock } from './held-locks.ts';
import { credentialContext, type KnownCredentials } from './known-credentials.ts';
import type { LastUse, LastUses } from './last-uses.ts';
import { newId, newSecret } from './new-pair.ts';

/** Credentials that are good for something, at a time: no house needs more, and each is held in memory. */
const CREDENTIALS_MAX = 10_000;
const GRANTS_MAX = 64;

/** A credential as it is shown: all but its secret, and the locks that it holds. */
export interface CredentialView extends Omit<Credential, 'sealedSecret'> {
  /** When its grace ends; null for one that does not expire. */
  readonly graceUntil: Instant | null;
  readonly locks: readonly HeldLock[];
  /** null where it was never used, or not since uses are noted. */
  readonly lastUse: LastUse | null;
}

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

/** A credential that is revoked, with the locks that it still holds, and those that were broken with it. */
export interface RevokedCredential {
  readonly type: 'revocation';
  readonly credential: CredentialView;
  readonly broken: readonly HeldLock[];
}

/** A credential with what it may do from now on. */
export interface ChangedCredential {
  readonly type: 'changed';
  readonly credential: CredentialView;
}

const REVOKED_FOR_GOOD = 'the credential is revoked, which is for good: create another one';

/** Makes, shows, changes and ends the credentials of the house. */
export class Credentials {
  readonly #engine: Engine;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #gate: Gate;
  readonly #known: KnownCredentials;
  readonly #locks: Locks;
  readonly #deadKept: Milliseconds;
  readonly #uses: LastUses;

  /** @param deadKept how long revoked and expired credentials are kept */
  constructor(options: {
    engine: Engine;
    sealer: Sealer;
    clock: Clock;
    entropy: Entropy;
    gate: Gate;
    known: KnownCredentials;
    locks: Locks;
    deadKept: Milliseconds;
    uses: LastUses;
  }) {
    this.#uses = options.uses;
    this.#engine = options.engine;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#entropy = options.entropy;
    this.#gate = options.gate;
    this.#known = options.known;
    this.#locks = options.locks;
    this.#deadKept = options.deadKept;
  }

  async list(caller: Caller): Promise<CredentialsView | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    return { type: 'credentials', credentials: await this.#views(await this.#engine.credentials()) };
  }

  /** Makes a credential. Its secret is told this once. */
  async create(
    caller: Caller,
    wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null },
  ): Promise<NewCredential | { type: 'invalid'; problem: string } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#known.refresh();
    const problem = this.#problem(wanted);
    if (problem !== null) return { type: 'invalid', problem };
    const id = newId('SH', this.#entropy);
    const secret = newSecret(this.#entropy);
    return this.#put(caller, id, secret, wanted);
  }

  /** Sees to it that this very credential is an admin: what the configuration fixes for automation. */
  async ensureAdmin(caller: Caller, id: string, secret: string): Promise<void> {
    if (!CREDENTIAL_ID.test(id) || !CREDENTIAL_SECRET.test(secret)) {
      throw new TypeError(
        'invalid admin credential: expected ID.SECRET, with an id of 16 to 128 letters, digits or "_", and a secret of 20 to 128 letters and digits, a multiple of 4',
      );
    }
    if ((await this.#known.find(id))?.secret === secret) return;
    await this.#put(caller, id, secret, {
      name: `admin-${id.slice(-6)}`,
      grants: [{ role: 'admin', pattern: '*' }],
      expiresAt: null,
    });
  }

  /** Whether anybody may manage the house now. */
  async hasAdmin(): Promise<boolean> {
    await this.#known.refresh();
    const now = await this.#engine.now();
    return this.#known
      .all()
      .some(
        ({ revokedAt, expiresAt, grants }) =>
          revokedAt === null &&
          (expiresAt === null || expiresAt > now) &&
          grants.some(({ role, pattern }) => role === 'admin' && pattern === '*'),
      );
  }

  /**
   * Revokes at once, grace and all; what the credential has under way ends with it.
   * @param breaks whether the locks that it holds are broken, too
   */
  async revoke(
    caller: Caller,
    id: string,
    { breaks = false }: { breaks?: boolean } = {},
  ): Promise<RevokedCredential | { type: 'absent' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#known.refresh();
    const known = this.#known.get(id);
    if (known === undefined) return { type: 'absent' };
    const credential = { ...known, revokedAt: known.revokedAt ?? this.#clock.now() };
    const note = noteBy(caller, 'credential-revoke', { id, name: credential.name });
    await this.#engine.apply([{ type: 'put-credential', credential, note }]);
    await this.#known.refresh();
    const [before] = breaks ? await this.#views([credential]) : [];
    const broken = await breakLocks(this.#locks, caller, before?.locks ?? []);
    const [view] = await this.#views([credential]);
    return { type: 'revocation', credential: view as CredentialView, broken };
  }

  /**
   * Changes what a credential may do, or until when. What it has under way and may do no more ends, as with a revocation;
   * its secret, its name and the locks that it holds stay.
   */
  async change(
    caller: Caller,
    id: string,
    change: { readonly grants?: readonly Grant[]; readonly expiresAt?: Instant | null },
  ): Promise<ChangedCredential | { type: 'invalid'; problem: string } | { type: 'absent' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#known.refresh();
    const known = this.#known.get(id);
    if (known === undefined) return { type: 'absent' };
    const changed = { ...known, ...change };
    const problem = known.revokedAt === null ? this.#changeProblem(change) : REVOKED_FOR_GOOD;
    if (problem !== null) return { type: 'invalid', problem };
    const note = noteBy(caller, 'credential-change', { id, name: known.name, ...saidOf(changed) });
    const [result] = await this.#engine.apply([{ type: 'change-credential', id, change, note }]);
    await this.#known.refresh();
    if (result?.outcome.type !== 'noted') return { type: 'invalid', problem: REVOKED_FOR_GOOD };
    const [view] = await this.#views([this.#known.get(id) ?? changed]);
    return { type: 'changed', credential: view as CredentialView };
  }

  /**
   * Forgets the credentials that have been good for nothing long enough; the audit log keeps what they did. Another node may
   * do so at the same time.
   */
  async prune(): Promise<void> {
    const before = this.#clock.now() - this.#deadKept;
    const dead = (await this.#engine.credentials()).filter(
      (credential) => this.#deadSince(credential) < before,
    );
    if (dead.length === 0) return;
    const grace = this.#known.graceUntil({ expiresAt: 0 }) ?? 0;
    const detail = { credentials: dead.length };
    const note = { action: 'credential-prune', subject: 'house:retention', door: 'house', detail };
    const times = { revokedBefore: before, expiredBefore: before - grace };
    await this.#engine.apply([{ type: 'drop-credentials', ...times, note }]);
    await this.#known.refresh();
    await this.#uses.prune(new Set(this.#known.all().map(({ id }) => id)));
  }

  /** Reads all credentials anew, as after a rotation of the master key. */
  async refresh(): Promise<void> {
    await this.#known.refresh();
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
      ...saidOf(wanted),
    });
    await this.#engine.apply([{ type: 'put-credential', credential, note }]);
    await this.#known.refresh();
    return {
      type: 'created',
      credential: viewOf(credential, {
        graceUntil: this.#known.graceUntil(credential),
        locks: [],
        lastUse: null,
      }),
      secret,
    };
  }

  #problem(wanted: { name: string; grants: readonly Grant[]; expiresAt: Instant | null }): string | null {
    if (!CREDENTIAL_NAME.test(wanted.name)) {
      return 'invalid name: expected 1 to 100 letters, digits and . _ @ : / -';
    }
    const all = this.#known.all();
    if (all.some(({ name, revokedAt }) => revokedAt === null && name === wanted.name)) {
      return `there is a credential named ${wanted.name} already: revoke it, or choose another name`;
    }
    const now = this.#clock.now();
    const live = all.filter((credential) => this.#deadSince(credential) > now).length;
    if (live >= CREDENTIALS_MAX) return `a server has at most ${CREDENTIALS_MAX} valid credentials`;
    return this.#changeProblem(wanted);
  }

  #changeProblem({
    grants,
    expiresAt = null,
  }: {
    readonly grants?: readonly Grant[];
    readonly expiresAt?: Instant | null;
  }): string | null {
    if (grants?.length === 0 || (grants?.length ?? 0) > GRANTS_MAX) {
      return `invalid grants: expected 1 to ${GRANTS_MAX} of them`;
    }
    const pattern = grants?.map((grant) => patternProblem(grant.pattern)).find((p) => p !== null);
    if (pattern !== undefined) return pattern;
    return isExpired(expiresAt, this.#clock.now()) ? 'invalid expiry: expected a time in the future' : null;
  }

  /** Since when it has been good for nothing, or will be. */
  #deadSince(credential: Credential): Instant {
    return credential.revokedAt ?? this.#known.graceUntil(credential) ?? Infinity;
  }

  async #views(credentials: readonly Credential[]): Promise<readonly CredentialView[]> {
    const locks = await locksHeldBy(this.#engine, credentials);
    const uses = await this.#uses.all();
    return credentials.map((credential) =>
      viewOf(credential, {
        graceUntil: this.#known.graceUntil(credential),
        locks: locks.get(credential.id) ?? [],
        lastUse: uses.get(credential.id) ?? null,
      }),
    );
  }
}

/** What the audit log says of what a credential may do. */
function saidOf({ grants, expiresAt }: Pick<Credential, 'grants' | 'expiresAt'>): AuditNote['detail'] {
  return {
    grants: grants.map(({ role, pattern }) => `${role}:${pattern}`).join(' '),
    expires: expiresAt === null ? 'never' : new Date(expiresAt).toISOString(),
  };
}

function viewOf(
  { id, name, grants, createdAt, expiresAt, revokedAt }: Credential,
  more: Pick<CredentialView, 'graceUntil' | 'locks' | 'lastUse'>,
): CredentialView {
  return { id, name, grants, createdAt, expiresAt, revokedAt, ...more };
}
