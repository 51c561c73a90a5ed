import { fieldOf, parseJson, textOf } from '../../wire/json-value.ts';
import { LOCK_SESSION_NAME, SESSION_TTL_MULTIPLIER } from '../layout.ts';
import type { Keys } from './keys.ts';
import { refusal, type ConsulRequests } from './request.ts';

/** As terraform makes its sessions (`client.go`, `lockSessionTTL` and `lockDelay`). */
const TTL_MS = 15_000;
const LOCK_DELAY = '5s';
/** Twice in a TTL would do; a third time, one of them may fail. */
const RENEW_MS = TTL_MS / 3;

/** A session as Consul lists it. */
export interface SessionFacts {
  readonly id: string;
  readonly name: string;
  /** Whether it ends by itself when nothing renews it. */
  readonly ends: boolean;
}

/** A session of ours, which is kept alive until it is ended. A lock that it holds ends with it. */
export class ConsulSession {
  readonly id: string;
  readonly #requests: ConsulRequests;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #renewedAt = performance.now();
  #watched: { readonly keys: Keys; readonly key: string } | null = null;

  private constructor(requests: ConsulRequests, id: string) {
    this.#requests = requests;
    this.id = id;
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS);
    this.#timer.unref();
  }

  /** A Statehouse server takes requests of one connection for those of one run: each session is of an attempt of its own. */
  static async create(requests: ConsulRequests): Promise<ConsulSession> {
    const wanted = { Name: LOCK_SESSION_NAME, TTL: `${TTL_MS / 1_000}s`, LockDelay: LOCK_DELAY };
    const body = Buffer.from(JSON.stringify(wanted));
    const reply = await requests.send({ method: 'PUT', path: 'session/create', body, alone: true });
    const id = textOf(parseJson(reply.body), 'ID');
    if (reply.status !== 200 || id === null) throw refusal(reply, 'make a session');
    return new ConsulSession(requests, id);
  }

  /** Goes on with a session that another process has made. @returns null where it has ended */
  static async adopt(requests: ConsulRequests, id: string): Promise<ConsulSession | null> {
    return (await renew(requests, id)) ? new ConsulSession(requests, id) : null;
  }

  /** Aborted when the session has ended, or when it no longer holds what it {@link holds}. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** From now on it is looked whether the session holds that key. */
  holds(keys: Keys, key: string): void {
    this.#watched = { keys, key };
  }

  /** Ends it, and what it holds. A session that is gone already does no harm. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await destroySession(this.#requests, this.id);
  }

  async #renew(): Promise<void> {
    try {
      if (!(await renew(this.#requests, this.id))) return this.#end();
      this.#renewedAt = performance.now();
      const watched = this.#watched;
      const there = watched === null ? null : await watched.keys.get(watched.key);
      if (watched !== null && this.#watched === watched && there?.session !== this.id) this.#end();
    } catch {
      // Consul does not answer: by now it has ended the session, too.
      if (performance.now() - this.#renewedAt > TTL_MS * SESSION_TTL_MULTIPLIER) this.#end();
    }
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#lost.abort();
  }
}

/** Ends a session whosoever it is, and what it holds: `terraform force-unlock`. */
export async function destroySession(requests: ConsulRequests, id: string): Promise<void> {
  const path = `session/destroy/${encodeURIComponent(id)}`;
  const reply = await requests.send({ method: 'PUT', path });
  // A session that is gone is what was wanted; a Statehouse server says that there is none, Consul does not.
  if (reply.status !== 200 && reply.status !== 404) throw refusal(reply, `end the session ${id}`);
}

/** All sessions that may be seen; null where asking is not allowed. */
export async function listSessions(requests: ConsulRequests): Promise<readonly SessionFacts[] | null> {
  const reply = await requests.send({ method: 'GET', path: 'session/list' });
  const answer = parseJson(reply.body);
  if (reply.status !== 200 || !Array.isArray(answer)) return null;
  return answer.map((item) => ({
    id: textOf(item, 'ID') ?? '',
    name: textOf(item, 'Name') ?? '',
    ends: !['', '0s'].includes(String(fieldOf(item, 'TTL') ?? '')),
  }));
}

/** @returns whether the session lives */
async function renew(requests: ConsulRequests, id: string): Promise<boolean> {
  // What is no ID is not sent where it would be a part of the path.
  if (!/^[0-9a-f-]{1,64}$/i.test(id)) return false;
  const reply = await requests.send({ method: 'PUT', path: `session/renew/${id}` });
  if (reply.status === 200) return true;
  if (reply.status === 404) return false;
  throw refusal(reply, `renew the session ${id}`);
}
