import { notOfTheApi, readApiError, readObject, type ApiError } from './error.ts';
import {
  API_PREFIX,
  OPERATIONS,
  PAGE_MAX,
  type AnswerOf,
  type BodyOf,
  type ItemsOf,
  type NamedPart,
  type OperationName,
  type QueryOf,
  type Route,
} from './operations.ts';

/** A request, as `fetch` takes it; the transport adds who asks. */
export interface ApiRequest {
  readonly method: Route['method'];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The answer comes when long work is done, or never ends. */
  readonly long: boolean;
}

/** What the client needs of an answer: the `Response` of `fetch` has it. */
export interface ApiResponse {
  readonly status: number;
  /** The whole body, as UTF-8. */
  text(): Promise<string>;
}

/**
 * Sends one request.
 * @param path from the root of the house, with the query: `/api/v1/states?limit=10`
 */
export type ApiTransport<Response extends ApiResponse> = (
  path: string,
  request: ApiRequest,
) => Promise<Response>;

type JsonOperation = { [N in OperationName]: AnswerOf<N> extends null ? never : N }[OperationName];
type RawOperation = Exclude<OperationName, JsonOperation>;
type PagedOperation = { [N in OperationName]: [ItemsOf<N>] extends [never] ? never : N }[OperationName];

/** One item of a list. */
type ItemOf<Name extends PagedOperation> =
  AnswerOf<Name> extends Readonly<Record<ItemsOf<Name>, readonly (infer Item)[]>> ? Item : never;

/** A member that may be left out when nothing in it is required, and must be when it takes nothing. */
type Member<Key extends string, Value> = [Value] extends [undefined]
  ? { readonly [K in Key]?: never }
  : Record<never, never> extends Value
    ? { readonly [K in Key]?: Value }
    : { readonly [K in Key]: Value };

/** What an operation is asked with. */
export type RequestOf<Name extends OperationName> = Member<'query', QueryOf<Name>> &
  Member<'body', BodyOf<Name>> &
  Member<'path', [NamedPart<Name>] extends [never] ? undefined : Readonly<Record<NamedPart<Name>, string>>>;

/** The same of any operation. */
interface AnyAsked {
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly path?: Readonly<Record<string, string>>;
}

/** Asks a house by its API, over whatever transport it is given. */
export class ApiClient<Response extends ApiResponse> {
  readonly #transport: ApiTransport<Response>;
  readonly #explain: (error: ApiError) => Error;

  /**
   * @param transport what it throws is passed on
   * @param explain what is thrown for an answer that is an error; the {@link ApiError} itself if it is left out
   */
  constructor(transport: ApiTransport<Response>, explain: (error: ApiError) => Error = (error) => error) {
    this.#transport = transport;
    this.#explain = explain;
  }

  /** Asks, and reads the answer's JSON. */
  async ask<Name extends JsonOperation>(name: Name, asked: RequestOf<Name>): Promise<AnswerOf<Name>> {
    const response = await this.#send(name, asked as AnyAsked);
    const answer = readObject(await response.text());
    if (answer === null) throw this.#explain(notOfTheApi(response.status));
    return answer as AnswerOf<Name>;
  }

  /** Asks for what is not JSON, and gives the answer as the transport has it. */
  stream<Name extends RawOperation>(name: Name, asked: RequestOf<Name>): Promise<Response> {
    return this.#send(name, asked as AnyAsked);
  }

  /** All items of a list, page after page, up to a limit. @returns whether there are more */
  async list<Name extends PagedOperation>(
    name: Name,
    query: Omit<QueryOf<Name>, 'limit' | 'cursor'>,
    limit: number,
  ): Promise<{ readonly items: readonly ItemOf<Name>[]; readonly more: boolean }> {
    const items: ItemOf<Name>[] = [];
    let cursor: string | undefined;
    while (items.length < limit) {
      const page = { ...query, limit: Math.min(PAGE_MAX, limit - items.length), cursor };
      const response = await this.#send(name, { query: page });
      const answer = readObject(await response.text());
      const { items: member = '' }: Route = OPERATIONS[name];
      const found = answer?.[member];
      const next = answer?.['next'];
      if (!Array.isArray(found) || (next !== null && typeof next !== 'string')) {
        throw this.#explain(notOfTheApi(response.status));
      }
      items.push(...(found as ItemOf<Name>[]));
      if (next === null) return { items, more: false };
      cursor = next;
    }
    return { items, more: true };
  }

  async #send(name: OperationName, { query = {}, body, path = {} }: AnyAsked): Promise<Response> {
    const route: Route = OPERATIONS[name];
    const place = route.path.replaceAll(/:(\w+)/g, (_all, part: string) =>
      encodeURIComponent(path[part] ?? ''),
    );
    const response = await this.#transport(`${API_PREFIX}${place}${queryText(query)}`, {
      method: route.method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      long: route.long === true,
    });
    const { status } = response;
    if (status >= 200 && status < 300) return response;
    throw this.#explain(readApiError(status, await response.text()));
  }
}

/** `?a=1&b=2`; "" without parameters. What is undefined is left out. */
function queryText(query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
