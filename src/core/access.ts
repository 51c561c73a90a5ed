import type { Action } from './action.ts';
import { splitWorkspace, workspaceText, type Address } from './address.ts';
import { ROLES, type Grant, type Role } from './grant.ts';

export type { Action } from './action.ts';

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
  return grants.some(({ role, pattern }) => includes(role, action) && matchesPattern(pattern, address));
}

/** Whether whoever has the outer grants may do all that the inner ones allow, each of them by a grant of its own. */
export function areWithin(inner: readonly Grant[], outer: readonly Grant[]): boolean {
  return inner.every((wanted) =>
    outer.some(
      ({ role, pattern }) =>
        ROLES.indexOf(role) >= ROLES.indexOf(wanted.role) && includesPattern(pattern, wanted.pattern),
    ),
  );
}

/** Whether one of the grants allows the action on the house as a whole: its pattern must be `*`. */
export function mayActOnHouse(grants: readonly Grant[], action: Action): boolean {
  return grants.some(({ role, pattern }) => includes(role, action) && isWhole(pattern));
}

/**
 * Whether a grant could allow the action on some address of the project, be there one or not: a pattern that leaves the
 * project open allows it in every project, which says nothing of whether the project may be known.
 */
export function mayActInProject(grants: readonly Grant[], action: Action, project: string): boolean {
  return reachOf(grants, action).some((reach) => isIn(reach, project));
}

/** Whether a grant names the project, or allows the action on all of it. */
export function knowsProject(grants: readonly Grant[], action: Action, project: string): boolean {
  return reachOf(grants, action).some((reach) => {
    if (!reach.isOpen) return reach.project === project;
    const { path, workspace } = splitWorkspace(reach.pattern);
    const isWhole = path.endsWith('*') && /^\*+$/.test(workspace ?? '*');
    return isWhole && fits(path, `${project}/`);
  });
}

/** The projects that grants for the action are about: by name, and by what their names begin with. */
export function projectsInReach(
  grants: readonly Grant[],
  action: Action,
): { readonly names: readonly string[]; readonly prefixes: readonly string[] } {
  const reaches = reachOf(grants, action);
  const of = (open: boolean): readonly string[] => [
    ...new Set(reaches.filter(({ isOpen }) => isOpen === open).map(({ project }) => project)),
  ];
  const prefixes = of(true);
  // Of two that overlap, the shorter one has all.
  const widest = prefixes.filter((one) => !prefixes.some((other) => other !== one && one.startsWith(other)));
  return { names: of(false), prefixes: widest };
}

/** What the keys begin with that grants for the action are about, in a project; "" for any key. */
export function keyPrefixesIn(grants: readonly Grant[], action: Action, project: string): readonly string[] {
  const prefixes = reachOf(grants, action)
    .filter((reach) => isIn(reach, project))
    .map(({ keyPrefix }) => keyPrefix);
  return prefixes.includes('') ? [''] : [...new Set(prefixes)];
}

/**
 * What the text forms of all addresses begin with on which the action may be allowed, in their order and none within another:
 * what begins with none of these need not even be looked at.
 */
export function namePrefixes(grants: readonly Grant[], action: Action): readonly string[] {
  const all = reachOf(grants, action).map(({ project, isOpen, keyPrefix }) =>
    isOpen ? project : `${project}/${keyPrefix}`,
  );
  const sorted = [...new Set(all)].sort(byCharacters);
  return sorted.filter((prefix) => !sorted.some((other) => other !== prefix && prefix.startsWith(other)));
}

/** Whether a grant could allow the action on some address at all. */
export function mayActSomewhere(grants: readonly Grant[], action: Action): boolean {
  return grants.some(({ role }) => includes(role, action));
}

/** What a grant's pattern says of the project. */
interface Reach {
  readonly pattern: string;
  /** Its name, or what it begins with. */
  readonly project: string;
  /** The project is not named in full. */
  readonly isOpen: boolean;
  readonly keyPrefix: string;
}

function reachOf(grants: readonly Grant[], action: Action): readonly Reach[] {
  return grants
    .filter(({ role }) => includes(role, action))
    .map(({ pattern }) => {
      const { path } = splitWorkspace(pattern);
      const slash = path.indexOf('/');
      const named = slash === -1 ? path : path.slice(0, slash);
      const isOpen = named.includes('*');
      const key = isOpen || slash === -1 ? '' : path.slice(slash + 1);
      return { pattern, project: untilStar(named), isOpen, keyPrefix: untilStar(key) };
    });
}

/** In the order of their characters, which is that of UTF-8; surrogate pairs sort otherwise by themselves. */
function byCharacters(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const at = left.findIndex((character, index) => character !== right[index]);
  if (at === -1) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}

function isIn({ project, isOpen }: Reach, name: string): boolean {
  return isOpen ? name.startsWith(project) : name === project;
}

function untilStar(pattern: string): string {
  const star = pattern.indexOf('*');
  return star === -1 ? pattern : pattern.slice(0, star);
}

function includes(role: Role, action: Action): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(LEAST_ROLE[action]);
}

function isWhole(pattern: string): boolean {
  return pattern === '*' || pattern === '*@*';
}

/** A "*" of the inner pattern is a character that only a "*" of the outer one fits, so that what this finds is so. */
function includesPattern(outer: string, inner: string): boolean {
  if (isWhole(inner)) return isWhole(outer);
  const [wide, narrow] = [splitWorkspace(outer), splitWorkspace(inner)];
  return fits(wide.path, narrow.path) && fits(wide.workspace ?? '*', narrow.workspace ?? '*');
}

/** Whether a pattern covers an address. */
export function matchesPattern(pattern: string, { project, key, workspace }: Address): boolean {
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
