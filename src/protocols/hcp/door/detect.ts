import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { DoorRequest } from '../../door.ts';
import { readQuery } from '../../wire/uri.ts';
import { API_PREFIX } from '../layout.ts';
import type { Row, Rows } from './call.ts';
import { invalid, undetected, wrongMethod, type HcpError } from './errors.ts';

/** IDs have the whole address in them. */
const PARAMETER_LENGTH_MAX = 4_096;
const METHODS: readonly Row['method'][] = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];

/** What a request asks. */
export interface DetectedRequest {
  readonly operation: string;
  readonly row: Row;
  readonly params: Readonly<Record<string, string>>;
  readonly query: ReadonlyMap<string, string>;
}

/** Finds the row of a table for a request. */
export class Detector {
  readonly #ways = findMyWay<never>({
    caseSensitive: true,
    ignoreTrailingSlash: true,
    maxParamLength: PARAMETER_LENGTH_MAX,
  });

  constructor(rows: Rows) {
    for (const [operation, row] of Object.entries(rows)) {
      this.#ways.on(row.method, `${API_PREFIX}${row.path}`, () => undefined, { operation, row });
    }
  }

  detect({
    method: sent,
    path,
    query: text,
  }: Pick<DoorRequest, 'method' | 'path' | 'query'>): DetectedRequest | HcpError {
    const query = readQuery(text);
    if (query === null) return invalid('the query has a percent-escape that is not valid UTF-8');
    const method = sent === 'HEAD' ? 'GET' : sent;
    const found = METHODS.some((known) => known === method)
      ? this.#ways.find(method as HTTPMethod, path)
      : null;
    const store = found?.store as { readonly operation: string; readonly row: Row } | null | undefined;
    if (found === null || store === null || store === undefined) {
      const allowed = METHODS.filter((other) => (this.#ways.find(other, path)?.store ?? null) !== null);
      return allowed.length > 0
        ? wrongMethod(allowed)
        : undetected(`${path} is not supported: this server keeps states, locks and workspaces`);
    }
    const params = Object.fromEntries(
      Object.entries(found.params).map(([name, value]) => [name, value ?? '']),
    );
    return { ...store, params, query };
  }
}
