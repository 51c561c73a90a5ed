import { z } from 'zod';
import { TERM_LENGTH_MAX } from '../../../core/snapshot/contents.ts';
import { badRequest } from '../../../protocols/wire/json-reply.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { EXPORT_STATES_MAX } from '../explored-csv.ts';
import { ADDRESS, given, LIMIT, MOMENT, PROJECT, WORD } from '../parameters.ts';
import { jsonReply } from '../json-reply.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { EXPLORED, GRAPH, toEdgeShape, toFoundShape } from '../shapes/explore.ts';

const CURSOR_LENGTH_MAX = 4_096;
const RETRY_SECONDS = 10;

const TERM: z.ZodOptional<z.ZodType<string, string>> = z.string().min(1).max(TERM_LENGTH_MAX).optional();

/** What can be looked for. */
const EXPLORING = {
  text: TERM.describe('Any of the next six.'),
  address: TERM.describe('The address of a resource: `module.net.aws_subnet.this[0]`.'),
  type: TERM.describe('The type of a resource: `aws_instance`.'),
  name: TERM.describe('The name of a resource.'),
  provider: TERM.describe('The provider of a resource: `hashicorp/aws`, or `aws`.'),
  module: TERM.describe('The module that a resource is in: `module.net`, or `net`.'),
  value: TERM.describe('A value of a resource: `i-0abc1234def567890`.'),
  terraformVersion: WORD.optional().describe('The version of Terraform that wrote the state.'),
  writer: WORD.optional().describe('Who wrote it: `token:ci`.'),
  project: PROJECT.optional().describe('Only this project.'),
  since: MOMENT.optional().describe('Only what was written at this time or later.'),
  until: MOMENT.optional().describe('Only what was written before this time.'),
};

/** Finding states by what is in them. */
export const EXPLORE_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'explore',
    summary: 'Finds states by the resources in them, by what wrote them, by whom, or by when.',
    needs: 'reader; only what the caller may read is found',
    about: [
      'What is asked of resources must be so of one and the same resource, and is compared whole, in lower case: a type, a name or',
      'a part of one (`web` of `web-server`), an address with or without its index, a provider by its source or its last part, a',
      'module or a part of its path, a value that is not sensitive or the last part of one (the name in an ARN). The newest',
      'version of each state is looked at, some moments after it was written; of very large states not all is.',
    ].join('\n'),
    query: z.strictObject({
      ...EXPLORING,
      limit: LIMIT,
      cursor: z.string().max(CURSOR_LENGTH_MAX).optional().describe('The `next` of the page before.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'What was found.', schema: EXPLORED },
    refusals: [403],
    run: async ({ house, caller, operation, query: { until, ...query } }) => {
      const answer = await house.explorer.find(caller, given({ ...query, before: until }));
      if (answer.type === 'invalid') return badRequest(operation, answer.problem);
      if (answer.type !== 'found') return refusalReply(operation, null, answer);
      const { states, next, complete } = answer;
      return jsonReply(operation, { states: states.map(toFoundShape), next, complete });
    },
  }),
  defineRoute({
    operation: 'export-explored',
    summary: 'Finds the same as `explore`, as CSV.',
    needs: 'reader; only what the caller may read is found',
    about: [
      `At most ${EXPORT_STATES_MAX.toLocaleString('en')} states. A line tells of a resource that fits, or of a state where nothing is asked of resources. What a`,
      "spreadsheet would take for a formula begins with `'`. A few exports can be under way at a time. One that was stopped ends",
      'without the end of its HTTP answer.',
    ].join('\n'),
    query: z.strictObject(EXPLORING),
    body: NO_BODY,
    answer: { status: 200, says: 'The table.', schema: null, type: 'text/csv; charset=utf-8' },
    refusals: [403, 503],
    run: async ({ request, caller, operation, parts, query: { until, ...query } }) => {
      const headers = {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="explore.csv"',
        'cache-control': 'no-store',
      };
      if (request.method === 'HEAD') return { operation, status: 200, headers, body: null };
      const answer = await parts.exploredCsv.begin(caller, given({ ...query, before: until }));
      if (answer.type === 'invalid') return badRequest(operation, answer.problem);
      if (answer.type === 'busy') {
        return problemReply(operation, 'busy', {
          status: 503,
          message: 'too many exports are under way already, of all or of yours: try again later',
          retryAfterSeconds: RETRY_SECONDS,
        });
      }
      if (answer.type !== 'lines') return refusalReply(operation, null, answer);
      return { operation, status: 200, headers, body: answer.lines, undelivered: answer.end };
    },
  }),
  defineRoute({
    operation: 'show-graph',
    summary: 'Shows which states read which: what depends on a state.',
    needs: 'reader; only what is between states that the caller may read is shown',
    about:
      'A state reads another if a `terraform_remote_state` in it names the other as a backend of this server does. It is also told if a credential that held its lock, and no other, read the other.',
    query: z.strictObject({
      address: ADDRESS.optional().describe('Only what this state reads, and what reads it.'),
      project: PROJECT.optional().describe('Only what reads something of this project, or is read by it.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The edges.', schema: GRAPH },
    refusals: [403],
    run: async ({ house, caller, operation, query: { address, project = null } }) => {
      const answer =
        address === undefined
          ? await house.graph.of(caller, project)
          : await house.graph.around(caller, address);
      if (answer.type !== 'graph') return refusalReply(operation, address ?? null, answer);
      const { edges, cut, complete } = answer;
      return jsonReply(operation, { edges: edges.map(toEdgeShape), cut, complete });
    },
  }),
  defineRoute({
    operation: 'reindex',
    summary: 'Has the index by which states are found made anew, in the background.',
    needs: 'admin of the server',
    query: NO_QUERY,
    body: NO_BODY,
    answer: {
      status: 200,
      says: 'It is made anew within some seconds; `complete` of `/explore` says when it is done.',
      schema: z.strictObject({ reindexing: z.boolean() }).meta({ id: 'Reindexing' }),
    },
    refusals: [403],
    run: async ({ house, caller, operation }) => {
      const answer = await house.explorer.renew(caller);
      if (answer.type !== 'renewing') return refusalReply(operation, null, answer);
      return jsonReply(operation, { reindexing: true });
    },
  }),
];
