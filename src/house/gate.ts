import {
  knowsProject,
  mayActInProject,
  mayActOn,
  mayActOnHouse,
  mayActSomewhere,
  mayBeInGrace,
  namePrefixes,
  type Action,
} from '../core/access.ts';
import { ACTIONS } from '../core/action.ts';
import type { Address } from '../core/address.ts';
import { bringsHome, isExpired, type Grant, type Identity } from '../core/grant.ts';
import type { Instant } from '../core/instant.ts';
import type { Expired } from '../core/outcome.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Caller, Forbidden, Revoked, Shut } from './caller.ts';
import type { KnownCredentials } from './identity/known-credentials.ts';

const REVOKED: Revoked = { type: 'revoked' };

/** What takes a while to be done for somebody. */
export interface AtWork {
  readonly action: Action;
  readonly address: Address;
}

/**
 * The one gate of the house: nothing is shown or done but to whom it lets through. It alone asks what a role allows, and
 * with every such question whether the credential has been revoked or has expired, so that no part can forget to.
 */
export class Gate {
  readonly #engine: Pick<Engine, 'world'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #credentials: Pick<KnownCredentials, 'isOvertaken' | 'look' | 'watch'>;

  constructor(options: {
    engine: Pick<Engine, 'world'>;
    clock: Pick<Clock, 'now'>;
    credentials: Pick<KnownCredentials, 'isOvertaken' | 'look' | 'watch'>;
  }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#credentials = options.credentials;
  }

  /**
   * Why a caller may not do this to an address; null if it may. Past its expiry it may only bring home what it took the
   * lock of before.
   */
  async on(caller: Caller, action: Action, address: Address): Promise<Shut | null> {
    const refusal = this.onForRules(caller, action, address);
    if (refusal !== null) return refusal;
    const { subject, expiry } = caller.identity;
    const now = this.#clock.now();
    if (expiry === undefined || !isExpired(expiry.at, now)) return null;
    if (now >= expiry.graceUntil) return { type: 'expired', graceOver: true };
    if (!mayBeInGrace(action)) return { type: 'expired' };
    const { holders } = await this.#engine.world(address);
    const holds = holders.some((holder) => holder.subject === subject && bringsHome(expiry, holder.since));
    return holds ? null : { type: 'expired' };
  }

