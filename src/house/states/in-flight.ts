import type { Caller } from '../caller.ts';

/** What one subject may hold of the whole. */
const SUBJECT_SHARE = 1 / 4;
/** What one network address may hold: more than any subject's share, since a proxy makes all clients one address. */
const PEER_SHARE = 3 / 4;

/**
 * What all bodies that are coming in may hold at a time, in bytes that have come: an announcement takes nothing.
 * Nobody may hold it all: each subject and each network address has a share. A share is never smaller than the largest
 * body, so that one of these always fits into it.
 */
export class InFlightBudget {
  readonly #whole: Account;
  readonly #subjects: Accounts;
  readonly #peers: Accounts;

  /**
   * @param max bytes of all bodies together; a body that is alone may be larger
   * @param bodyMax bytes of the largest body
   */
  constructor({ max, bodyMax }: { max: number; bodyMax: number }) {
    this.#whole = new Account(max);
    this.#subjects = new Accounts(Math.max(max * SUBJECT_SHARE, bodyMax));
    this.#peers = new Accounts(Math.max(max * PEER_SHARE, bodyMax));
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#whole.held;
  }

  /** Begins a body, which holds nothing yet. Whoever begins it must release it, whatever becomes of it. */
  begin({ identity: { subject }, peer }: Caller): InFlightBody {
    const accounts = [this.#whole, this.#subjects.enter(subject)];
    if (peer !== undefined) accounts.push(this.#peers.enter(peer));
    return new InFlightBody(accounts, () => {
      this.#subjects.leave(subject);
      if (peer !== undefined) this.#peers.leave(peer);
    });
  }
}

/** One body while it comes in. */
class InFlightBody {
  readonly #accounts: readonly Account[];
  readonly #leave: () => void;
  #held = 0;
  #released = false;

  /** Made by {@link InFlightBudget.begin} alone. */
  constructor(accounts: readonly Account[], leave: () => void) {
    this.#accounts = accounts;
    this.#leave = leave;
  }

  /** Holds so many bytes more; false, and holds no more than before, where there is no room for them. */
  take(bytes: number): boolean {
    // What holds all that is held is alone, and is taken, so that the bound can be smaller than the largest body.
    const fits = this.#accounts.every(({ held, max }) => held === this.#held || held + bytes <= max);
    if (!fits) return false;
    for (const account of this.#accounts) account.held += bytes;
    this.#held += bytes;
    return true;
  }

  /** Gives back all that it holds. It can be called twice. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const account of this.#accounts) account.held -= this.#held;
    this.#held = 0;
    this.#leave();
  }
}

/** Bytes that are held of a bound. */
class Account {
  readonly max: number;
  held = 0;
  /** Bodies that hold of it, or may. */
  bodies = 0;

  constructor(max: number) {
    this.max = max;
  }
}

/** Accounts by name, each kept for as long as a body has it open. */
class Accounts {
  readonly #max: number;
  readonly #open = new Map<string, Account>();

  constructor(max: number) {
    this.#max = max;
  }

  enter(name: string): Account {
    const account = this.#open.get(name) ?? new Account(this.#max);
    account.bodies += 1;
    this.#open.set(name, account);
    return account;
  }

  leave(name: string): void {
    const account = this.#open.get(name);
    if (account === undefined) return;
    account.bodies -= 1;
    if (account.bodies === 0) this.#open.delete(name);
  }
}
