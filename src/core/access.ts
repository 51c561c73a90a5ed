import { splitWorkspace, workspaceText, type Address } from './address.ts';
import type { Instant } from './instant.ts';

/** What a credential may do, each role including the ones before it. */
export const ROLES = ['outputs', 'reader', 'writer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What can be asked of an address, or of the house as a whole. */
export type Action =
  | 'read-outputs'
  | 'read'
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

/**
 * A role on the addresses that match a pattern such as `acme/net/*@*`, where `*` is any text on its side of the "@".
 * A pattern without "@" means every workspace.
 */
export interface Grant {
  readonly role: Role;
  readonly pattern: string;
}

/** Who is asking, as authenticated. */
export interface Identity {
  /** `token:ci-prod`: written to locks, versions and the audit log. */
  readonly subject: string;
  readonly grants: readonly Grant[];
  /** Past its expiry: it may only bring home what it holds a lock for (rule 10's grace). */
  readonly expired: boolean;
}

const PATTERN_LENGTH_MAX = 1_100;

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

/** What is wrong with a grant's pattern, or null. */
export function patternProblem(pattern: string): string | null {
  if (pattern === '') return 'a pattern is not empty: "*" means every address';
  if (pattern.length > PATTERN_LENGTH_MAX) return `a pattern has at most ${PATTERN_LENGTH_MAX} characters`;
  if (pattern !== '*' && pattern !== '*@*' && !pattern.includes('/')) {
    return 'a pattern is written project/key@workspace, with "*" for any text: acme/net/*@*';
  }
  return null;
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** A credential is of no use at or after its expiry. */
export function isExpired(expiresAt: Instant | null, at: Instant): boolean {
  return expiresAt !== null && expiresAt <= at;
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
