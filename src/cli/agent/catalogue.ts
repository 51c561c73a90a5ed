import type { CatalogueEntry } from '../catalogue-entry.ts';

/** The commands about agents, which execute runs on other machines. */
export const AGENT_COMMANDS: readonly CatalogueEntry[] = [
  {
    name: 'run mode',
    section: 'server',
    summary: 'show or say where the runs of a state are executed',
    load: () => import('../commands/run-mode.ts'),
  },
  {
    name: 'agent',
    section: 'server',
    summary: 'execute runs of a server on this machine',
    load: () => import('../commands/agent.ts'),
  },
  {
    name: 'agent-pool create',
    section: 'server',
    summary: 'make an agent pool and its first token',
    load: () => import('../commands/agent-pool-create.ts'),
  },
  {
    name: 'agent-pool list',
    section: 'server',
    summary: 'list the agent pools of a project',
    load: () => import('../commands/agent-pool-list.ts'),
  },
  {
    name: 'agent-pool show',
    section: 'server',
    summary: 'show the agents and the tokens of a pool',
    load: () => import('../commands/agent-pool-show.ts'),
  },
  {
    name: 'agent-pool token',
    section: 'server',
    summary: 'make another token of a pool',
    load: () => import('../commands/agent-pool-token.ts'),
  },
  {
    name: 'agent-pool revoke',
    section: 'server',
    summary: 'revoke a token of a pool',
    load: () => import('../commands/agent-pool-revoke.ts'),
  },
  {
    name: 'agent-pool remove',
    section: 'server',
    summary: 'remove an agent pool',
    load: () => import('../commands/agent-pool-remove.ts'),
  },
];
