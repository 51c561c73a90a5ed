import { listed, type CatalogueEntry } from './entry.ts';

/** The commands about the command line itself. */
export const SELF_COMMANDS: readonly CatalogueEntry[] = listed('self', [
  {
    name: 'completion',
    summary: 'print a completion script for your shell',
    load: () => import('../commands/completion.ts'),
  },
]);
