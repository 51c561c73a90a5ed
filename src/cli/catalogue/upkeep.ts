import { listed, type CatalogueEntry } from './entry.ts';

/** The commands about the data and the keys of a server. */
export const UPKEEP_COMMANDS: readonly CatalogueEntry[] = listed('upkeep', [
  {
    name: 'backup',
    summary: 'write all data into one file',
    load: () => import('../commands/backup.ts'),
  },
  {
    name: 'check',
    summary: 'look at every page of the database',
    load: () => import('../commands/check.ts'),
  },
  {
    name: 'restore-backup',
    summary: 'create a data directory from a backup',
    load: () => import('../commands/restore-backup.ts'),
  },
  {
    name: 'rotate-key',
    summary: 'change the master key',
    load: () => import('../commands/rotate-key.ts'),
  },
  {
    name: 'rotate-integrity-key',
    summary: 'change the key by which the server knows its own rows',
    load: () => import('../commands/rotate-integrity-key.ts'),
  },
  {
    name: 'reindex',
    summary: 'make the index anew by which states are found',
    load: () => import('../commands/reindex.ts'),
  },
  {
    name: 'decrypt',
    summary: 'read a state while the server is down',
    load: () => import('../commands/decrypt.ts'),
  },
  {
    name: 'migrate-engine',
    summary: 'move all data from a data directory to PostgreSQL, or back',
    load: () => import('../commands/migrate-engine.ts'),
  },
]);
