import type { Grant } from './grant.ts';
import type { Instant } from './instant.ts';

/**
 * A key to every door: an id that fits an AWS access key id, and a secret that is kept sealed, because SigV4 and Azure's
 * shared key can only be verified with the secret itself.
 */
export interface Credential {
  readonly id: string;
  /** What locks, versions and the audit log call it: `token:<name>`. */
  readonly name: string;
  readonly sealedSecret: Uint8Array;
  readonly grants: readonly Grant[];
  readonly createdAt: Instant;
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
}

/** AWS access key ids have 16 to 128 letters, digits and underscores. */
export const CREDENTIAL_ID: RegExp = /^\w{16,128}$/;
/** Letters and digits, and a multiple of four of them, so that Azure's clients can read it as base64. */
export const CREDENTIAL_SECRET: RegExp = /^(?:[A-Za-z0-9]{4}){5,32}$/;
export const CREDENTIAL_NAME: RegExp = /^[A-Za-z0-9](?:[A-Za-z0-9._@:/-]{0,98}[A-Za-z0-9])?$/;
