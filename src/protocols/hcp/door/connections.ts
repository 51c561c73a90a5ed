import { formatAddress, type Address } from '../../../core/address.ts';
import type { Instant, Milliseconds } from '../../../core/instant.ts';
import type { DoorRequest } from '../../door.ts';

/** Locks and releases that are remembered, of all clients together. */
const KNOWN_MAX = 20_000;
/** Terraform sends a release again within seconds. */
const RELEASE_LIFE: Milliseconds = 60_000;

type From = Pick<DoorRequest, 'peer' | 'peerPort' | 'header'>;

/**
 * Which run took which lock. Nothing that a client sends names the lock, but a run has connections of its own. Where a proxy
 * mixes those of several runs nothing is known, and a lock is whoever's that its subject is.
 */
export class Connections {
  readonly #now: () => Instant;
  /** The lock that a connection took or wrote under, by connection and place. */
  readonly #locks = new Map<string, string>();
  /** When a subject released a lock and was not told so. */
  readonly #untold = new Map<string, Instant>();
  /** When a subject broke a lock and was not told so. */
  readonly #untoldBreaks = new Map<string, Instant>();
  /** When a subject last released a lock. */
  readonly #released = new Map<string, Instant>();
  readonly #parked = new Set<string>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** A run was granted a lock, or writes under it. */
  uses(subject: string, from: From, address: Address, lockId: string): void {
    const connection = connectionOf(subject, from);
    if (connection !== null) remember(this.#locks, `${connection}\n${formatAddress(address)}`, lockId);
  }

  /** The lock that this connection's run took there last, whether or not it holds it still; null where that is not known. */
  lockOf(subject: string, from: From, address: Address): string | null {
    const connection = connectionOf(subject, from);
    return connection === null ? null : (this.#locks.get(`${connection}\n${formatAddress(address)}`) ?? null);
  }

  released(subject: string, address: Address): void {
    remember(this.#released, placeOf(subject, address), this.#now());
  }

  /** The answer to a release was lost: it is going to come again, over another connection. */
  untold(subject: string, address: Address): void {
    remember(this.#untold, placeOf(subject, address), this.#now());
  }

  /** The answer to a break-in was lost: it is going to come again. */
  untoldBreak(subject: string, address: Address): void {
    remember(this.#untoldBreaks, placeOf(subject, address), this.#now());
  }

  /** Whether a subject has just released a lock there. */
  hasJustReleased(subject: string, address: Address): boolean {
    return this.#isRecent(this.#released.get(placeOf(subject, address)));
  }

  /** Whether this release is one that comes again because its answer was lost: once. */
  comesAgain(subject: string, address: Address): boolean {
    return this.#takeRecent(this.#untold, placeOf(subject, address));
  }

  /** The same of a break-in. */
  breaksAgain(subject: string, address: Address): boolean {
    return this.#takeRecent(this.#untoldBreaks, placeOf(subject, address));
  }

  /** What a run is known by in line while its request is open: one of its requests at a time. */
  async inLine<T>(
    { subject, lockId }: { readonly subject: string; readonly lockId: string },
    from: From,
    ask: (waiter: string) => Promise<T>,
  ): Promise<T> {
    const known = connectionOf(subject, from) ?? `${subject} ${from.peer}`;
    // A run asks once at a time: two at once are two runs behind one proxy.
    const waiter = this.#parked.has(known) ? lockId : known;
    this.#parked.add(waiter);
    try {
      return await ask(`hcp ${waiter}`);
    } finally {
      this.#parked.delete(waiter);
    }
  }

  #takeRecent(times: Map<string, Instant>, place: string): boolean {
    const at = times.get(place);
    times.delete(place);
    return this.#isRecent(at);
  }

  #isRecent(at: Instant | undefined): boolean {
    return at !== undefined && this.#now() - at <= RELEASE_LIFE;
  }
}

/** null where a proxy says that it speaks for others. */
function connectionOf(subject: string, { peer, peerPort, header }: From): string | null {
  const isProxied = ['forwarded', 'via', 'x-forwarded-for'].some((name) => header(name) !== undefined);
  return isProxied ? null : `${subject} ${peer} ${peerPort}`;
}

function placeOf(subject: string, address: Address): string {
  return `${subject}\n${formatAddress(address)}`;
}

function remember<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > KNOWN_MAX && oldest !== undefined) map.delete(oldest);
}
