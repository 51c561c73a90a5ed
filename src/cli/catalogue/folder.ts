import { listed, type CatalogueEntry } from './entry.ts';

/** The commands of a Terraform folder. */
export const FOLDER_COMMANDS: readonly CatalogueEntry[] = listed('folder', [
  {
    name: 'status',
    summary: 'show where the state is, what is in it, and who holds its lock',
    load: () => import('../commands/status.ts'),
  },
  {
    name: 'lock',
    summary: 'take the lock that terraform respects',
    load: () => import('../commands/lock.ts'),
  },
  {
    name: 'unlock',
    summary: 'release the lock that "statehouse lock" took',
    load: () => import('../commands/unlock.ts'),
  },
  {
    name: 'force-unlock',
    summary: 'break a lock that was left behind, in a folder or on a server',
    load: () => import('../commands/force-unlock.ts'),
  },
  {
    name: 'exec',
    summary: 'run a command while holding the lock',
    load: () => import('../commands/exec.ts'),
  },
  {
    name: 'rescue',
    summary: 'merge a state that was refused into the newest one',
    load: () => import('../commands/rescue.ts'),
  },
  {
    name: 'workspace list',
    summary: 'list the workspaces',
    load: () => import('../commands/workspace-list.ts'),
  },
  {
    name: 'workspace new',
    summary: 'create a workspace',
    load: () => import('../commands/workspace-new.ts'),
  },
  {
    name: 'workspace select',
    summary: 'select the workspace of this folder',
    load: () => import('../commands/workspace-select.ts'),
  },
  {
    name: 'workspace show',
    summary: 'print the selected workspace',
    load: () => import('../commands/workspace-show.ts'),
  },
  {
    name: 'workspace delete',
    summary: 'delete a workspace and its state',
    load: () => import('../commands/workspace-delete.ts'),
  },
  {
    name: 'migrate',
    summary: 'copy all workspaces to another backend',
    load: () => import('../commands/migrate.ts'),
  },
  {
    name: 'doctor',
    summary: 'test that the lock excludes, and report problems',
    load: () => import('../commands/doctor.ts'),
  },
]);
