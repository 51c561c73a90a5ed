import type { z } from 'zod';
import {
  OPERATIONS,
  type AnswerOf,
  type BodyOf,
  type OperationName,
  type QueryOf,
} from '../../api/operations.ts';
import type { DoorReply } from '../../protocols/door.ts';
import * as wire from '../../protocols/wire/route.ts';
import type { ApiParts } from './parts.ts';

export { NO_BODY, NO_QUERY, type Answer } from '../../protocols/wire/route.ts';

/** What one route of this API is given. */
export type RouteCall<Query, Body, Name extends OperationName = OperationName> = Omit<
  wire.RouteCall<ApiParts, Query, Body>,
  'operation'
> & { readonly operation: Name };
/** One row of this API's table, ready to be routed to. */
export type Route = wire.Route<ApiParts>;

/** A row of this API's table: what `src/api` does not say of the operation. */
export type RouteRow<Name extends OperationName, Query, Body, QueryRead, BodyRead> = Omit<
  wire.RouteRow<ApiParts, Query, Body>,
  'operation' | 'method' | 'path' | 'query' | 'body' | 'answer' | 'run'
> & {
  readonly operation: Name;
  readonly query: z.ZodType<Query, QueryRead> & Agreeing<QueryRead, QueryOf<Name>>;
  readonly body: z.ZodType<Body, BodyRead> & Agreeing<BodyRead, BodyOf<Name>>;
  readonly answer: Omit<wire.Answer, 'schema'> & {
    readonly schema: AnswerOf<Name> extends null ? null : z.ZodType<AnswerOf<Name>>;
  };
  readonly run: (call: RouteCall<Query, Body, Name>) => Promise<DoorReply>;
};

/** Compiles only where what the schema reads and what `src/api` says are the same, member by member. */
type Agreeing<Read, Said> = [Read, keyof Read] extends [Said, keyof Said]
  ? [Said, keyof Said] extends [Read, keyof Read]
    ? unknown
    : { readonly 'the schema wants more than src/api says': Said }
  : { readonly 'the schema does not read what src/api says': Said };

/** Its method and path are those of `src/api`, and its query, body and answer must be, too. */
export function defineRoute<Name extends OperationName, Query, Body, QueryRead, BodyRead>(
  row: RouteRow<Name, Query, Body, QueryRead, BodyRead>,
): Route {
  const { method, path } = OPERATIONS[row.operation];
  return wire.defineRoute<ApiParts, Query, Body>({
    ...row,
    method,
    path,
    run: (call) => row.run({ ...call, operation: row.operation }),
  });
}
