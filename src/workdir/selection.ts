import type { Environment } from '../ports/environment.ts';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendFault } from '../ports/state-client.ts';
import { dataFolderOf } from './folder.ts';

/** Writes down the selected workspace where terraform looks for it: the bare name, without a line end. */
export async function selectWorkspace(folder: string, workspace: string, env: Environment): Promise<void> {
  if ((env['TF_WORKSPACE'] ?? '') !== '') {
    throw new BackendFault(
      'configuration',
      `TF_WORKSPACE selects the workspace "${env['TF_WORKSPACE']}", so another selection would have no effect`,
      'Unset TF_WORKSPACE first.',
    );
  }
  const dataFolder = dataFolderOf(folder, env);
  await mkdir(dataFolder, { recursive: true });
  await writeFile(join(dataFolder, 'environment'), workspace);
}
