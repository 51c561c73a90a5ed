import type { FreezeShape } from './freeze.ts';
/** Terraform's own lock info, as the client sent it, under Terraform's own names. */
export interface LockInfoShape {
  readonly ID: string;
  readonly Operation: string;
  readonly Info: string;
  readonly Who: string;
  readonly Version: string;
  readonly Created: string;
  readonly Path: string;
}

export interface HolderShape {
  readonly lockId: string;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly shared: boolean;
  readonly fence: number;
  readonly since: string;
  readonly heldMs: number;
  /** Its client has not acknowledged the answer that granted it the lock; null where another node alone knows. */
  readonly unheard: boolean | null;
  readonly reason: string;
  readonly info: LockInfoShape | null;
}

export interface WaiterShape {
  readonly position: number;
  readonly lockId: string;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly shared: boolean;
  readonly since: string;
  readonly waitedMs: number;
  readonly asks: number;
  readonly parked: boolean;
  readonly reason: string;
  readonly info: LockInfoShape | null;
}

export interface LockShape {
  readonly address: string;
  readonly usualHoldMs: number | null;
  readonly holders: readonly HolderShape[];
  readonly waiters: readonly WaiterShape[];
  readonly waiting: number;
  /** What refuses applies here; null where nothing does. */
  readonly frozen: FreezeShape | null;
}

/** A hold of a lock that has ended. */
export interface PastHoldShape {
  readonly since: string;
  readonly heldMs: number;
  readonly operation: string;
  readonly shared: boolean;
  /** Somebody else ended it. */
  readonly broken: boolean;
}

export interface ReleasedShape {
  readonly released: readonly string[];
  readonly broken: boolean;
}
