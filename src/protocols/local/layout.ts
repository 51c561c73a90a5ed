import { dirname, basename, join } from 'node:path';
import { DEFAULT_WORKSPACE } from '../../core/address.ts';

/** Where the local backend keeps things (terraform internal/backend/local/backend.go, internal/states/statemgr). */
export const DEFAULT_STATE_PATH = 'terraform.tfstate';
export const DEFAULT_WORKSPACE_DIR = 'terraform.tfstate.d';
const BACKUP_SUFFIX = '.backup';

export interface LocalLayout {
  /** Path of the default workspace's state, as configured. */
  readonly path: string;
  readonly workspaceDir: string;
}

/** The state file of a workspace. Only `default` is where `path` says. */
export function statePath({ path, workspaceDir }: LocalLayout, workspace: string): string {
  return workspace === DEFAULT_WORKSPACE ? path : join(workspaceDir, workspace, DEFAULT_STATE_PATH);
}

/** `.terraform.tfstate.lock.info`: a dot, the file's name without a dot of its own, and this. */
export function lockInfoPath(state: string): string {
  return join(dirname(state), `.${basename(state).replace(/^\./, '')}.lock.info`);
}

export function backupPath(state: string): string {
  return state + BACKUP_SUFFIX;
}

/** Holds a write of ours until it is whole in the state file. Terraform knows nothing of it. */
export function journalPath(state: string): string {
  return join(dirname(state), `.${basename(state).replace(/^\./, '')}.statehouse-write`);
}
