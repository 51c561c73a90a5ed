import { listed, type CatalogueEntry } from './entry.ts';

/** The commands of a state, wherever it is. */
export const STATE_COMMANDS: readonly CatalogueEntry[] = listed('state', [
  {
    name: 'history',
    summary: 'list the versions',
    load: () => import('../commands/history.ts'),
  },
  {
    name: 'diff',
    summary: 'compare two versions, workspaces or files',
    load: () => import('../commands/diff.ts'),
  },
  {
    name: 'pull',
    summary: 'print the state, byte for byte',
    load: () => import('../commands/pull.ts'),
  },
  {
    name: 'push',
    summary: 'write a state, under the lock',
    load: () => import('../commands/push.ts'),
  },
  {
    name: 'list',
    summary: 'list resource instances',
    load: () => import('../commands/list.ts'),
  },
  {
    name: 'show',
    summary: 'show the attributes of a resource instance',
    load: () => import('../commands/show.ts'),
  },
  {
    name: 'outputs',
    summary: 'show outputs',
    load: () => import('../commands/outputs.ts'),
  },
  {
    name: 'restore',
    summary: 'make an old version the newest one',
    load: () => import('../commands/restore.ts'),
  },
  {
    name: 'delete',
    summary: 'delete the state; a server keeps its versions',
    load: () => import('../commands/delete.ts'),
  },
  {
    name: 'undelete',
    summary: 'bring a deleted state back, on a server',
    load: () => import('../commands/undelete.ts'),
  },
  {
    name: 'purge',
    summary: 'remove a deleted state and all its versions, on a server',
    load: () => import('../commands/purge.ts'),
  },
  {
    name: 'retention',
    summary: 'show or set how much history a project keeps, on a server',
    load: () => import('../commands/retention.ts'),
  },
]);
