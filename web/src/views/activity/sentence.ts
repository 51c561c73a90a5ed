import type { AuditShape } from '../../../../src/api/shapes/house.ts';

/** What people call an action; what is not here is called by its own name. */
const WORDS: Readonly<Record<string, string>> = {
  write: 'wrote a version',
  lock: 'took the lock',
  unlock: 'released the lock',
  'force-unlock': 'broke the lock',
  'lock-ended': 'let the lock end by time',
  'lock-taken-back': 'did not take up the lock',
  read: 'read the state',
  'read-history': 'read an old version',
  'read-outputs': 'read the outputs',
  'read-lock': 'looked at the lock',
  list: 'listed',
  'list-states': 'listed states',
  'list-locks': 'listed locks',
  'list-versions': 'listed versions',
  delete: 'deleted the state',
  undelete: 'brought the state back',
  purge: 'purged the state',
  restore: 'restored a version',
  prune: 'pruned versions',
  enter: 'came in',
  'sign-in': 'signed in at the page',
  'sign-out': 'signed out of the page',
  explore: 'looked for things in states',
  subscribe: 'followed the events',
  'credential-change': 'changed a credential',
  'credential-create': 'created a credential',
  'credential-revoke': 'revoked a credential',
  'read-audit': 'read the audit log',
  freeze: 'froze applies',
  unfreeze: 'ended a freeze',
  'project-set': 'changed a project',
  backup: 'took a backup',
  'rotate-key': 'changed the master key',
};

/** A record in a few words, with what matters most of its details. */
export function sentenceOf({ action, detail, refused }: AuditShape): string {
  const words = WORDS[action] ?? action.replaceAll('-', ' ');
  const facts = ['version', 'serial', 'operation', 'name', 'pattern', 'project'].flatMap((name) => {
    const value = detail[name];
    return value === undefined || value === ''
      ? []
      : [`${name} ${String(value).replace(/^OperationType/, '')}`];
  });
  const told = facts.length === 0 ? words : `${words}: ${facts.join(', ')}`;
  return refused === null ? told : `${told} (${refused})`;
}

/** Whether a record should catch the eye. */
export function toneOf({
  action,
  refused,
}: Pick<AuditShape, 'action' | 'refused'>): 'bad' | 'warn' | 'plain' {
  if (refused !== null) return 'bad';
  return action === 'force-unlock' ? 'warn' : 'plain';
}
