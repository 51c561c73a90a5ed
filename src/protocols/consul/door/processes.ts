import type { DoorRequest } from '../../door.ts';

/** Connections and sessions that are remembered, of all clients together. */
const KNOWN_MAX = 20_000;

/**
 * Which requests come from one run of a program. Terraform makes a session for each of its attempts, so no session says that it
 * has waited before; but a run's connections are its own, and whoever renews a session is the one that made it. Where a proxy
 * mixes the connections of several, they are taken for one and lose at most their places in line.
 */
export class Processes {
  readonly #connections = new Map<string, string>();
  readonly #sessions = new Map<string, string>();
  /** Those whose request for a lock is held open. */
  readonly #parked = new Set<string>();
  /** The session by which a process was granted the lock of an address, until it releases it itself. */
  readonly #holds = new Map<string, string>();
  /** Sessions that another process has destroyed. */
  readonly #broken = new Map<string, string>();

  /** The process that a request comes from, as far as it is known. */
  of(subject: string, request: Pick<DoorRequest, 'peer' | 'peerPort'>): string {
    const connection = connectionOf(subject, request);
    return this.#connections.get(connection) ?? connection;
  }

  /** A request has shown that its process is the one that made a session. */
  shows(sessionId: string, subject: string, request: Pick<DoorRequest, 'peer' | 'peerPort'>): void {
    const known = this.#sessions.get(sessionId);
    if (known === undefined) remember(this.#sessions, sessionId, this.of(subject, request));
    else remember(this.#connections, connectionOf(subject, request), known);
  }

  /** A session's process was granted the lock of an address. */
  granted(sessionId: string, address: string): void {
    remember(this.#holds, this.#holdOf(sessionId, address), sessionId);
  }

  /** It has released that lock itself. */
  released(sessionId: string, address: string): void {
    this.#holds.delete(this.#holdOf(sessionId, address));
  }

  /** The session by which the same process held that lock before, and did not release it; null for none. */
  heldBefore(sessionId: string, address: string): string | null {
    const before = this.#holds.get(this.#holdOf(sessionId, address)) ?? sessionId;
    return before === sessionId ? null : before;
  }

  /** A session was destroyed: by hand, if by another process than its own. */
  destroyed(sessionId: string, subject: string, request: Pick<DoorRequest, 'peer' | 'peerPort'>): void {
    const own = this.#sessions.get(sessionId);
    if (own !== undefined && own !== this.of(subject, request)) remember(this.#broken, sessionId, own);
  }

  /** Whether another process has destroyed a session. */
  isBroken(sessionId: string): boolean {
    return this.#broken.has(sessionId);
  }

  #holdOf(sessionId: string, address: string): string {
    return `${this.#sessions.get(sessionId) ?? sessionId}\n${address}`;
  }

  /** What a session's process is known by in line while its request is open: one of its requests at a time. */
  async inLine<T>(sessionId: string, ask: (waiter: string) => Promise<T>): Promise<T> {
    const known = this.#sessions.get(sessionId) ?? sessionId;
    // A run makes one attempt at a time: two at once are two runs behind one proxy.
    const waiter = this.#parked.has(known) ? sessionId : known;
    this.#parked.add(waiter);
    try {
      return await ask(`consul ${waiter}`);
    } finally {
      this.#parked.delete(waiter);
    }
  }
}

function connectionOf(subject: string, { peer, peerPort }: Pick<DoorRequest, 'peer' | 'peerPort'>): string {
  return `${subject} ${peer} ${peerPort}`;
}

function remember(map: Map<string, string>, name: string, value: string): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > KNOWN_MAX && oldest !== undefined) map.delete(oldest);
}
