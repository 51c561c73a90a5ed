import type { Problem } from './read-value.ts';

/** What the audit log calls what somebody did, looked at or was refused, from all parts of the server. */
const AUDIT_ACTIONS: readonly string[] = [
  'audit-head',
  'backup',
  'credential-create',
  'credential-prune',
  'credential-revoke',
  'delete',
  'describe-lock',
  'dynamodb-table-drop',
  'dynamodb-table-set',
  'enter',
  'force-unlock',
  'list',
  'list-credentials',
  'list-locks',
  'list-projects',
  'list-states',
  'list-uploads',
  'list-versions',
  'lock',
  'lock-ended',
  'lock-taken-back',
  'manage',
  'more',
  'project-drop',
  'project-set',
  'prune',
  'prune-audit',
  'purge',
  'read',
  'read-audit',
  'read-history',
  'read-lock',
  'read-outputs',
  'read-project',
  'renew',
  'restore',
  'rotate-key',
  'subscribe',
  'undelete',
  'unlock',
  'upload-abort',
  'upload-begin',
  'upload-complete',
  'upload-expire',
  'upload-part',
  'write',
];

/** An action that the audit log may have. */
export function readAuditAction(text: string): string | Problem {
  if (AUDIT_ACTIONS.includes(text)) return text;
  return { problem: `unknown action "${text}": expected one of ${AUDIT_ACTIONS.join(', ')}` };
}
