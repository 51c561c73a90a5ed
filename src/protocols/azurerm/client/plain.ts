import { rootCertificates } from 'node:tls';
import { BackendFault } from '../../../ports/state-client.ts';
import { exchange, lengthOf, type Reply, type Sent } from '../../exchange.ts';
import { isLoopback } from '../../wire/loopback.ts';
import type { AzurermConfig } from './config.ts';
import { TRUST_BY_FILE } from '../../trusted-certificates.ts';

export interface PlainRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Sent;
  readonly type?: string;
  readonly signal?: AbortSignal | null;
}

/** An answer that takes longer is none: no request carries more than a state. */
const ANSWER_MS_MAX = 300_000;
/** Where Azure's machines answer: it is no name of the network outside. */
const LINK_LOCAL = /^169\.254\./;

/** Sends requests with the certificates that are trusted, and secrets to no one whom the network could pretend to be. */
export class Plain {
  readonly #tls: Readonly<Record<string, unknown>>;

  constructor({ ca }: Pick<AzurermConfig, 'ca'>) {
    this.#tls = ca === null ? {} : { ca: [...rootCertificates, ca.pem] };
  }

  /** @throws BackendFault when there is no answer */
  send({ method, url, headers, body, type, signal = null }: PlainRequest): Promise<Reply> {
    const host = url.hostname.replaceAll(/[[\]]/g, '');
    const isOwn = isLoopback(host) || host === 'localhost' || LINK_LOCAL.test(host);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isOwn)) {
      const message = `${url.host} is to be asked without encryption, where secrets would travel openly`;
      throw new BackendFault('configuration', message, 'Use a URL that begins with https://.');
    }
    const limit = AbortSignal.timeout(ANSWER_MS_MAX);
    return exchange({
      method,
      url,
      headers: {
        'User-Agent': 'statehouse',
        ...(body === undefined ? {} : { 'Content-Length': String(lengthOf(body)) }),
        ...(type === undefined ? {} : { 'Content-Type': type }),
        ...headers,
      },
      body,
      signal: signal === null ? limit : AbortSignal.any([signal, limit]),
      tls: this.#tls,
      trust: TRUST_BY_FILE,
    });
  }
}
