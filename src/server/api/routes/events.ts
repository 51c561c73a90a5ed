import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { ADDRESS, PROJECT } from '../parameters.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { presentedToApi } from '../session-cookie.ts';

/** When to ask again where there are too many streams: some end all the time. */
const RETRY_SECONDS = 10;

/** What happens, as it happens. */
export const EVENT_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'events',
    summary: 'Streams what happens to states and locks, as server-sent events.',
    needs: 'reader; only what concerns states that the caller may read is sent',
    about: [
      'Each event has an `event` name and `data` of the shape `Event`. Names: `lock-granted`, `lock-released`,',
      '`lock-broken`, `version-stored`, `versions-pruned`, `retention-changed`, `state-deleted`, `state-undeleted`,',
      '`state-purged`, which are stored and have an `id`, and `waiter-parked`, `waiter-asleep`, `waiter-left`, which are not stored and have no `id`.',
      'The first event is `ready`. An event says that something changed; ask the other routes for the present state.',
      'A client that comes back with `Last-Event-ID`, to whichever node, is sent what it missed of what is stored: at most',
      '1,000 events, found among at most 10,000 changes of the whole server. If it missed more, or the id is unknown, its',
      'first event is `reset`, and it must read anew. A comment comes at least every 17 seconds. A client that does not',
      'read is cut off, and so is one whose credential is revoked.',
    ].join('\n'),
    query: z.strictObject({
      project: PROJECT.optional().describe('Only states of this project.'),
      address: ADDRESS.optional().describe('Only this state.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The stream.', schema: null, type: 'text/event-stream' },
    refusals: [],
    run: async ({ house, caller, request, operation, parts, query: { project = null, address = null } }) => {
      const headers = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // nginx would gather what is meant to be read at once.
        'x-accel-buffering': 'no',
      };
      if (request.method === 'HEAD') return { operation, status: 200, headers, body: null };
      house.audit.looked(caller, 'subscribe', address, project === null ? {} : { project });
      const presented = presentedToApi(request);
      const client = parts.events.listen({
        authenticate: () => house.identity.authenticate(presented),
        ...caller,
        project,
        address,
        after: request.header('last-event-id') ?? null,
      });
      if (client === null) {
        return problemReply(operation, 'busy', {
          status: 503,
          message: 'too many clients follow the events already, of all or of yours: try again later',
          retryAfterSeconds: RETRY_SECONDS,
        });
      }
      const { gone } = request;
      if (gone.aborted) client.cut();
      else gone.addEventListener('abort', () => client.cut(), { once: true });
      return { operation, status: 200, headers, body: client.read(), live: client.cutOff };
    },
  }),
];
