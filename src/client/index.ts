/** The clients of backends as a library: `import { openClient, findTarget, waitForLock } from 'statehouse-server/client'`. */
export { findTarget, type FolderOptions, type Target } from '../workdir/folder.ts';
export { CLIENT_NAMES, openClient } from '../protocols/backends.ts';
export type { BackendChoice } from '../protocols/backend.ts';
export type { AttributeValue, BackendAttributes } from '../protocols/attributes.ts';
export { makeLockRequest } from '../protocols/lock-request.ts';
export { waitForLock, type Acquired, type Waiting, type WaitOptions } from '../protocols/wait-for-lock.ts';
export {
  BackendFault,
  type ClientTraits,
  type FaultKind,
  type Finding,
  type HeldLock,
  type LockAttempt,
  type LockBreak,
  type LockRelease,
  type LockRequest,
  type LockState,
  type LockWait,
  type StateClient,
  type StateHistory,
  type StateVersion,
} from '../ports/state-client.ts';
export type { LockInfo } from '../core/lock-info.ts';
export { readStateHeader, type StateHeader } from '../core/state-header.ts';
export { readSnapshot } from '../core/snapshot/read.ts';
export { diffSnapshots, type SnapshotDiff } from '../core/snapshot/diff.ts';
export { summarizeSnapshot, type SnapshotSummary } from '../core/snapshot/summary.ts';
export { printMasked, type Masked } from '../core/snapshot/masked.ts';
export type { EncryptedSnapshot, Snapshot, SnapshotProblem } from '../core/snapshot/snapshot.ts';
