import { createHash } from 'node:crypto';
import type { Credential } from '../../core/credential.ts';
import type { Identity } from '../../core/grant.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import { subjectOf } from '../../core/subject.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { REFRESH_MS, SharedRun } from '../shared-run.ts';

/** How old a read may grow while somebody waits to be told of a revocation: with the read itself, less than two seconds. */
const WATCH_MS: Milliseconds = 1_500;

/** How old a read is at the most which says that an id is nobody's: another node may have made it just now. */
const UNKNOWN_MS: Milliseconds = 250;
/** Strangers who guess ids may have a read follow the last one after this many times what that took: a tenth of the time. */
const UNKNOWN_PAUSE = 10;

/** A credential that is not revoked, with the secret that signatures are made with. */
export interface KnownCredential {
  readonly identity: Identity;
  readonly secret: string;
  /** The SHA-256 of the secret. */
  readonly secretDigest: Uint8Array;
}

interface Held {
  readonly credential: Credential;
  readonly secret: string;
  readonly secretDigest: Uint8Array;
}

/**
 * The credentials as this node knows them: all are held in memory; on many nodes they are read again every two seconds, and
 * where an id is asked for that is not among them, by one read however many ask.
 */
export class KnownCredentials {
  readonly #engine: Pick<Engine, 'traits' | 'credentials'>;
  readonly #sealer: Pick<Sealer, 'open'>;
  readonly #clock: Clock;
  readonly #grace: Milliseconds;
  readonly #reading = new SharedRun(() => this.#read());
  readonly #watchers = new Map<string, Set<() => void>>();
  #held: ReadonlyMap<string, Held> = new Map();
  /** The credentials of each name that are not revoked. */
  #named: ReadonlyMap<string, readonly Credential[]> = new Map();
  #readAt: Instant = -Infinity;
  /** How long the last read took. */
  #readTook: Milliseconds = 0;
  #cancel: (() => void) | null = null;

  /** @param grace how long after its expiry a credential may bring home what it holds a lock for */
  constructor(options: {
    engine: Pick<Engine, 'traits' | 'credentials'>;
    sealer: Pick<Sealer, 'open'>;
    clock: Clock;
    grace: Milliseconds;
  }) {
    this.#engine = options.engine;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#grace = options.grace;
  }

  /** The credential of this id, if it is known and not revoked; an expired one is given too. */
  async find(id: string): Promise<KnownCredential | null> {
    await this.look();
    const pause = Math.max(UNKNOWN_MS, UNKNOWN_PAUSE * this.#readTook);
    if (!this.#held.has(id) && this.#isOlderThan(pause)) await this.#reading.join();
    const held = this.#held.get(id);
    if (held === undefined || held.credential.revokedAt !== null) return null;
    const { credential, secret, secretDigest } = held;
    return { identity: this.#identityOf(credential), secret, secretDigest };
  }

  /** Whom the credential of this name stands for, if it is not revoked; of two, no one knows, so it is nobody. */
  async findByName(name: string): Promise<Identity | null> {
    await this.look();
    const [credential, ...others] = this.#named.get(name) ?? [];
    return credential === undefined || others.length > 0 ? null : this.#identityOf(credential);
  }

  /** Whether there is a credential of this id; null for none. */
  async standing(id: string): Promise<'live' | 'revoked' | null> {
    await this.look();
    const held = this.#held.get(id);
    if (held === undefined) return null;
    return held.credential.revokedAt === null ? 'live' : 'revoked';
  }

  /** All of them, as last read. */
  all(): readonly Credential[] {
    return [...this.#held.values()].map(({ credential }) => credential);
  }

  /** One of them, as last read. */
  get(id: string): Credential | undefined {
    return this.#held.get(id)?.credential;
  }

  /** When the grace of a credential ends; null for one that does not expire. */
  graceUntil({ expiresAt }: Pick<Credential, 'expiresAt'>): Instant | null {
    return expiresAt === null ? null : expiresAt + this.#grace;
  }

  /** Whether a credential that was known is so no more, as last read. */
  isRevoked(id: string): boolean {
    const held = this.#held.get(id);
    return held === undefined || held.credential.revokedAt !== null;
  }

  /** Sees to it that what is known is no older than two seconds. */
  async look(): Promise<void> {
    if (this.#isStale()) await this.#reading.join();
  }

  /** Reads all credentials anew, as after a rotation of the master key. */
  async refresh(): Promise<void> {
    await this.#reading.run();
  }

  /**
   * Tells once when a credential is revoked.
   * @returns a function that ends it
   */
  watch(id: string, revoked: () => void): () => void {
    if (this.isRevoked(id)) {
      revoked();
      return () => undefined;
    }
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(revoked));
    this.#watch();
    return () => {
      watchers.delete(revoked);
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
      if (this.#watchers.size > 0) return;
      this.#cancel?.();
      this.#cancel = null;
    };
  }

  /** Looks again and again while somebody waits to be told; where no other node can revoke, nothing need be looked at. */
  #watch(): void {
    if (!this.#engine.traits.shared || this.#cancel !== null || this.#watchers.size === 0) return;
    const age = this.#clock.now() - this.#readAt;
    this.#cancel = this.#clock.after(Math.min(WATCH_MS, Math.max(0, WATCH_MS - age)), () => {
      this.#cancel = null;
      // Where the engine cannot be read now, the next look may find it again.
      const look = this.#reading
        .join()
        .catch(() => new Promise<void>((go) => this.#clock.after(WATCH_MS, go)));
      void look.then(() => this.#watch());
    });
  }

  #identityOf({ id, name, grants, expiresAt }: Credential): Identity {
    return {
      subject: subjectOf('token', name),
      grants,
      credentialId: id,
      ...(expiresAt === null ? {} : { expiry: { at: expiresAt, graceUntil: expiresAt + this.#grace } }),
    };
  }

  #isStale(): boolean {
    return this.#readAt === -Infinity || this.#isOlderThan(REFRESH_MS);
  }

  /** Whether another node may have changed something since. */
  #isOlderThan(age: Milliseconds): boolean {
    return this.#engine.traits.shared && this.#clock.now() - this.#readAt > age;
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
    this.#named = byName(this.all().filter(({ revokedAt }) => revokedAt === null));
    this.#readAt = at;
    this.#readTook = this.#clock.now() - at;
    this.#tell();
  }

  #tell(): void {
    for (const [id, watchers] of this.#watchers) {
      if (!this.isRevoked(id)) continue;
      this.#watchers.delete(id);
      for (const revoked of watchers) revoked();
    }
  }
}

/** What a credential's sealing is bound to. */
export function credentialContext(id: string): string {
  return `credential ${id}`;
}

function byName(credentials: readonly Credential[]): ReadonlyMap<string, readonly Credential[]> {
  const named = new Map<string, Credential[]>();
  for (const credential of credentials) {
    const others = named.get(credential.name);
    if (others === undefined) named.set(credential.name, [credential]);
    else others.push(credential);
  }
  return named;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
