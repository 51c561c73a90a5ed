import type { Grant } from '../../core/grant.ts';
import type { Quota, Usage } from '../../core/quota.ts';
import type { RetentionMode } from '../../core/retained.ts';
import type { RetentionLimit } from '../../core/retention.ts';

export interface CredentialShape {
  readonly id: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** Until then it may still write and release what it took the lock of before it expired. */
  readonly graceUntil: string | null;
  readonly revokedAt: string | null;
  readonly locks: readonly HeldLockShape[];
  /** null where it was never used. */
  readonly lastUsed: { readonly at: string; readonly door: string; readonly peer: string | null } | null;
}

/** A lock that a credential holds. */
export interface HeldLockShape {
  readonly address: string;
  readonly lockId: string;
}

export interface RevokedCredentialShape extends CredentialShape {
  /** The locks that were broken with it. */
  readonly broken: readonly HeldLockShape[];
}

/** A credential at the one moment when its secret is told. */
export interface NewCredentialShape extends CredentialShape {
  readonly secret: string;
}

export interface AuditShape {
  readonly id: number;
  readonly at: string;
  readonly address: string | null;
  readonly action: string;
  readonly subject: string;
  readonly door: string;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
  readonly refused: string | null;
  readonly credential: string | null;
  readonly peer: string | null;
  readonly requestId: string | null;
  readonly userAgent: string | null;
  readonly presigned: boolean;
}

/** What was written to the audit log after a place in it, oldest first. */
export interface AuditFollowedShape {
  readonly records: readonly AuditShape[];
  readonly after: number;
  readonly pruned: boolean;
}

/** Where the audit log ends. */
export interface AuditHeadShape {
  readonly head: string;
}

/** How much history is kept; null where it is not limited. */
export type RetentionShape = { readonly [L in RetentionLimit]: number | null };

/** What may be set for a project; what is left out stays as it is. */
export type ProjectSettings = { [L in RetentionLimit | Quota]?: number | null | undefined } & {
  announceFirst?: boolean | null | undefined;
  retainMode?: RetentionMode | null | undefined;
};

/** How much a project may keep; null where it is not limited. */
export type QuotaShape = { readonly [Q in Quota]: number | null };

export interface ProjectShape {
  readonly project: string;
  /** Whether the first write of a state by a run must be announced. */
  readonly announceFirst: boolean;
  /** Who may remove a version that is retained. */
  readonly retainMode: RetentionMode;
  readonly set: RetentionShape;
  readonly effective: RetentionShape;
  readonly quota: { readonly set: QuotaShape; readonly effective: QuotaShape; readonly used: Usage };
}

export interface WhoamiShape {
  readonly subject: string;
  readonly grants: readonly Grant[];
}

export interface InfoShape {
  readonly version: string;
  readonly engine: string;
  readonly manyNodes: boolean;
  readonly now: string;
  readonly stateBytesMax: number;
  readonly plansShare: boolean;
  readonly retention: RetentionShape;
  readonly backup: boolean;
}

export interface RotationShape {
  readonly keyId: string;
  readonly newKey: boolean;
  readonly sealedAnew: number;
}

/** How far encrypting the states anew has got. */
export interface ReencryptionShape {
  readonly keyId: string;
  readonly done: number;
  readonly damaged: number;
  readonly after: string | null;
  readonly left: number | null;
}

/** What is wrong with the database. */
export interface CheckedShape {
  readonly damage: string | null;
}

/** Every refusal and every fault. */
export interface ProblemShape {
  readonly error: string;
  readonly message: string;
}
