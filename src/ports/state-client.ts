import type { Address } from '../core/address.ts';
import type { LockInfo } from '../core/lock-info.ts';

/**
 * The client side of one backend: the states where they really live, under the very locks that terraform takes.
 * Methods answer what may be expected with values, and throw a {@link BackendFault} for everything else.
 */
export interface StateClient {
  /** As the backend block names it: `s3`. */
  readonly backend: string;
  readonly traits: ClientTraits;
  /** Where a workspace's state is, for people: `s3://bucket/env:/dev/key`. Never with a password in it. */
  locate(workspace: string): string;
  /** Which service that is, where `locate` does not say it: the same bucket may be at two endpoints. */
  readonly endpoint?: string;
  /** What a workspace is called here for which terraform writes another name down when it is selected. */
  selected?(workspace: string): string;
  /** For a backend without workspaces of its own: the variables with which terraform reaches one. */
  variablesFor?(workspace: string): Readonly<Record<string, string>>;
  /**
   * For `statehouse exec`: the variables with which a terraform that takes no lock says that it runs under this one, so that
   * a server keeps every other one out; null where its configuration leaves no room for it, or the server is another one.
   */
  lend?(): Promise<((lockId: string) => Readonly<Record<string, string>>) | null>;
  /** Why a terraform that takes no lock cannot work while we hold the lock, as a sentence begins; null where it can. */
  keepsOut?(workspace: string): Promise<string | null>;
  /** Renames what is kept in the Terraform folder, so that terraform does not want to copy it anywhere. @returns the new names */
  setAside?(workspace: string): Promise<readonly string[]>;
  /** The names of all workspaces, `default` first; null where the backend cannot tell. */
  workspaces(): Promise<readonly string[] | null>;
  /** Makes a workspace as `terraform workspace new` does; under a lock of its own where terraform takes one. */
  createWorkspace(workspace: string, by: LockRequest): Promise<void>;
  /** Takes the state away, and its workspace with it. */
  deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void>;
  /** The state's bytes as they are kept; null when there is none. */
  read(workspace: string): Promise<Uint8Array | null>;
  /** Keeps the bytes as they are. Serial and lineage are the caller's business. */
  write(workspace: string, bytes: Uint8Array, held: HeldLock | null): Promise<void>;
  /** Tries to take the lock once, or waits for it where the backend itself has a waiting line. */
  lock(workspace: string, request: LockRequest, wait: LockWait): Promise<LockAttempt>;
  /** Who holds the lock now. Takes nothing. */
  inspectLock(workspace: string): Promise<LockState>;
  /** Takes another's lock away: `terraform force-unlock`. */
  breakLock(workspace: string, lockId: string): Promise<LockBreak>;
  /** Old versions, where the backend keeps them: the newest first. */
  readonly history: StateHistory | null;
  /** The Statehouse server that this backend reaches, where it can be one; null where it is none. */
  server?(workspace: string): Promise<ServedState | null>;
  /** Looks for what is wrong with the backend's own setup: `doctor` reports it. */
  examine(): Promise<readonly Finding[]>;
  /** Ends connections. Locks that live as long as a connection end with it. */
  close(): Promise<void>;
}

/** Where a Statehouse server keeps a state, and how its own API is reached. */
export interface ServedState {
  /** Without a slash at its end. */
  readonly url: string;
  readonly address: Address;
  /** null where the backend's protocol never sends the secret: it must then not be sent to the server's API either. */
  readonly credential: { readonly id: string; readonly secret: string } | null;
  /** The certificate to trust besides the usual ones, in PEM, and where it came from. */
  readonly ca: { readonly path: string; readonly pem: string } | null;
  readonly insecure: boolean;
}

export interface ClientTraits {
  /** Whether there are others than `default`; `named` when they can be used but not listed. */
  readonly workspaces: 'listed' | 'named' | 'default-only';
  /** Whether there is always one that is called `default`. */
  readonly hasDefault: boolean;
  /**
   * `stored` locks stay until they are released, `process` locks end with the process that took them; `none` when the
   * configuration turns locking off.
   */
  readonly locks: 'stored' | 'process' | 'none';
  /** Whether a refusal names the holder. */
  readonly showsHolder: boolean;
  /** Whether the backend holds a lock request open until its turn comes. */
  readonly parks: boolean;
  /** Whom the lock keeps apart: every two clients, or only those of different processes. */
  readonly excludes: 'clients' | 'processes';
  /** Whether the first lock makes the place of the states; before that, a read finds the place missing. */
  readonly madeByLock: boolean;
  /** Whether the states are kept in the Terraform folder itself. */
  readonly inFolder: boolean;
  /** Whether `terraform init -reconfigure` takes a folder to this backend, and away from it. */
  readonly reconfigures: boolean;
  /** What to do when the lock is found not to exclude. */
  readonly ifLockFails: string;
}

