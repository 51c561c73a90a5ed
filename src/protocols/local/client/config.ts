import { isAbsolute, resolve } from 'node:path';
import type { BackendAttributes } from '../../attributes.ts';
import { readText } from '../../attributes.ts';
import type { LocalLayout } from '../layout.ts';
import { DEFAULT_STATE_PATH, DEFAULT_WORKSPACE_DIR } from '../layout.ts';

export interface LocalConfig {
  /** As configured: these names go into lock infos. */
  readonly named: LocalLayout;
  /** What the names are relative to. */
  readonly folder: string;
}

export function readLocalConfig(attributes: BackendAttributes, folder: string): LocalConfig {
  return {
    named: {
      path: readText(attributes, 'path') ?? DEFAULT_STATE_PATH,
      workspaceDir: readText(attributes, 'workspace_dir') ?? DEFAULT_WORKSPACE_DIR,
    },
    folder,
  };
}

/** A configured path as an absolute one. */
export function locatePath({ folder }: LocalConfig, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path);
}
