import { z } from 'zod';
import type { Notification, OneNotification } from '../../../runs/notifications/notifications.ts';
import { DESTINATIONS, NOTIFICATION_TRIGGERS } from '../../../runs/notifications/records.ts';
import { toOne, type Resource } from '../json-api.ts';
import { workspaceId } from '../layout.ts';
import { isAddress, parseAddress } from '../../../core/address.ts';
import { emptyReply, isError, originOf, pageOf, readOne, reply, type Answer, type Rows } from './call.ts';
import { invalid, notFound, refused } from './errors.ts';
import { withRuns, type RunCall } from './run-calls.ts';
import { addressOf } from './workspace-of.ts';

/** Who is told of a workspace's runs: go-tfe's NotificationConfigurations. */
export const NOTIFICATION_ROWS: Rows = {
  'notification-configurations.list': {
    method: 'GET',
    path: 'workspaces/:workspace/notification-configurations',
    run: withRuns(listNotifications),
  },
  'notification-configurations.create': {
    method: 'POST',
    path: 'workspaces/:workspace/notification-configurations',
    run: withRuns(createNotification),
  },
  'notification-configurations.read': {
    method: 'GET',
    path: 'notification-configurations/:notification',
    run: withRuns(async (call) =>
      answered(call, await call.runs.notifications.look(call.caller, idOf(call))),
    ),
  },
  'notification-configurations.update': {
    method: 'PATCH',
    path: 'notification-configurations/:notification',
    run: withRuns(updateNotification),
  },
  'notification-configurations.delete': {
    method: 'DELETE',
    path: 'notification-configurations/:notification',
    run: withRuns(deleteNotification),
  },
  'notification-configurations.verify': {
    method: 'POST',
    path: 'notification-configurations/:notification/actions/verify',
    run: withRuns(async (call) =>
      answered(call, await call.runs.notifications.verify(call.caller, idOf(call))),
    ),
  },
};

const CHANGE = z.object({
  enabled: z.boolean().optional(),
  name: z.string().optional(),
  token: z.string().nullish(),
  triggers: z.array(z.enum(NOTIFICATION_TRIGGERS)).nullish(),
  url: z.string().optional(),
});
const WANTED = CHANGE.extend({
  'destination-type': z.enum(DESTINATIONS),
  enabled: z.boolean(),
  name: z.string(),
  url: z.string(),
});

async function listNotifications(call: RunCall): Promise<Answer> {
  const address = addressOf(call);
  if (isError(address)) return address;
  const answer = await call.runs.notifications.list(call.caller, address);
  if (answer.type !== 'notifications') return refused(answer);
  const paged = pageOf(call, answer.notifications);
  if (isError(paged)) return paged;
  return reply(call, paged.items.map(describeNotification), { page: paged.page });
}

async function createNotification(call: RunCall): Promise<Answer> {
  const address = addressOf(call);
  if (isError(address)) return address;
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const parsed = WANTED.safeParse(sent.attributes);
  if (!parsed.success) return invalid(problemIn(parsed.error));
  const { 'destination-type': destination, triggers, token, ...rest } = parsed.data;
  const answer = await call.runs.notifications.create(call.caller, address, {
    ...rest,
    destination,
    triggers: triggers ?? [],
    token: tokenOf(token),
    origin: originOf(call.request),
  });
  return answered(call, answer, 201);
}

async function updateNotification(call: RunCall): Promise<Answer> {
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const parsed = CHANGE.safeParse(sent.attributes);
  if (!parsed.success) return invalid(problemIn(parsed.error));
  const { triggers, token, ...rest } = parsed.data;
  const answer = await call.runs.notifications.update(call.caller, idOf(call), {
    ...rest,
    ...(triggers == null ? {} : { triggers }),
    ...(token === undefined ? {} : { token: tokenOf(token) }),
    origin: originOf(call.request),
  });
  return answered(call, answer);
}

async function deleteNotification(call: RunCall): Promise<Answer> {
  const answer = await call.runs.notifications.remove(call.caller, idOf(call));
  if (answer.type === 'removed') return emptyReply(call);
  return answer.type === 'absent'
    ? ABSENT
    : answer.type === 'invalid'
      ? invalid(answer.problem)
      : refused(answer);
}

const ABSENT = notFound('the notification configuration');

function answered(call: RunCall, answer: OneNotification, status = 200): Answer {
  if (answer.type === 'notification')
    return reply(call, describeNotification(answer.notification), { status });
  if (answer.type === 'invalid') return invalid(answer.problem);
  return answer.type === 'absent' ? ABSENT : refused(answer);
}

function idOf({ params }: RunCall): string {
  return params['notification'] ?? '';
}

/** An empty token signs nothing. */
function tokenOf(token: string | null | undefined): string | null {
  return token === undefined || token === '' ? null : token;
}

function problemIn({ issues }: z.ZodError): string {
  const [issue] = issues;
  const name = String(issue?.path[0] ?? 'attribute');
  if (name === 'destination-type')
    return `invalid destination-type: expected one of ${DESTINATIONS.join(', ')}`;
  if (name === 'triggers') return `invalid triggers: expected some of ${NOTIFICATION_TRIGGERS.join(', ')}`;
  return `invalid ${name}`;
}

function describeNotification(notification: Notification): Resource {
  const { id, name, enabled, destination, triggers, createdAt, updatedAt, url, verification } = notification;
  const address = parseAddress(notification.address);
  const workspace = isAddress(address) ? workspaceId(address) : '';
  return {
    id,
    type: 'notification-configurations',
    attributes: {
      name,
      enabled,
      'destination-type': destination,
      triggers,
      url,
      // It is written, and never told again.
      token: null,
      'created-at': new Date(createdAt).toISOString(),
      'updated-at': new Date(updatedAt).toISOString(),
      'delivery-responses':
        verification === null
          ? []
          : [
              {
                url,
                body: '',
                code: verification.status === null ? '' : String(verification.status),
                headers: {},
                'sent-at': new Date(verification.at).toISOString(),
                successful: String(verification.ok),
              },
            ],
    },
    relationships: { subscribable: toOne({ id: workspace, type: 'workspaces' }) },
    links: { self: `/api/v2/notification-configurations/${id}` },
  };
}
