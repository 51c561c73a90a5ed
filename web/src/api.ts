import { ApiClient, type ApiResponse } from '../../src/api/client.ts';
import { ApiError } from '../../src/api/error.ts';
import { keepDigits } from './exact-numbers.ts';
import { API_PREFIX, OPERATIONS, type OperationName, type QueryOf } from '../../src/api/operations.ts';

/** Told when the server no longer knows who is asking. */
const lost = new Set<() => void>();

/** Hears of the first answer that says that the session is over, and of each one after. */
export function onSessionLost(heard: () => void): void {
  lost.add(heard);
}

/** Tells that the server no longer knows who is asking, as an answer has said. */
export function tellSessionLost(): void {
  for (const heard of lost) heard();
}

/** What the page takes of an answer: its text, or its bytes as they come. */
interface Answer extends ApiResponse {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/** The server that this page came from, by its API. The browser adds the session's cookie. */
export const api: ApiClient<Answer> = new ApiClient(
  async (path, { method, headers, body }) => {
    const response = await fetch(path, {
      method,
      headers,
      body,
      credentials: 'same-origin',
      cache: 'no-store',
    }).catch(() => {
      throw new ApiError(
        0,
        'offline',
        'the server cannot be reached: check the network; the page tries again',
      );
    });
    return {
      status: response.status,
      body: response.body,
      text: async () => keepDigits(await response.text()),
    };
  },
  (error) => {
    if (error.status === 401) tellSessionLost();
    return error;
  },
);

/** Where an operation without a part in its path is found, to link to or to stream from. */
export function pathOf<Name extends OperationName>(name: Name, query: QueryOf<Name>): string {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) asked.set(key, String(value));
  const text = asked.toString();
  return `${API_PREFIX}${OPERATIONS[name].path}${text === '' ? '' : `?${text}`}`;
}

/** What went wrong, as an error of the API; anything else is a defect of this page, and is said to be one. */
export function asApiError(fault: unknown): ApiError {
  if (fault instanceof ApiError) return fault;
  return new ApiError(0, null, `this page failed: ${fault instanceof Error ? fault.message : String(fault)}`);
}
