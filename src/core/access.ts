import { splitWorkspace, workspaceText, type Address } from './address.ts';
import { ROLES, type Grant, type Role } from './grant.ts';

/** What can be asked of an address, or of the house as a whole. */
export type Action =
  | 'read-outputs'
  | 'read'
  /** Old versions, as against the newest. */
  | 'read-history'
  | 'list'
  | 'write'
  | 'lock'
  | 'unlock'
  | 'delete'
  | 'restore'
  | 'force-unlock'
  | 'purge'
  | 'read-audit'
  | 'manage';

const LEAST_ROLE: Record<Action, Role> = {
  'read-outputs': 'outputs',
  read: 'reader',
  'read-history': 'reader',
  list: 'reader',
  write: 'writer',
  lock: 'writer',
  unlock: 'writer',
  delete: 'writer',
  restore: 'writer',
  'force-unlock': 'operator',
  purge: 'admin',
  'read-audit': 'admin',
  manage: 'admin',
};

/** What a credential may still do in its grace, where it holds a lock: rule 10 says no more. */
const IN_GRACE: Record<Action, boolean> = {
  'read-outputs': false,
  read: true,
  'read-history': false,
  list: false,
  write: true,
  lock: true,
  unlock: true,
  delete: false,
  restore: false,
  'force-unlock': false,
  purge: false,
  'read-audit': false,
  manage: false,
};

/** Whether the action may serve to bring home what a lock is held for. */
export function mayBeInGrace(action: Action): boolean {
  return IN_GRACE[action];
}

/** Whether one of the grants allows the action on this address. */
export function mayActOn(grants: readonly Grant[], action: Action, address: Address): boolean {
  return grants.some(({ role, pattern }) => includes(role, action) && matches(pattern, address));
}

/** Whether one of the grants allows the action on the house as a whole: its pattern must be `*`. */
export function mayActOnHouse(grants: readonly Grant[], action: Action): boolean {
  return grants.some(({ role, pattern }) => includes(role, action) && (pattern === '*' || pattern === '*@*'));
}

/** Whether a grant could allow the action on some address of the project. */
export function mayActInProject(grants: readonly Grant[], action: Action, project: string): boolean {
  return grants.some(({ role, pattern }) => {
    if (!includes(role, action)) return false;
    const projectPattern = splitWorkspace(pattern).path.split('/')[0] ?? '';
    const star = projectPattern.indexOf('*');
    return star === -1 ? projectPattern === project : project.startsWith(projectPattern.slice(0, star));
  });
}

/** Whether a grant could allow the action on some address at all. */
export function mayActSomewhere(grants: readonly Grant[], action: Action): boolean {
  return grants.some(({ role }) => includes(role, action));
}

function includes(role: Role, action: Action): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(LEAST_ROLE[action]);
}

function matches(pattern: string, { project, key, workspace }: Address): boolean {
  const wanted = splitWorkspace(pattern);
  return (
    fits(wanted.path, `${project}/${key}`) &&
    (wanted.workspace === null || fits(wanted.workspace, workspaceText(workspace)))
  );
}

/** Greedy wildcard match with one way back, so that its time is bounded by pattern × name. */
function fits(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = n;
    } else if (pattern[p] === name[n]) {
      p += 1;
      n += 1;
    } else if (star !== -1) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
