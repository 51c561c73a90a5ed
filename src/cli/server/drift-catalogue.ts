import type { CatalogueEntry } from '../catalogue-entry.ts';

/** The commands about what is there, beside what states say of it. */
export const DRIFT_COMMANDS: readonly CatalogueEntry[] = [
  {
    name: 'drift list',
    section: 'server',
    summary: 'list the states that have drifted',
    load: () => import('../commands/drift-list.ts'),
  },
  {
    name: 'drift show',
    section: 'server',
    summary: 'show what of a state has drifted',
    load: () => import('../commands/drift-show.ts'),
  },
  {
    name: 'drift check',
    section: 'server',
    summary: 'look at a state for drift now',
    load: () => import('../commands/drift-check.ts'),
  },
  {
    name: 'drift schedule',
    section: 'server',
    summary: 'say when a state is looked at for drift',
    load: () => import('../commands/drift-schedule.ts'),
  },
];
