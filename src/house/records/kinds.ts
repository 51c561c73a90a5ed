declare const KIND: unique symbol;

/** What kind of record it is, as it is stored. Only this file makes one, so that no two places spell it differently. */
export type RecordKind = string & { readonly [KIND]: true };

export const PROJECT_KIND: RecordKind = kind('project');
export const DYNAMODB_TABLE_KIND: RecordKind = kind('dynamodb-table');
export const MASTER_KEY_KIND: RecordKind = kind('master-key');
export const UPLOAD_KIND: RecordKind = kind('upload');
export const FREEZE_KIND: RecordKind = kind('freeze');
export const WEBHOOK_KIND: RecordKind = kind('webhook');
export const WEBHOOK_DELIVERY_KIND: RecordKind = kind('webhook-delivery');
export const ANNOUNCED_STATE_KIND: RecordKind = kind('announced-state');
export const BODY_STORE_KIND: RecordKind = kind('body-store');
export const BACKUP_KIND: RecordKind = kind('backup');
export const REFUSED_WRITE_KIND: RecordKind = kind('refused-write');
export const PAGE_SESSION_KIND: RecordKind = kind('page-session');
export const LAST_USE_KIND: RecordKind = kind('last-use');
export const INDEX_KIND: RecordKind = kind('state-index');
export const SEEN_READ_KIND: RecordKind = kind('seen-read');
export const SEEN_LOCK_KIND: RecordKind = kind('seen-lock');
export const NUMBERS_KIND: RecordKind = kind('numbers');
export const CONSUL_SESSION_KIND: RecordKind = kind('consul-session');
export const WORKSPACE_KIND: RecordKind = kind('workspace');
export const WORKSPACE_GROUP_KIND: RecordKind = kind('workspace-group');
export const VARIABLE_KIND: RecordKind = kind('variable');
export const VARIABLE_SET_KIND: RecordKind = kind('variable-set');
export const LOGIN_CODE_KIND: RecordKind = kind('login-code');
export const PENDING_STATE_KIND: RecordKind = kind('pending-state');
export const RUN_KIND: RecordKind = kind('run');
export const OPEN_RUN_KIND: RecordKind = kind('open-run');
export const RUN_NODE_KIND: RecordKind = kind('run-node');
export const AGENT_POOL_KIND: RecordKind = kind('agent-pool');
export const AGENT_TOKEN_KIND: RecordKind = kind('agent-token');
export const AGENT_KIND: RecordKind = kind('agent');
export const RUN_SIGNING_KEY_KIND: RecordKind = kind('run-signing-key');
export const CONFIGURATION_KIND: RecordKind = kind('configuration');
export const CONFIGURATION_BODY_KIND: RecordKind = kind('configuration-body');
export const RUN_TRIGGER_KIND: RecordKind = kind('run-trigger');
export const NOTIFICATION_KIND: RecordKind = kind('notification');
export const NOTIFICATION_DELIVERY_KIND: RecordKind = kind('notification-delivery');
export const DRIFT_KIND: RecordKind = kind('drift');
export const DRIFT_SCHEDULE_KIND: RecordKind = kind('drift-schedule');
export const CURRENT_CONFIGURATION_KIND: RecordKind = kind('current-configuration');

/** The runs of one workspace: their ids alone. */
export function runsOfKind(address: string): RecordKind {
  return kind(`runs-of ${address}`);
}

/** What is kept of one run beside its record: its plan, and what else it made. */
export function runPartKindOf(runId: string): RecordKind {
  return kind(`run-part ${runId}`);
}

/** The phases that a pool of agents is to execute. */
export function poolJobsKindOf(pool: string): RecordKind {
  return kind(`agent-jobs ${pool}`);
}

/** The pieces of the log of one phase of a run. */
export function runLogKindOf(runId: string, phase: string): RecordKind {
  return kind(`run-log ${runId} ${phase}`);
}

/** The pieces of one upload: a kind of their own for each, so that one upload's are read without the others'. */
export function pieceKindOf(uploadId: string): RecordKind {
  return kind(`${UPLOAD_KIND} ${uploadId}`);
}

/** The upload whose pieces a stored kind is; null for any other kind. */
export function uploadOfPieceKind(kindStored: string): string | null {
  const prefix = `${UPLOAD_KIND} `;
  return kindStored.startsWith(prefix) ? kindStored.slice(prefix.length) : null;
}

function kind(name: string): RecordKind {
  return name as RecordKind;
}
