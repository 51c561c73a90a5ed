import type { WebhookPost } from '../../ports/webhook-post.ts';

/** A house that can send nothing. */
export const NO_POST: WebhookPost = () => Promise.reject(new Error('webhooks are not sent'));
