import { Agent, request as sendPlain, type IncomingHttpHeaders } from 'node:http';
import { Agent as SecureAgent, request as sendSecure } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { TEST_ADMIN, type Pair } from './test-admin.ts';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** null to come without a credential; the admin's by default. */
  readonly as?: Pair | null;
  readonly signal?: AbortSignal;
  /** Whose connections are used; those of all tests by default. */
  readonly agent?: Agent;
}

/** Houses of tests sign their own certificates. */
const secureAgent = new SecureAgent({ keepAlive: true, rejectUnauthorized: false });
let sharedAgent = new Agent({ keepAlive: true, maxSockets: Infinity });

/**
 * Has what follows in this file come from another network address, as far as this machine has more of them: whoever comes with
 * many wrong credentials from one is put off.
 */
export function comeFromElsewhere(): void {
  if (process.platform !== 'linux') return;
  elsewhere += 1;
  sharedAgent.destroy();
  const localAddress = `127.1.${elsewhere >> 8}.${elsewhere & 255}`;
  sharedAgent = new Agent({ keepAlive: true, maxSockets: Infinity, localAddress });
}
let elsewhere = 0;

/** The `Authorization` header of Basic authentication. */
export function basic({ id, secret }: Pair): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

/** Sends one request with any method, its target exactly as it is written here, and reads the answer. */
export async function ask(
  url: string,
  method: string,
  target: string,
  { headers = {}, body, as = TEST_ADMIN, signal, agent = sharedAgent }: Ask = {},
): Promise<Answer> {
  const { hostname, port, protocol } = new URL(url);
  const secure = protocol === 'https:';
  return new Promise((resolve, reject) => {
    const send = secure ? sendSecure : sendPlain;
    const request = send(
      {
        agent: secure ? secureAgent : agent,
        hostname,
        port,
        method,
        path: target,
        headers: {
          ...(as === null ? {} : { authorization: basic(as) }),
          ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        buffer(response).then(
          (bytes) =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              bytes,
              text: bytes.toString('utf8'),
            }),
          reject,
        );
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}
