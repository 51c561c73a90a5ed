import type { BackendFault } from '../../../ports/state-client.ts';
import { fieldOf, listOf, parseJson, textOf } from '../../wire/json-value.ts';
import { LOCK_FLAGS } from '../layout.ts';
import { keyPath, refusal, type ConsulReply, type ConsulRequests } from './request.ts';

/** A key as Consul keeps it. */
export interface Pair {
  readonly value: Uint8Array;
  /** Grows with each change of the key; what a write is compared with. */
  readonly index: number;
  /** The session that holds it; null for none. */
  readonly session: string | null;
  /** Whether Go's client made it as a lock. */
  readonly isLock: boolean;
}

/** What came of a transaction that writes one key. */
export type Written =
  | { readonly type: 'written' }
  /** What was expected is not there. */
  | { readonly type: 'changed'; readonly fault: BackendFault; readonly resent: boolean }
  | { readonly type: 'too-large'; readonly fault: BackendFault };

/** The calls of Consul's API for keys. */
export class Keys {
  readonly #requests: ConsulRequests;

  constructor(requests: ConsulRequests) {
    this.#requests = requests;
  }

  /** A key as it is now, by the leader's word; null where there is none. */
  async get(key: string): Promise<Pair | null> {
    const { pair } = await this.#look(key, { consistent: '' }, {});
    return pair;
  }

  /** Waits until a key has another index than that, at most so many milliseconds. */
  async change(key: string, index: string, milliseconds: number, signal: AbortSignal | null): Promise<void> {
    const wait = `${Math.max(1, Math.ceil(milliseconds))}ms`;
    await this.#look(key, { index, wait }, { waits: milliseconds, signal });
  }

  /** A key, and the index by which its next change can be waited for. */
  async watch(key: string): Promise<{ readonly pair: Pair | null; readonly index: string }> {
    return this.#look(key, { consistent: '' }, {});
  }

  /** The keys that begin so, up to the next slash. */
  async list(prefix: string): Promise<readonly string[]> {
    const query = { keys: '', separator: '/' };
    const reply = await this.#requests.send({ method: 'GET', path: keyPath(prefix), query });
    if (reply.status === 404) return [];
    const answer = parseJson(reply.body);
    if (reply.status !== 200 || !Array.isArray(answer)) throw refusal(reply, `list ${prefix}`);
    return answer.filter((name): name is string => typeof name === 'string');
  }

  /** @returns the refusal of a value that is too large or of a kind that the server does not take; null when it is kept */
  async put(key: string, value: Uint8Array): Promise<BackendFault | null> {
    const reply = await this.#requests.send({ method: 'PUT', path: keyPath(key), body: value });
    if (isTrue(reply)) return null;
    const fault = refusal(reply, `write ${key}`);
    if (reply.status === 413 || reply.status === 501) return fault;
    throw fault;
  }

  /**
   * Writes a key over the index that it has, and 0 is none, as terraform does.
   * @param fence a lock that must still be held by that session
   */
  async write(
    key: string,
    value: Uint8Array,
    index: number,
    fence: { readonly key: string; readonly session: string } | null,
  ): Promise<Written> {
    const held =
      fence === null ? [] : [{ KV: { Verb: 'check-session', Key: fence.key, Session: fence.session } }];
    const set = { Verb: 'cas', Key: key, Value: Buffer.from(value).toString('base64'), Index: index };
    const body = Buffer.from(JSON.stringify([...held, { KV: set }]));
    const reply = await this.#requests.send({ method: 'PUT', path: 'txn', body });
    if (reply.status === 200) return { type: 'written' };
    if (reply.status === 409) {
      const [error] = listOf(parseJson(reply.body), 'Errors');
      const why = textOf(error, 'What');
      const said = why === null ? reply : { ...reply, body: Buffer.from(why) };
      return { type: 'changed', fault: refusal(said, `write ${key}`), resent: reply.resent };
    }
    const fault = refusal(reply, `write ${key}`);
    if (reply.status === 413 || /too large/i.test(fault.message)) return { type: 'too-large', fault };
    throw fault;
  }

  /** Deletes a key if it still has that index. @returns whether it is gone */
  async delete(key: string, index: number): Promise<boolean> {
    const query = { cas: String(index) };
    const reply = await this.#requests.send({ method: 'DELETE', path: keyPath(key), query });
    if (isTrue(reply)) return true;
    if (!isFalse(reply)) throw refusal(reply, `delete ${key}`);
    return reply.resent && (await this.get(key)) === null;
  }

  /** Deletes a key whatever it is. */
  async drop(key: string): Promise<void> {
    const reply = await this.#requests.send({ method: 'DELETE', path: keyPath(key) });
    if (!isTrue(reply)) throw refusal(reply, `delete ${key}`);
  }

  /** Deletes all keys that begin so. */
  async dropAll(prefix: string): Promise<void> {
    const query = { recurse: '' };
    const reply = await this.#requests.send({ method: 'DELETE', path: keyPath(prefix), query });
    if (!isTrue(reply)) throw refusal(reply, `delete ${prefix}`);
  }

  /** Whether a session has the lock now. @throws BackendFault when the session is gone */
  async acquire(key: string, session: string, signal: AbortSignal | null): Promise<boolean> {
    const query = { acquire: session, flags: LOCK_FLAGS };
    const reply = await this.#requests.send({ method: 'PUT', path: keyPath(key), query, signal });
    if (!isTrue(reply) && !isFalse(reply)) throw refusal(reply, `lock ${key}`);
    return isTrue(reply);
  }

  /** @returns whether the session held it */
  async release(key: string, session: string): Promise<boolean> {
    const query = { release: session, flags: LOCK_FLAGS };
    const reply = await this.#requests.send({ method: 'PUT', path: keyPath(key), query });
    if (!isTrue(reply) && !isFalse(reply)) throw refusal(reply, `release ${key}`);
    // The first answer was lost.
    return isTrue(reply) || reply.resent;
  }

  async #look(
    key: string,
    query: Readonly<Record<string, string>>,
    more: { readonly waits?: number; readonly signal?: AbortSignal | null },
  ): Promise<{ readonly pair: Pair | null; readonly index: string }> {
    const reply = await this.#requests.send({ method: 'GET', path: keyPath(key), query, ...more });
    const index = String(reply.headers['x-consul-index'] ?? '0');
    if (reply.status === 404) return { pair: null, index };
    const answer = parseJson(reply.body);
    const pair = Array.isArray(answer) ? readPair(answer[0]) : null;
    if (reply.status !== 200 || pair === null) throw refusal(reply, `read ${key}`);
    return { pair, index };
  }
}

function readPair(item: unknown): Pair | null {
  const index = fieldOf(item, 'ModifyIndex');
  if (typeof index !== 'number') return null;
  return {
    value: Buffer.from(textOf(item, 'Value') ?? '', 'base64'),
    index,
    session: textOf(item, 'Session'),
    // Both have lost their last digits in the same way.
    isLock: fieldOf(item, 'Flags') === Number(LOCK_FLAGS),
  };
}

function isTrue({ status, body }: ConsulReply): boolean {
  return status === 200 && parseJson(body) === true;
}

function isFalse({ status, body }: ConsulReply): boolean {
  return status === 200 && parseJson(body) === false;
}
