/**
 * How a program that `statehouse exec` runs says under which lock it writes, where its protocol names no lock: in its user
 * name at the http door, in its user agent elsewhere. Nothing is proven by it: the subject must be that of the holder.
 */

const LOCK_ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const IN_USER = new RegExp(`^(.+)\\+lock=(${LOCK_ID})$`);
/** As terraform appends it, and as AWS's SDKs write the id of an application, which has at most 50 characters. */
const IN_AGENT = new RegExp(`(?:^| )(?:statehouse-lock/|app/statehouse\\.)(${LOCK_ID})(?: |$)`);
/** Longer user agents are not searched. */
const AGENT_LENGTH_MAX = 2_000;

/** A user name as the backend sends it, and the lock that it may carry. */
export function splitUser(user: string): { readonly id: string; readonly lockId: string | null } {
  const [, id = user, lockId = null] = IN_USER.exec(user) ?? [];
  return { id, lockId };
}

/** The user name that carries a lock, in place of any that it carried before. */
export function userWithLock(user: string, lockId: string): string {
  return `${splitUser(user).id}+lock=${lockId}`;
}

/** The lock that a user agent carries. */
export function lockInAgent(agent: string): string | null {
  return IN_AGENT.exec(agent.slice(0, AGENT_LENGTH_MAX))?.[1] ?? null;
}

/** What terraform is to append to its user agent: what was appended before, and the lock. */
export function agentWithLock(agent: string, lockId: string): string {
  const others = agent.split(' ').filter((word) => word !== '' && !word.startsWith('statehouse-lock/'));
  return [...others, `statehouse-lock/${lockId}`].join(' ');
}

/** The same as the id of an application, for programs that use AWS's SDKs. */
export function applicationWithLock(lockId: string): string {
  return `statehouse.${lockId}`;
}
