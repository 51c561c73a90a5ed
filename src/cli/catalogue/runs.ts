import { listed, type CatalogueEntry } from './entry.ts';

/** The commands about what a server, or its agents, execute. */
export const RUN_COMMANDS: readonly CatalogueEntry[] = listed('runs', [
  {
    name: 'run plan',
    summary: 'have the server plan this folder',
    load: () => import('../commands/run-plan.ts'),
  },
  {
    name: 'run apply',
    summary: 'have the server plan and apply this folder',
    load: () => import('../commands/run-apply.ts'),
  },
  {
    name: 'run again',
    summary: 'plan or apply again what was applied last, from anywhere',
    load: () => import('../commands/run-again.ts'),
  },
  {
    name: 'run list',
    summary: 'list the plans and applies that the server executes',
    load: () => import('../commands/run-list.ts'),
  },
  {
    name: 'run logs',
    summary: 'show the log of a run',
    load: () => import('../commands/run-logs.ts'),
  },
  {
    name: 'run confirm',
    summary: 'have a planned run applied',
    load: () => import('../commands/run-confirm.ts'),
  },
  {
    name: 'run discard',
    summary: 'give up a run that waits',
    load: () => import('../commands/run-discard.ts'),
  },
  {
    name: 'run cancel',
    summary: 'end a run',
    load: () => import('../commands/run-cancel.ts'),
  },
  {
    name: 'run mode',
    summary: 'show or say where the runs of a state are executed',
    load: () => import('../commands/run-mode.ts'),
  },
  {
    name: 'drift list',
    summary: 'list the states that have drifted',
    load: () => import('../commands/drift-list.ts'),
  },
  {
    name: 'drift show',
    summary: 'show what of a state has drifted',
    load: () => import('../commands/drift-show.ts'),
  },
  {
    name: 'drift check',
    summary: 'look at a state for drift now',
    load: () => import('../commands/drift-check.ts'),
  },
  {
    name: 'drift schedule',
    summary: 'say when a state is looked at for drift',
    load: () => import('../commands/drift-schedule.ts'),
  },
  {
    name: 'run-trigger add',
    summary: 'make runs of a state after applies of another',
    load: () => import('../commands/run-trigger-add.ts'),
  },
  {
    name: 'run-trigger list',
    summary: 'list the run triggers of a state',
    load: () => import('../commands/run-trigger-list.ts'),
  },
  {
    name: 'run-trigger remove',
    summary: 'remove a run trigger',
    load: () => import('../commands/run-trigger-remove.ts'),
  },
  {
    name: 'agent',
    summary: 'execute runs of a server on this machine',
    load: () => import('../commands/agent.ts'),
  },
  {
    name: 'agent-pool create',
    summary: 'make an agent pool and its first token',
    load: () => import('../commands/agent-pool-create.ts'),
  },
  {
    name: 'agent-pool list',
    summary: 'list the agent pools of a project',
    load: () => import('../commands/agent-pool-list.ts'),
  },
  {
    name: 'agent-pool show',
    summary: 'show the agents and the tokens of a pool',
    load: () => import('../commands/agent-pool-show.ts'),
  },
  {
    name: 'agent-pool token',
    summary: 'make another token of a pool',
    load: () => import('../commands/agent-pool-token.ts'),
  },
  {
    name: 'agent-pool revoke',
    summary: 'revoke a token of a pool',
    load: () => import('../commands/agent-pool-revoke.ts'),
  },
  {
    name: 'agent-pool remove',
    summary: 'remove an agent pool',
    load: () => import('../commands/agent-pool-remove.ts'),
  },
]);
