import { expect } from 'vitest';
import { ROUTES } from '../../src/server/api/table.ts';
import { PROBLEM } from '../../src/server/api/shapes/house.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import type { Answer } from '../support/request.ts';
import type { Pair } from '../support/test-admin.ts';

/** JSON that was answered: a test takes from it what it asserts on. */
export interface Tree {
  readonly [name: string]: Tree;
}

export interface ApiAnswer extends Answer {
  /** Empty where the answer was not JSON. */
  readonly json: Tree;
}

/** The operations that have been called, so that a test can see that none was left out. */
export const called: Set<string> = new Set();

/** What the page asks for beside what the command line does; it has a test file of its own. */
export const FOR_THE_PAGE: readonly string[] = [
  'create-session',
  'end-session',
  'explore',
  'export-explored',
  'list-blocks',
  'list-changes',
  'list-holds',
  'list-rights',
  'reindex',
  'show-graph',
  'show-house',
  'show-numbers',
  'show-session',
];

/** What is asked about run triggers, which have a test file of their own. */
export const OF_RUN_TRIGGERS: readonly string[] = [
  'create-run-trigger',
  'list-run-triggers',
  'remove-run-trigger',
];

/** Calls the API as the admin, or as another, and holds the answer to what the document says of its route. */
export async function callApi(
  house: TestHouse,
  call: `${'GET' | 'POST' | 'PATCH' | 'DELETE'} /${string}`,
  { body, as, headers = {} }: { body?: unknown; as?: Pair | null; headers?: Record<string, string> } = {},
): Promise<ApiAnswer> {
  const [method = '', path = ''] = call.split(' ');
  const answer = await house.ask(method, `/api/v1${path}`, {
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(as === undefined ? {} : { as }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const { status, text } = answer;
  const { 'content-type': type, 'content-encoding': encoding } = answer.headers;
  const isJson = type === 'application/json' && encoding === undefined && text !== '';
  const json: unknown = isJson ? JSON.parse(text) : {};
  const route = ROUTES.find((row) => {
    const pattern = new RegExp(`^${row.path.replaceAll(/:\w+/g, '[^/]+')}$`);
    return row.method === method && pattern.test(path.split('?')[0] ?? '');
  });
  if (route !== undefined) {
    called.add(route.operation);
    if (status === route.answer.status) {
      route.answer.schema?.parse(json);
    } else {
      expect([...route.refusals, 400, 401, 503], `${call}: ${text}`).toContain(status);
      if (status !== 304) PROBLEM.parse(json);
    }
  }
  return { ...answer, json: json as Tree };
}

/** The query that names a state. */
export function at(address: string, more: Record<string, string> = {}): string {
  return `?${new URLSearchParams({ address, ...more }).toString()}`;
}

/** The operations about agents, which a file of their own calls. */
export const OF_AGENTS: readonly string[] = [
  'list-agent-pools',
  'create-agent-pool',
  'show-agent-pool',
  'remove-agent-pool',
  'create-agent-token',
  'revoke-agent-token',
  'show-execution',
  'set-execution',
];
