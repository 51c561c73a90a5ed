import { mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import { backupPath, lockInfoPath } from '../layout.ts';

/** What the names of states get that live elsewhere now. */
const SUFFIX = '.migrated';
/** Older ones of the same name are kept, so many at most. */
const TAKEN_MAX = 1_000;

/**
 * Renames what a workspace has on disk, so that terraform finds no state that it could want to copy.
 * @param state the state file; @param workspaceDir where the folders of workspaces are
 * @returns the new names
 */
export async function setAside(
  state: string,
  workspaceDir: string,
  workspace: string,
): Promise<readonly string[]> {
  await rm(lockInfoPath(state), { force: true });
  if (workspace !== DEFAULT_WORKSPACE) {
    const to = await freeName(join(`${workspaceDir}${SUFFIX}`, workspace));
    await mkdir(dirname(to), { recursive: true });
    await rename(dirname(state), to);
    // Only the last one leaves it empty.
    await rmdir(workspaceDir).catch(() => undefined);
    return [to];
  }
  const moved: string[] = [];
  for (const path of [state, backupPath(state)]) {
    if (!(await exists(path))) continue;
    const to = await freeName(`${path}${SUFFIX}`);
    await rename(path, to);
    moved.push(to);
  }
  return moved;
}

async function freeName(path: string): Promise<string> {
  for (let number = 0; number < TAKEN_MAX; number += 1) {
    const name = number === 0 ? path : `${path}.${number}`;
    if (!(await exists(name))) return name;
  }
  throw new Error(`${path} and ${TAKEN_MAX} more of that name are there already`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
