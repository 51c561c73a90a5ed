import { posix } from 'node:path';
import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import { LOCK_SUFFIX, STATE_SUFFIX } from '../layout.ts';

/** Where a backend block of type gcs keeps its states. */
export interface GcsPlace {
  readonly bucket: string;
  /** Ends with a slash; empty for the bucket itself. */
  readonly prefix: string;
}

/** The prefix as terraform takes it (internal/backend/remote-state/gcs/backend.go, `configure`). */
export function readPrefix(text: string): string {
  const prefix = text.replace(/^\/+/, '');
  return prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** The object that holds a workspace's state (backend_state.go, `stateFile`). */
export function stateName({ prefix }: GcsPlace, workspace: string): string {
  return posix.join(prefix, workspace + STATE_SUFFIX);
}

/** The object that is its lock (backend_state.go, `lockFile`). */
export function lockName({ prefix }: GcsPlace, workspace: string): string {
  return posix.join(prefix, workspace + LOCK_SUFFIX);
}

/** The workspace whose state an object is; null for what is none, and for `default`, which is always there. */
export function workspaceOf({ prefix }: GcsPlace, object: string): string | null {
  if (!object.startsWith(prefix) || !object.endsWith(STATE_SUFFIX)) return null;
  const workspace = object.slice(prefix.length, -STATE_SUFFIX.length);
  return workspace === '' || workspace.includes('/') || workspace === DEFAULT_WORKSPACE ? null : workspace;
}
