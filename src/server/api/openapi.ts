import { z } from 'zod';
import { API_PREFIX } from '../../api/operations.ts';
import type { Answer, Route } from './route.ts';
import { PROBLEM } from './shapes/house.ts';

type Json = Readonly<Record<string, unknown>>;

/** What any request may get. */
const ANY_REFUSALS = [400, 401, 503] as const;

const REFUSALS: Readonly<Record<number, string>> = {
  304: 'Not modified: the client has the current bytes.',
  400: 'The query or the body is invalid: the message says what was expected.',
  401: 'The credential is missing, invalid or expired.',
  403: 'The caller may not do this.',
  404: 'Not found.',
  409: 'Conflict: the message says why.',
  412: 'The state has changed meanwhile: read it again.',
  413: 'Too large.',
  415: 'The body is not sent as application/json.',
  422: 'The request is well formed but cannot be carried out: the message says why.',
  423: 'The state is locked: the message names the holder.',
  429: 'Too many requests of this caller wait already: ask again after `Retry-After`.',
  503: 'Temporarily unavailable: try again in a moment.',
};

/** The OpenAPI document, made of the very table that requests are routed by and the schemas that they are checked with. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const components = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = `${API_PREFIX}${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    const operations = (paths[path] ??= {});
    operations[route.method.toLowerCase()] = operationOf(route, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Statehouse',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'The API of Statehouse. A request about one state names it with `address=project/key@workspace`. Numbers from a state keep every digit.',
    },
    security: [{ basic: [] }, { bearer: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'A credential: its id and its secret.' },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same in one word: `id.secret`.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-statehouse-session',
          description: 'What `POST /session` gave a browser; without TLS `statehouse-session`.',
        },
      },
      schemas: components.schemas,
    },
  };
}

function operationOf(route: Route, components: Components): Json {
  const { operation, summary, about = '', needs, path, query, body, answer } = route;
  const named = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const wanted = components.inline(body, 'input');
  const takesBody = Object.keys(wanted).length > 0 && !('not' in wanted);
  const refusals = [...ANY_REFUSALS, ...(takesBody ? [415] : []), ...route.refusals];
  const statuses = [...new Set(refusals)].sort((a, b) => a - b);
  return {
    operationId: operation,
    summary,
    description: [about, `Needs the role: ${needs}.`].filter((text) => text !== '').join('\n\n'),
    parameters: [...named, ...parametersOf(components.inline(query, 'input'))],
    ...(takesBody
      ? { requestBody: { required: true, content: { 'application/json': { schema: wanted } } } }
      : {}),
    responses: {
      [answer.status]: answerOf(answer, components),
      ...Object.fromEntries(statuses.map((status) => [status, refusalOf(status, components)])),
    },
  };
}

function parametersOf(query: Json): readonly Json[] {
  const properties = (query['properties'] ?? {}) as Readonly<Record<string, Json>>;
  const required = (query['required'] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function answerOf({ says, schema, type = 'application/json' }: Answer, components: Components): Json {
  const content = schema === null ? {} : components.inline(schema, 'output');
  return { description: says, content: { [type]: { schema: content } } };
}

function refusalOf(status: number, components: Components): Json {
  const description = REFUSALS[status] ?? '';
  if (status === 304) return { description };
  const schema = components.inline(PROBLEM, 'output');
  return { description, content: { 'application/json': { schema } } };
}

/** Gathers the named schemas, so that each stands once. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  inline(schema: z.ZodType, io: 'input' | 'output'): Json {
    const text = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
    const {
      $schema: _schema,
      $defs,
      ...rest
    } = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as Json & {
      $defs?: Readonly<Record<string, unknown>>;
    };
    Object.assign(this.schemas, $defs);
    return rest;
  }
}
