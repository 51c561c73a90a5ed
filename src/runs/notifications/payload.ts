import { createHmac } from 'node:crypto';
import type { WebhookRequest } from '../../ports/webhook-post.ts';
import type { WebhookEvent } from '../../house/webhooks/records.ts';
import type { NotificationTarget, StoredNotification } from './records.ts';

/** What clients call a workspace. */
export interface WorkspaceNames {
  readonly organization: string;
  readonly id: string;
  readonly name: string;
}

/** What one notification is written with. */
export interface Told {
  readonly id: string;
  readonly stored: StoredNotification;
  readonly workspace: WorkspaceNames;
  readonly event: WebhookEvent;
}

/** The type of the event by which a receiver is tried. */
export const VERIFICATION = 'verification';

/**
 * The request that HCP sends (its API reference, "Notification Payloads"): signed with the token by HMAC-SHA512 over the body, in
 * lower-case hex.
 */
export function notificationRequest({ url, token }: NotificationTarget, told: Told): WebhookRequest {
  const body = JSON.stringify(documentOf(told));
  const signature =
    token === null
      ? {}
      : { 'x-tfe-notification-signature': createHmac('sha512', token).update(body).digest('hex') };
  return {
    url,
    reach: told.stored.mayBeInside ? 'any' : 'public',
    headers: { 'content-type': 'application/json', 'user-agent': 'statehouse', ...signature },
    body,
  };
}

function documentOf(told: Told): object {
  const { destination } = told.stored;
  if (destination === 'slack') return slackMessage(told);
  if (destination === 'microsoft-teams') return teamsMessage(told);
  return told.event.type.startsWith('assessment:') ? checkDocument(told) : runDocument(told);
}

/** Version 1. A verification is of no run. */
function runDocument({ id, stored, workspace, event }: Told): object {
  const { facts, type, message, at } = event;
  const isTrial = type === VERIFICATION;
  const runUpdatedAt = isTrial ? null : new Date(at).toISOString();
  return {
    payload_version: 1,
    notification_configuration_id: id,
    run_url: isTrial ? null : runUrl({ stored, workspace, event }),
    run_id: facts['run'] ?? null,
    run_message: facts['runMessage'] ?? null,
    run_created_at: facts['runCreatedAt'] ?? null,
    run_created_by: facts['runCreatedBy'] ?? null,
    workspace_id: isTrial ? null : workspace.id,
    workspace_name: isTrial ? null : workspace.name,
    organization_name: isTrial ? null : workspace.organization,
    notifications: [
      {
        message,
        trigger: type,
        run_status: facts['runStatus'] ?? null,
        run_updated_at: runUpdatedAt,
        run_updated_by: facts['runUpdatedBy'] ?? null,
      },
    ],
  };
}

/** Version 2, of what a check has found, as far as it is known here. */
function checkDocument({ id, stored, workspace, event }: Told): object {
  const { type, message, facts, at } = event;
  const { resources = null } = facts;
  return {
    payload_version: '2',
    notification_configuration_id: id,
    notification_configuration_url: `${stored.origin}/api/v2/notification-configurations/${id}`,
    trigger_scope: 'assessment',
    trigger: type,
    message,
    details: {
      new_assessment_result: {
        succeeded: resources !== null,
        drifted: resources !== null,
        resources_drifted: resources,
        run_id: facts['run'] ?? null,
        created_at: new Date(at).toISOString(),
      },
      workspace_id: workspace.id,
      workspace_name: workspace.name,
      organization_name: workspace.organization,
    },
  };
}

/** Slack reads `<…>` as a link or a call to all, so that a name must not have it (api.slack.com, "Escaping text"). */
function slackMessage(told: Told): object {
  const url = runUrl(told);
  const text = sentence(told).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: url === null ? text : `${text} <${url}|View the run>` };
}

/** An adaptive card, which incoming webhooks and workflows of Teams take. */
function teamsMessage(told: Told): object {
  const url = runUrl(told);
  // A run of text is shown as it is, where a block of text would read Markdown in it.
  const inlines = [{ type: 'TextRun', text: sentence(told) }];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    body: [{ type: 'RichTextBlock', inlines }],
    actions: url === null ? [] : [{ type: 'Action.OpenUrl', title: 'View the run', url }],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }],
  };
}

function sentence({ workspace, event }: Told): string {
  const { type, message, facts } = event;
  if (type === VERIFICATION) return message;
  const by = facts['runUpdatedBy'];
  const said = facts['runMessage'];
  return [
    `${workspace.organization}/${workspace.name}: ${message}`,
    ...(by === undefined || by === null ? [] : [`by ${by}`]),
    ...(said === undefined || said === null || said === '' ? [] : [`(${said})`]),
  ].join(' ');
}

/** The page of the run that it is about; null where it is about none. */
function runUrl({ stored, workspace, event }: Pick<Told, 'stored' | 'workspace' | 'event'>): string | null {
  const { run = null } = event.facts;
  return run === null ? null : `${stored.origin}/app/${workspace.organization}/${workspace.name}/runs/${run}`;
}
