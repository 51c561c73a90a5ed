import type { Instant } from './instant.ts';

/** What a credential may do, each role including the ones before it. */
export const ROLES = ['outputs', 'reader', 'writer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

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
  /** When it ends; absent for one that does not. */
  readonly expiry?: Expiry;
  /** The id of the credential that proved it; absent where none did. */
  readonly credentialId?: string;
  /** The session that it comes in; absent where the credential itself was presented. */
  readonly session?: Session;
  /** The sign-in at the page that it comes in; absent where the credential itself was presented. */
  readonly pageSession?: PageSession;
}

/** What somebody who signed in at the page goes by, in place of the credential. */
export interface PageSession {
  readonly id: string;
  /** When it was begun. */
  readonly since: Instant;
  /** It ends then, whatever is done with it. */
  readonly until: Instant;
  /** When it was last known to be in use. */
  readonly seenAt: Instant;
}

/** What a credential made to act for it for a while, with no more rights than it has. */
export interface Session {
  /** What stands for the credential's id. */
  readonly id: string;
  /** The role that was asked for, as it was named. */
  readonly role: string;
  /** The account that the role was named in. */
  readonly account: string;
  /** What the session calls itself. */
  readonly name: string;
  /** The name of the credential whose grants it is narrowed to; null where it has all that the caller has. */
  readonly narrowedTo: string | null;
}

/** When an identity ends. */
export interface Expiry {
  /** From then on it may only bring home what it took a lock for before (rule 10's grace). */
  readonly at: Instant;
  /** From then on it may do nothing. */
  readonly graceUntil: Instant;
}

const PATTERN_LENGTH_MAX = 1_100;

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

/** A credential is expired at and after its expiry. */
export function isExpired(expiresAt: Instant | null, at: Instant): boolean {
  return expiresAt !== null && expiresAt <= at;
}

/** Whether one who has expired may still bring home what it took a lock for at this moment. */
export function bringsHome(expiry: Expiry, since: Instant): boolean {
  return since < expiry.at;
}
