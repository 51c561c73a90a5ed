import { expect } from 'vitest';
import { ROUTES } from '../../src/server/api/table.ts';
import { PROBLEM } from '../../src/server/api/shapes/house.ts';
import { ADMIN_ID, ADMIN_SECRET } from './memory-house.ts';

export const ADMIN: string = `Bearer ${ADMIN_ID}.${ADMIN_SECRET}`;

/** JSON that was answered: a test takes from it what it asserts on. */
export interface Tree {
  readonly [name: string]: Tree;
}

export interface ApiReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Tree;
}

/** The operations that have been called, so that a test can see that none was left out. */
export const called: Set<string> = new Set();

/** Calls the API, and holds every reply to what the document says of its route. */
export async function callApi(
  url: string,
  method: string,
  path: string,
  options: { body?: unknown; as?: string; headers?: Record<string, string> } = {},
): Promise<ApiReply> {
  const { body, as = ADMIN, headers = {} } = options;
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: as, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json' && text !== '';
  const json = (isJson ? JSON.parse(text) : {}) as Tree;
  const route = ROUTES.find((row) => {
    const pattern = new RegExp(`^${row.path.replaceAll(/:\w+/g, '[^/]+')}$`);
    return row.method === method && pattern.test(path.split('?')[0] ?? '');
  });
  if (route !== undefined) {
    called.add(route.operation);
    const { status } = response;
    if (status === route.answer.status) {
      if (route.answer.schema !== null) route.answer.schema.parse(json);
    } else {
      expect([...route.refusals, 400, 401, 503], `${route.operation}: ${text}`).toContain(status);
      if (status !== 304) PROBLEM.parse(json);
    }
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** The query that names a state. */
export function at(address: string, more: Record<string, string> = {}): string {
  return `?${new URLSearchParams({ address, ...more }).toString()}`;
}
