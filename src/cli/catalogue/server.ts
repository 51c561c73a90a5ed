import { listed, type CatalogueEntry } from './entry.ts';

/** The commands that start a server, or ask one what it has. */
export const SERVER_COMMANDS: readonly CatalogueEntry[] = listed('server', [
  {
    name: 'serve',
    summary: 'run the state server',
    load: () => import('../commands/serve.ts'),
  },
  {
    name: 'demo',
    summary: 'show two concurrent applies on one state, without a lost change',
    load: () => import('../commands/demo.ts'),
  },
  {
    name: 'config',
    summary: 'print the backend block and the environment for a state',
    load: () => import('../commands/config.ts'),
  },
  {
    name: 'open',
    summary: 'open the page of a server, or of a state on it',
    load: () => import('../commands/open.ts'),
  },
  {
    name: 'states',
    summary: 'list the states on a server',
    load: () => import('../commands/states.ts'),
  },
  {
    name: 'locks',
    summary: 'show who holds locks and who waits',
    load: () => import('../commands/locks.ts'),
  },
  {
    name: 'freeze',
    summary: 'refuse applies for a time, while plans go on',
    load: () => import('../commands/freeze.ts'),
  },
  {
    name: 'unfreeze',
    summary: 'end a freeze before its time',
    load: () => import('../commands/unfreeze.ts'),
  },
]);
