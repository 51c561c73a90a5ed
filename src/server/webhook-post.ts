import type { WebhookPost } from '../ports/webhook-post.ts';

/** How long a receiver may take. */
const ANSWER_MS = 10_000;

/** Sends to a receiver over HTTP. A redirect is an answer like any other, so that nobody sends the server elsewhere. */
export const postWebhook: WebhookPost = async ({ url, headers, body }, signal) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  await answer.body?.cancel();
  return answer.status;
};
