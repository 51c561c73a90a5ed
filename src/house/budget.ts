import type { Identity } from '../core/grant.ts';
import { networkOf } from '../core/network.ts';

/** What one subject may hold of a whole. */
const SUBJECT_SHARE = 1 / 4;
/** What one network address may hold: more than any subject's share, since a proxy makes all clients one address. */
const PEER_SHARE = 3 / 4;

/** Who holds something of a budget. Without an identity it is somebody who has not shown who it is. */
export interface Payer {
  readonly identity?: Pick<Identity, 'subject'>;
  /** The network address, where there is one. */
  readonly peer?: string;
}

/** How much of something all may hold together, and each. */
export interface BudgetLimits {
  readonly max: number;
  readonly subjectMax: number;
  readonly peerMax: number;
}

/**
 * The limits of a whole with the usual shares.
 * @param least a share is never smaller than this, so that one thing of that size always fits into it
 */
export function sharesOf(max: number, least = 1): BudgetLimits {
  return {
    max,
    subjectMax: Math.max(Math.floor(max * SUBJECT_SHARE), least),
    peerMax: Math.max(Math.floor(max * PEER_SHARE), least),
  };
}

/**
 * Something of which there is not enough for all, such as bytes in memory or event streams. Nobody may hold it all: each
 * subject and each network address has a share. Only those who hold something are kept, so it is no larger than the whole.
 */
export class Budget {
  readonly #whole: Account;
  readonly #subjects: Accounts;
  readonly #peers: Accounts;

  constructor({ max, subjectMax, peerMax }: BudgetLimits) {
    this.#whole = new Account(max);
    this.#subjects = new Accounts(subjectMax);
    this.#peers = new Accounts(peerMax);
  }

  /** What is held now. */
  get held(): number {
    return this.#whole.held;
  }

  /** Begins something, which holds nothing yet. Whoever begins it must release it, whatever becomes of it. */
  begin({ identity, peer }: Payer): Holding {
    const network = peer === undefined ? undefined : networkOf(peer);
    const accounts = [this.#whole];
    if (identity !== undefined) accounts.push(this.#subjects.enter(identity.subject));
    if (network !== undefined) accounts.push(this.#peers.enter(network));
    return new Holding(accounts, () => {
      if (identity !== undefined) this.#subjects.leave(identity.subject);
      if (network !== undefined) this.#peers.leave(network);
    });
  }
}

/** What one of them holds. */
class Holding {
  readonly #accounts: readonly Account[];
  readonly #leave: () => void;
  #held = 0;
  #released = false;

  /** Made by {@link Budget.begin} alone. */
  constructor(accounts: readonly Account[], leave: () => void) {
    this.#accounts = accounts;
    this.#leave = leave;
  }

  /** Holds so much more; false, and holds no more than before, where there is no room for it. */
  take(amount: number): boolean {
    // What holds all that is held is alone, and is taken, so that the whole can be smaller than the largest thing.
    const fits = this.#accounts.every(({ held, max }) => held === this.#held || held + amount <= max);
    if (!fits || this.#released) return false;
    for (const account of this.#accounts) account.held += amount;
    this.#held += amount;
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

/** How much is held of a bound. */
class Account {
  readonly max: number;
  held = 0;
  /** How many hold of it, or may. */
  open = 0;

  constructor(max: number) {
    this.max = max;
  }
}

/** Accounts by name, each kept for as long as somebody has it open. */
class Accounts {
  readonly #max: number;
  readonly #open = new Map<string, Account>();

  constructor(max: number) {
    this.#max = max;
  }

  enter(name: string): Account {
    const account = this.#open.get(name) ?? new Account(this.#max);
    account.open += 1;
    this.#open.set(name, account);
    return account;
  }

  leave(name: string): void {
    const account = this.#open.get(name);
    if (account === undefined) return;
    account.open -= 1;
    if (account.open === 0) this.#open.delete(name);
  }
}
