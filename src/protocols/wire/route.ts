import { z } from 'zod';
import type { Caller } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { DoorReply, DoorRequest } from '../door.ts';
import { badRequest, inWords } from './json-reply.ts';
import { problemReply } from './problem.ts';
import { readBody } from './read-body.ts';

/** No body that a JSON API takes needs more; states come by the doors. */
const BODY_BYTES_MAX: number = 64 * 1024;

/** What one route is given. `Parts` is what its API is built from, besides the house. */
export interface RouteCall<Parts, Query, Body> {
  readonly house: House;
  readonly parts: Parts;
  readonly caller: Caller;
  readonly request: DoorRequest;
  /** The name in the table, for the reply. */
  readonly operation: string;
  readonly query: Query;
  readonly body: Body;
  /** The named part of the path; "" where it has none. */
  readonly name: string;
}

/** What is answered when all is well. */
export interface Answer {
  readonly status: 200 | 201;
  readonly says: string;
  /** The content type; JSON if it is left out. */
  readonly type?: string;
  /** null for what is not JSON. */
  readonly schema: z.ZodType | null;
}

/** One row of an API's table: all that is said of it in the OpenAPI document, and what it does. */
export interface RouteRow<Parts, Query, Body> {
  /** Its name: a label in logs and metrics, and the `operationId`. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Under the prefix of the API; one part may be named: `/credentials/:id`. */
  readonly path: string;
  readonly summary: string;
  /** The role that it needs, and on what. */
  readonly needs: string;
  readonly about?: string;
  readonly query: z.ZodType<Query>;
  readonly body: z.ZodType<Body>;
  readonly answer: Answer;
  /** The statuses of its refusals, beside 400, 401, 415 and 503, which any request may get. */
  readonly refusals: readonly number[];
  readonly run: (call: RouteCall<Parts, Query, Body>) => Promise<DoorReply>;
}

/** A row whose query and body are read and checked before it runs. */
export interface Route<Parts> extends Omit<RouteRow<Parts, unknown, unknown>, 'run'> {
  readonly handle: (
    call: Omit<RouteCall<Parts, unknown, unknown>, 'query' | 'body' | 'operation'>,
  ) => Promise<DoorReply>;
}

type Nothing = Readonly<Record<string, never>>;
/** For a route that takes no query. */
export const NO_QUERY: z.ZodType<Nothing, Nothing> = z.strictObject({});
/** For a route that takes no body. */
export const NO_BODY: z.ZodType<undefined, undefined> = z.undefined();

export function defineRoute<Parts, Query, Body>(row: RouteRow<Parts, Query, Body>): Route<Parts> {
  const { operation } = row;
  return {
    ...row,
    async handle(call) {
      const query = row.query.safeParse(queryOf(call.request.query));
      if (!query.success) return badRequest(operation, `the query: ${inWords(query.error)}`);
      const given = await bodyOf(call.request);
      if (given === TOO_LARGE) {
        const message = `the body is too large: expected at most ${BODY_BYTES_MAX} bytes`;
        return problemReply(operation, 'too-large', { status: 413, message });
      }
      if (given === OTHER_TYPE) {
        const message = 'the body must be JSON and say so: send "Content-Type: application/json"';
        return problemReply(operation, 'media-type', { status: 415, message });
      }
      if (given === NO_JSON) return badRequest(operation, 'the body is not JSON');
      const body = row.body.safeParse(given);
      if (!body.success) return badRequest(operation, `the body: ${inWords(body.error)}`);
      return row.run({ ...call, operation, query: query.data, body: body.data });
    },
  };
}

const TOO_LARGE = Symbol('too large');
const NO_JSON = Symbol('no JSON');
const OTHER_TYPE = Symbol('another type');
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;

/** A parameter that is given twice is one too many, and is refused as what it is not: a text. */
function queryOf(query: string): Record<string, string | string[]> {
  const values = new URLSearchParams(query);
  return Object.fromEntries(
    [...new Set(values.keys())].map((name) => {
      const all = values.getAll(name);
      return [name, all.length === 1 ? (all[0] ?? '') : all];
    }),
  );
}

async function bodyOf(request: DoorRequest): Promise<unknown> {
  const bytes = await readBody(request, BODY_BYTES_MAX);
  if (bytes === null) return TOO_LARGE;
  if (bytes.length === 0) return undefined;
  // A page of another site can send any text without being asked, but not under this type.
  if (!JSON_TYPE.test(request.header('content-type') ?? '')) return OTHER_TYPE;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return NO_JSON;
  }
}
