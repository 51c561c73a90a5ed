import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { Connection } from './connection.ts';
import { answerFailure, connectionFailure } from './failures.ts';

const PREFIX = '/api/v1';
/** A house that sends nothing for this time is taken to be unreachable. */
const SILENCE_MS = 60_000;

type Method = 'GET' | 'POST' | 'DELETE';
/** What is left out of a query is undefined. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Ask {
  readonly query?: Query;
  readonly body?: unknown;
  /** The answer comes when long work is done. */
  readonly long?: boolean;
}

/** Asks a running house by its API. Whatever goes wrong is a Failure in words for the user. */
export class HouseClient {
  readonly #connection: Connection;
  readonly #stopped: AbortSignal;

  constructor(connection: Connection, stopped: AbortSignal) {
    this.#connection = connection;
    this.#stopped = stopped;
  }

  /** Asks, and reads the answer's JSON. */
  async ask<T>(method: Method, path: string, ask: Ask = {}): Promise<T> {
    const answer = await this.stream(method, path, ask);
    return JSON.parse((await this.#read(answer)).toString('utf8')) as T;
  }

  /** Asks, and gives the answer before its body has come. */
  async stream(method: Method, path: string, ask: Ask = {}): Promise<IncomingMessage> {
    const answer = await this.#send(method, path, ask).catch((fault: unknown) => {
      throw connectionFailure(fault, this.#connection, this.#stopped);
    });
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw answerFailure(status, await this.#read(answer), this.#connection);
  }

  /** The answer's body, chunk by chunk; one that breaks off is a Failure, and never just an end. */
  async *body(answer: IncomingMessage): AsyncGenerator<Uint8Array> {
    try {
      yield* answer as AsyncIterable<Uint8Array>;
    } catch (fault) {
      throw connectionFailure(fault, this.#connection, this.#stopped);
    }
  }

  /** All items of a list, page after page, up to a limit. @returns whether there are more */
  async list<Name extends string, Item>(
    path: string,
    name: Name,
    query: Query,
    limit: number,
  ): Promise<{ readonly items: readonly Item[]; readonly more: boolean }> {
    const items: Item[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await this.ask<
        { readonly [N in Name]: readonly Item[] } & { readonly next: string | null }
      >('GET', path, { query: { ...query, limit: Math.min(PAGE, limit - items.length), cursor } });
      items.push(...page[name]);
      if (page.next === null) return { items, more: false };
      if (items.length >= limit) return { items, more: true };
      cursor = page.next;
    }
  }

  #send(method: Method, path: string, { query = {}, body, long = false }: Ask): Promise<IncomingMessage> {
    const { url, credential, ca, insecure } = this.#connection;
    const target = new URL(`${url}${PREFIX}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) target.searchParams.set(name, String(value));
    const content = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const secure = target.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (secure ? requestSecure : requestPlain)(
        target,
        {
          method,
          headers: {
            'user-agent': 'statehouse',
            ...(credential === null ? {} : { authorization: `Bearer ${credential.id}.${credential.secret}` }),
            ...(content === null
              ? {}
              : { 'content-type': 'application/json', 'content-length': String(content.length) }),
          },
          signal: this.#stopped,
          ...(secure ? { rejectUnauthorized: !insecure } : {}),
          ...(ca === null ? {} : { ca: ca.pem }),
        },
        resolve,
      );
      if (!long) request.setTimeout(SILENCE_MS, () => request.destroy(new Error('it does not answer')));
      request.once('error', reject);
      request.end(content ?? undefined);
    });
  }

  async #read(answer: IncomingMessage): Promise<Buffer> {
    return buffer(answer).catch((fault: unknown) => {
      throw connectionFailure(fault, this.#connection, this.#stopped);
    });
  }
}

/** The most that the API gives on one page. */
const PAGE = 500;
