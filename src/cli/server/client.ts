import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { text } from 'node:stream/consumers';
import { ApiClient, type ApiRequest, type ApiResponse } from '../../api/client.ts';
import type { Connection } from './connection.ts';
import { answerFailure, connectionFailure } from './failures.ts';

/** A house that sends nothing for this time is taken to be unreachable. */
const SILENCE_MS = 60_000;

/** Asks a running house by its API. Whatever goes wrong is a Failure in words for the user. */
export class HouseClient extends ApiClient<HouseResponse> {
  constructor(connection: Connection, stopped: AbortSignal) {
    const explain = (fault: unknown): Error => connectionFailure(fault, connection, stopped);
    super(
      async (path, request) => {
        const message = await send(connection, stopped, path, request).catch((fault: unknown) => {
          throw explain(fault);
        });
        return new HouseResponse(message, explain);
      },
      (error) => answerFailure(error, connection),
    );
  }
}

/** An answer whose body has yet to come; one that breaks off is a Failure, and never just an end. */
class HouseResponse implements ApiResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly #message: IncomingMessage;
  readonly #explain: (fault: unknown) => Error;

  constructor(message: IncomingMessage, explain: (fault: unknown) => Error) {
    this.status = message.statusCode ?? 0;
    this.headers = message.headers;
    this.#message = message;
    this.#explain = explain;
  }

  text(): Promise<string> {
    return text(this.#message).catch((fault: unknown) => {
      throw this.#explain(fault);
    });
  }

  /** The body, chunk by chunk. */
  async *body(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#message as AsyncIterable<Uint8Array>;
    } catch (fault) {
      throw this.#explain(fault);
    }
  }
}

function send(
  { url, credential, ca, insecure }: Connection,
  stopped: AbortSignal,
  path: string,
  { method, headers, body, long }: ApiRequest,
): Promise<IncomingMessage> {
  const target = new URL(`${url}${path}`);
  const secure = target.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const request = (secure ? requestSecure : requestPlain)(
      target,
      {
        method,
        headers: {
          ...headers,
          'user-agent': 'statehouse',
          ...(credential === null ? {} : { authorization: `Bearer ${credential.id}.${credential.secret}` }),
          ...(body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        },
        signal: stopped,
        ...(secure ? { rejectUnauthorized: !insecure } : {}),
        ...(ca === null ? {} : { ca: ca.pem }),
      },
      resolve,
    );
    if (!long) request.setTimeout(SILENCE_MS, () => request.destroy(new Error('it does not answer')));
    request.once('error', reject);
    request.end(body ?? undefined);
  });
}
