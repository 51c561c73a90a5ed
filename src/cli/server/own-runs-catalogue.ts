import type { CatalogueEntry } from '../catalogue-entry.ts';

/** The commands about runs that the server makes by itself: checks for drift, and after applies of others. */
export const OWN_RUN_COMMANDS: readonly CatalogueEntry[] = [
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
  {
    name: 'run-trigger add',
    section: 'server',
    summary: 'make runs of a state after applies of another',
    load: () => import('../commands/run-trigger-add.ts'),
  },
  {
    name: 'run-trigger list',
    section: 'server',
    summary: 'list the run triggers of a state',
    load: () => import('../commands/run-trigger-list.ts'),
  },
  {
    name: 'run-trigger remove',
    section: 'server',
    summary: 'remove a run trigger',
    load: () => import('../commands/run-trigger-remove.ts'),
  },
];