  /**
   * The same for what is given to the rules at once: they look at the expiry themselves, in the transaction that decides
   * (`core/rules/grace.ts`).
   */
  onForRules(caller: Caller, action: Action, address: Address): Forbidden | Revoked | null {
    if (this.#isRevoked(caller.identity, { action, address })) return REVOKED;
    return mayActOn(caller.identity.grants, action, address) ? null : forbidden(caller, action, address);
  }

  /** Why a caller may not do this to the house as a whole; null if it may. */
  inHouse(caller: Caller, action: Action): Shut | null {
    const shut = this.known(caller.identity);
    if (shut !== null) return shut;
    return mayActOnHouse(caller.identity.grants, action) ? null : forbidden(caller, action, null);
  }

  /** Why a caller may not do this at any address of a project; null if there may be one where it may. */
  inProject(caller: Caller, action: Action, project: string): Shut | null {
    const shut = this.known(caller.identity);
    if (shut !== null) return shut;
    if (mayActInProject(caller.identity.grants, action, project)) return null;
    return forbidden(caller, action, { project, key: '*', workspace: '*' });
  }

  /** Why a caller may not do this at each address that a project can have; null if it may. */
  inAllOf(caller: Caller, action: Action, project: string): Shut | null {
    const shut = this.known(caller.identity);
    if (shut !== null) return shut;
    // A "*" of an address is fitted by a "*" of a pattern alone.
    const all = { project, key: '*', workspace: '*' };
    return mayActOn(caller.identity.grants, action, all) ? null : forbidden(caller, action, all);
  }

  /** Why a caller may not do this at any address; null if there may be one where it may. */
  somewhere(caller: Caller, action: Action): Shut | null {
    const shut = this.known(caller.identity);
    if (shut !== null) return shut;
    return mayActSomewhere(caller.identity.grants, action) ? null : forbidden(caller, action, null);
  }

  /** Why somebody may not do even what needs no right; null for whoever is known and has not expired. */
  known(identity: Identity): Expired | Revoked | null {
    if (this.#isRevoked(identity)) return REVOKED;
    const { expiry } = identity;
    const now = this.#clock.now();
    if (expiry === undefined || !isExpired(expiry.at, now)) return null;
    return now >= expiry.graceUntil ? { type: 'expired', graceOver: true } : { type: 'expired' };
  }

  /** Whether somebody who was let in may be shown this of an address: what a list is filtered by. */
  shows(identity: Identity, action: Action, address: Address): boolean {
    return this.known(identity) === null && mayActOn(identity.grants, action, address);
  }

  /** Whether somebody who was let in may be shown this of a project. */
  showsProject(identity: Identity, action: Action, project: string): boolean {
    return this.known(identity) === null && mayActInProject(identity.grants, action, project);
  }

  /** Whether a grant of somebody who was let in names or covers a project, so that its name tells nothing new. */
  knowsProject(identity: Identity, action: Action, project: string): boolean {
    return this.known(identity) === null && knowsProject(identity.grants, action, project);
  }

  /** The rights that somebody who was let in has on the house as a whole, and those that it has on something at least. */
  rights(identity: Identity): {
    readonly onServer: readonly Action[];
    readonly somewhere: readonly Action[];
  } {
    const rights = this.known(identity) === null ? ACTIONS : [];
    return {
      onServer: rights.filter((action) => mayActOnHouse(identity.grants, action)),
      somewhere: rights.filter((action) => mayActSomewhere(identity.grants, action)),
    };
  }

  /** What grants allow at an address, and which of them. */
  may(
    grants: readonly Grant[],
    address: Address,
  ): { readonly actions: readonly Action[]; readonly by: readonly Grant[] } {
    return {
      actions: ACTIONS.filter((action) => mayActOn(grants, action, address)),
      by: grants.filter((grant) => ACTIONS.some((action) => mayActOn([grant], action, address))),
    };
  }

  /** What the names of all that somebody may be shown this of begin with; of the rest nothing need be looked at. */
  reach(identity: Identity, action: Action): readonly string[] {
    return this.known(identity) === null ? namePrefixes(identity.grants, action) : [];
  }

  /** Whether what ends then has ended. */
  isOver(expiresAt: Instant | null): boolean {
    return isExpired(expiresAt, this.#clock.now());
  }

  /**
   * Looks at a caller's credential once more, just before what took a while is done for it.
   * @param work what that is; absent where all that it might do counts
   * @returns null if it may do so still
   */
  async again(caller: Caller, work?: AtWork): Promise<Revoked | null> {
    await this.#credentials.look();
    return this.#isRevoked(caller.identity, work) ? REVOKED : null;
  }

  /**
   * Tells once when somebody's credential is revoked, or restricted so that it may not do this any more: at once where that is
   * done here, within two seconds elsewhere.
   * @returns a function that ends it
   */
  watch(identity: Identity, revoked: () => void, work?: AtWork): () => void {
    const { credentialId } = identity;
    if (credentialId === undefined) return () => undefined;
    let end: () => void = () => undefined;
    const look = (): void => {
      if (!this.#isRevoked(identity, work)) return;
      end();
      revoked();
    };
    end = this.#credentials.watch(credentialId, look);
    look();
    return end;
  }

  /**
   * Takes what a caller sends for as long as its credential is good for it: the stream breaks off when it is not any more.
   * @param take reads the stream
   * @returns what `take` made of it, unless the credential was revoked or restricted meanwhile
   */
  async whileGood<T>(
    caller: Caller,
    work: AtWork,
    stream: AsyncIterable<Uint8Array>,
    take: (stream: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T | Revoked> {
    let cut: BrokenOff | null = null;
    let breakOff: (fault: BrokenOff) => void = () => undefined;
    const broken = new Promise<never>((_resolve, reject) => {
      breakOff = reject;
    });
    broken.catch(() => undefined);
    // An error is dear to make, and nearly no stream needs it.
    const end = this.watch(caller.identity, () => breakOff((cut = new BrokenOff())), work);
    try {
      const taken = await take(until(broken, stream));
      return (await this.again(caller, work)) ?? taken;
    } catch (fault) {
      if (cut !== null && fault === cut) return REVOKED;
      throw fault;
    } finally {
      end();
    }
  }

  #isRevoked(identity: Identity, work?: AtWork): boolean {
    if (work === undefined) return this.#credentials.isOvertaken(identity);
    const { action, address } = work;
    return this.#credentials.isOvertaken(identity, (grants) => mayActOn(grants, action, address));
  }
}

/** What a stream fails with whose sender's credential was revoked. */
class BrokenOff extends Error {}

/** A stream that fails as soon as `broken` does, even while nothing comes. */
async function* until(broken: Promise<never>, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([chunks.next(), broken]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // A sender that is silent is not waited for.
    chunks.return?.().catch(() => undefined);
  }
}

function forbidden({ identity: { subject } }: Caller, action: Action, address: Address | null): Forbidden {
  return { type: 'forbidden', subject, action, address };
}
