import type { IncomingMessage, ServerResponse } from 'node:http';
import { networkOf } from '../core/network.ts';
import { Budget } from '../house/budget.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { Peers } from './peer.ts';
import { Strangers } from './strangers.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Bytes of small bodies that are in memory until their requests are answered, states not among them. */
const SMALL_BODY_BYTES = 128 * 1024 * 1024;
/** What one network address may hold of them: for most of them nobody knows yet who sent them. */
const SMALL_BODY_PEER_SHARE = 1 / 8;
/** How many seconds' requests may come at once. */
const BURST_SECONDS = 20;
/** A network address may be that of many clients, behind one gateway. */
const PEER_FACTOR = 4;

/** What there is to say about how much may come. */
export interface TrafficSettings {
  /** Requests a second of one credential, 0 for no limit. */
  readonly requestRate: number;
  /** Networks of reverse proxies that are believed about whom they were asked by. */
  readonly trustedProxies: readonly string[];
}

/** Keeps each network address and each credential from taking the whole server: in requests a second, and in bytes of small bodies. */
export class Traffic {
  readonly peers: Peers;
  readonly strangers: Strangers;
  readonly #small = new Budget({
    max: SMALL_BODY_BYTES,
    subjectMax: SMALL_BODY_BYTES,
    peerMax: SMALL_BODY_BYTES * SMALL_BODY_PEER_SHARE,
  });
  readonly #ofPeers: TokenBuckets;
  readonly #ofSubjects: TokenBuckets;

  constructor({ requestRate, trustedProxies }: TrafficSettings, parts: { clock: Clock; log: Log }) {
    this.peers = new Peers(trustedProxies);
    this.strangers = new Strangers(parts);
    const bucketsOf = (rate: number): TokenBuckets =>
      new TokenBuckets({ rate, burst: rate * BURST_SECONDS, clock: parts.clock });
    this.#ofPeers = bucketsOf(requestRate * PEER_FACTOR);
    this.#ofSubjects = bucketsOf(requestRate);
  }

  /** Where a request came from. */
  peerOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const { 'x-forwarded-for': forwarded } = headers;
    return this.peers.of(
      socket.remoteAddress ?? '',
      Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
    );
  }

  /** Whether a request came encrypted to us, or to the proxy that is trusted about whom it was asked by. */
  isSecure({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
    if ('encrypted' in socket) return true;
    const { 'x-forwarded-proto': forwarded } = headers;
    return forwarded === 'https' && this.peers.isTrusted(socket.remoteAddress ?? '');
  }

  /** Counts a request of a network address. @returns null, or after how many seconds it may come again */
  admitPeer(peer: string): number | null {
    return wholeSeconds(this.#ofPeers.take(networkOf(peer)));
  }

  /** The same of a credential, once it is known whose request it is. */
  admitSubject(subject: string): number | null {
    return wholeSeconds(this.#ofSubjects.take(subject));
  }

  /** Bytes that are held of small bodies. */
  get smallBodyBytes(): number {
    return this.#small.held;
  }

  /** Room for the small body of a request, until it is answered. */
  roomFor(peer: string, response: ServerResponse): (bytes: number) => boolean {
    let holding: ReturnType<Budget['begin']> | null = null;
    return (bytes) => {
      if (response.destroyed) return false;
      if (holding === null) {
        const begun = this.#small.begin({ peer });
        holding = begun;
        response.once('close', () => begun.release());
      }
      return holding.take(bytes);
    };
  }
}

function wholeSeconds(seconds: number | null): number | null {
  return seconds === null ? null : Math.max(1, Math.ceil(seconds));
}
