import { createHash } from 'node:crypto';
import { areWithin } from '../../core/access.ts';
import type { Credential } from '../../core/credential.ts';
import { isExpired, type Grant, type Identity } from '../../core/grant.ts';
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

  /**
   * Whether somebody who was let in has more than its credential gives by now, as last read: that was revoked, or restricted.
   * @param still whether grants allow what is under way: then that alone counts, and it may come to its end before the new expiry
   */
  isOvertaken(
    { credentialId, grants, expiry }: Identity,
    still: ((grants: readonly Grant[]) => boolean) | null = null,
  ): boolean {
    if (credentialId === undefined) return false;
    const now = this.#held.get(credentialId)?.credential;
    if (now === undefined || now.revokedAt !== null) return true;
    const endsSooner = now.expiresAt !== null && now.expiresAt < (expiry?.at ?? Infinity);
    if (endsSooner && (still === null || isExpired(now.expiresAt, this.#clock.now()))) return true;
    if (grants === now.grants) return false;
    return still === null ? !areWithin(grants, now.grants) : !still(now.grants);
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
   * Tells each time that a credential has changed, or is gone.
   * @returns a function that ends it
   */
  watch(id: string, changed: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(changed));
    this.#watch();
    return () => {
      watchers.delete(changed);
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
      if (known !== undefined && isSame(known.credential, credential)) return [credential.id, known];
      const secret =
        known?.secret ??
        Buffer.from(this.#sealer.open(credential.sealedSecret, credentialContext(credential.id))).toString();
      return [credential.id, { credential, secret, secretDigest: known?.secretDigest ?? digest(secret) }];
    });
    this.#held = new Map(held);
    this.#named = byName(this.all().filter(({ revokedAt }) => revokedAt === null));
    this.#readAt = at;
    this.#readTook = this.#clock.now() - at;
    this.#tell(before);
  }

  #tell(before: ReadonlyMap<string, Held>): void {
    for (const [id, watchers] of this.#watchers)
      if (this.#held.get(id) !== before.get(id)) for (const changed of watchers) changed();
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

/** Whether it says the same as it did, but for its secret. */
function isSame(a: Credential, b: Credential): boolean {
  const sameGrants =
    a.grants.length === b.grants.length &&
    a.grants.every(
      ({ role, pattern }, at) => role === b.grants[at]?.role && pattern === b.grants[at].pattern,
    );
  return sameGrants && a.name === b.name && a.expiresAt === b.expiresAt && a.revokedAt === b.revokedAt;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
