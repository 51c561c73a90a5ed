/** The word that a refusal or a fault has for programs, at the API and at the http door; docs/api.md says what each means. */
export type ErrorWord =
  | 'absent'
  | 'address'
  | 'bad-request'
  | 'busy'
  | 'cross-site'
  | 'damaged'
  | 'encrypted'
  | 'exists'
  | 'expired'
  | 'fault'
  | 'fenced'
  | 'forbidden'
  | 'frozen'
  | 'gone'
  | 'held'
  | 'invalid'
  | 'may-not-break'
  | 'too-young'
  | 'media-type'
  | 'method'
  | 'not-a-state'
  | 'not-embedded'
  | 'not-holder'
  | 'not-locked'
  | 'over-quota'
  | 'released-before'
  | 'retained'
  | 'revoked'
  | 'rotating'
  | 'shared-hold'
  | 'stale'
  | 'throttled'
  | 'too-large'
  | 'too-long'
  | 'unannounced'
  | 'unauthenticated'
  | 'unknown-route'
  | 'unreadable';

/** An answer of the API that is not what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status. */
  readonly status: number;
  /** An {@link ErrorWord}, or the word of a newer house; null where the answer is not one of the API. */
  readonly error: string | null;
  /** What a program may want to know besides, such as `locks` or `limit`. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    error: string | null,
    message: string,
    facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.status = status;
    this.error = error;
    this.facts = facts;
  }
}

/**
 * Reads the answer to a request that failed.
 * @param text `{"error": …, "message": …}` with facts beside; anything else did not come from the API
 */
export function readApiError(status: number, text: string): ApiError {
  const { error, message, ...facts } = readObject(text) ?? {};
  return typeof error === 'string' && typeof message === 'string'
    ? new ApiError(status, error, message, facts)
    : notOfTheApi(status);
}

/** An answer that a server gives which is not a house, or something between. */
export function notOfTheApi(status: number): ApiError {
  return new ApiError(status, null, `the answer is not one of the Statehouse API: HTTP ${status}`);
}

/** @returns null when the text is not a JSON object */
export function readObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return value as Record<string, unknown>;
  } catch {
    return null;
  }
}
