import type { OperationName } from '../../../api/operations.ts';
import type { DoorReply } from '../../../protocols/door.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import type { Runs } from '../../../runs/runs.ts';
import { defineRoute, type Route, type RouteCall, type RouteRow } from '../route.ts';

/** A row of the API's table that works on what the server executes. */
type RunRow<Name extends OperationName, Query, Body, QueryRead, BodyRead> = Omit<
  RouteRow<Name, Query, Body, QueryRead, BodyRead>,
  'run'
> & {
  readonly run: (call: RouteCall<Query, Body, Name> & { readonly runs: Runs }) => Promise<DoorReply>;
};

/** Answered with 404 where nothing executes runs. */
export function defineRunRoute<Name extends OperationName, Query, Body, QueryRead, BodyRead>(
  row: RunRow<Name, Query, Body, QueryRead, BodyRead>,
): Route {
  const { operation, run } = row;
  return defineRoute({
    ...row,
    run: async (call) => {
      const { runs } = call.parts;
      if (runs !== null) return run({ ...call, runs });
      const message = 'this server executes no runs: start it with --runs';
      return problemReply(operation, 'absent', { status: 404, message });
    },
  });
}