/** What most backends have in common. */
export const COMMON_TRAITS: Pick<
  ClientTraits,
  | 'hasDefault'
  | 'showsHolder'
  | 'parks'
  | 'excludes'
  | 'madeByLock'
  | 'inFolder'
  | 'reconfigures'
  | 'ifLockFails'
> = {
  hasDefault: true,
  showsHolder: true,
  parks: false,
  excludes: 'clients',
  madeByLock: false,
  inFolder: false,
  reconfigures: true,
  ifLockFails: 'Do not let two people work on this backend at the same time.',
};

/** A lock info but for its path, which each backend writes in its own way. */
export type LockRequest = Omit<LockInfo, 'path'>;

export interface LockWait {
  /** How long a backend with a waiting line may hold the request open, in milliseconds; 0 asks for an answer at once. */
  readonly milliseconds: number;
  readonly signal: AbortSignal | null;
}

export type LockAttempt =
  | { readonly type: 'locked'; readonly lock: HeldLock }
  /** Somebody else has it. */
  | {
      readonly type: 'held';
      readonly holder: LockInfo | null;
      readonly message: string;
      /** What a backend with a waiting line tells besides. */
      readonly line?: LockLine | null;
    }
  /** The configuration names no place for locks: terraform works without. */
  | { readonly type: 'unsupported'; readonly message: string };

/** A waiting line, as one who was refused the lock sees it. */
export interface LockLine {
  /** Who holds the lock, as authenticated. */
  readonly subject: string;
  /** How long the lock is usually held, in milliseconds; null where that is not known. */
  readonly usualHold: number | null;
  /** 1 is next; null for one who has no place in line. */
  readonly position: number | null;
  readonly waiting: number;
}

/** A lock of ours. */
export interface HeldLock {
  readonly workspace: string;
  /** What releases it; some backends choose it themselves. */
  readonly id: string;
  readonly info: LockInfo;
  /** Aborted when the lock is lost while we hold it: its connection broke, or its session ended. */
  readonly lost: AbortSignal;
  release(): Promise<LockRelease>;
}

export type LockRelease =
  | { readonly type: 'released' }
  /** It was not ours any more: broken, or lost. */
  | { readonly type: 'lost'; readonly message: string };

export type LockState =
  | { readonly type: 'free' }
  | {
      readonly type: 'held';
      readonly holder: LockInfo | null;
      /** The ID that the holder asked with, where the backend gives locks IDs of its own. */
      readonly askedWith?: string;
      /** How many wait, where the backend can tell. */
      readonly waiting: number | null;
      /** More for people: the process that holds it, for example. */
      readonly note: string;
    }
  /** The lock's place has something in it that is no lock info. */
  | { readonly type: 'unreadable'; readonly message: string }
  /** The backend does not tell without trying. */
  | { readonly type: 'unknown'; readonly message: string }
  | { readonly type: 'unsupported'; readonly message: string };

export type LockBreak =
  | { readonly type: 'broken' }
  | { readonly type: 'not-locked' }
  | { readonly type: 'other-id'; readonly holder: LockInfo | null }
  /** Such a lock cannot be broken from outside. */
  | { readonly type: 'impossible'; readonly message: string };

/** Versions that the backend keeps by itself. */
export interface StateHistory {
  list(workspace: string, limit: number): Promise<readonly StateVersion[]>;
  read(workspace: string, id: string): Promise<Uint8Array | null>;
}

export interface StateVersion {
  readonly id: string;
  readonly at: Date;
  readonly size: number | null;
  /** The state was deleted at that time. */
  readonly deleted: boolean;
}

/** Something about the backend that its owner should know. */
export interface Finding {
  readonly level: 'good' | 'hint' | 'warning' | 'problem';
  /** One word or two: `versioning`, `lock table`. */
  readonly topic: string;
  readonly message: string;
  /** What to do about it; empty for good news. */
  readonly next: string;
}

/** Why a backend could not do what was asked. */
export type FaultKind =
  /** No connection, or no answer. */
  | 'unreachable'
  /** The credentials are missing, wrong, expired or not allowed to. */
  | 'denied'
  /** The bucket, table, schema or folder is not there. */
  | 'missing'
  /** What is kept there is not what belongs there. */
  | 'corrupt'
  /** The backend's configuration is not valid. */
  | 'configuration'
  /** The backend refused the write by its own rules. */
  | 'refused'
  | 'other';

/** A failure of the backend, in words for the person who runs the command. Never with a secret in them. */
export class BackendFault extends Error {
  readonly kind: FaultKind;
  /** What to do now; empty when there is nothing to say. */
  readonly next: string;

  constructor(kind: FaultKind, message: string, next = '', cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'BackendFault';
    this.kind = kind;
    this.next = next;
  }
}
