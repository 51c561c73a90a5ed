import { lookup as lookUp, type LookupAddress, type LookupOptions } from 'node:dns';
import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { WebhookPost, WebhookRequest } from '../ports/webhook-post.ts';
import { isPublicAddress } from './public-address.ts';

/** How long a receiver may take. */
const ANSWER_MS = 10_000;

/** Sends to a receiver over HTTP. A redirect is an answer like any other, so that nobody sends the server elsewhere. */
export const postWebhook: WebhookPost = (request, signal) => {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  return request.reach === 'any' ? post(request, within) : postToPublic(request, within);
};

async function post({ url, headers, body }: WebhookRequest, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
  await answer.body?.cancel();
  return answer.status;
}

/** Looks at each address that it would connect to, since a name may lead to another one a moment later. */
function postToPublic({ url, headers, body }: WebhookRequest, signal: AbortSignal): Promise<number> {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) return Promise.reject(notPublic());
  const send = protocol === 'https:' ? requestHttps : requestHttp;
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    signal,
    lookup: lookUpPublic,
    agent: false,
  };
  return new Promise((resolve, reject) => {
    const sent = send(url, options, (answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function lookUpPublic(
  hostname: string,
  options: LookupOptions,
  done: (fault: NodeJS.ErrnoException | null, found: string | LookupAddress[], family?: number) => void,
): void {
  lookUp(hostname, { ...options, all: true }, (fault, found) => {
    const [first] = found ?? [];
    if (fault !== null || first === undefined) return done(fault ?? notPublic(), []);
    if (!found.every(({ address }) => isPublicAddress(address))) return done(notPublic(), []);
    return options.all === true ? done(null, found) : done(null, first.address, first.family);
  });
}

/** A fault whose code is told to whoever named the receiver. */
function notPublic(): NodeJS.ErrnoException {
  return Object.assign(new Error('not a public address'), { cause: { code: 'not a public address' } });
}
