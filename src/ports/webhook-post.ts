/** What is sent to a webhook's receiver. */
export interface WebhookRequest {
  readonly url: string;
  /** `public` is sent to no address of a private network, of a link or of this machine, whatever its name leads to. */
  readonly reach: 'any' | 'public';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends one request, follows no redirect, and waits a bounded time.
 * @returns the status of the answer, of which nothing else is read
 * @throws when there is no answer
 */
export type WebhookPost = (request: WebhookRequest, signal: AbortSignal) => Promise<number>;

/** For a house that can send nothing. */
export const NO_POST: WebhookPost = () => Promise.reject(new Error('webhooks are not sent'));
