import type { WorkspaceSetting } from '../house/workspaces/records.ts';

/** Where the runs of a workspace are executed: by its clients, by the server, or by agents. */
export const EXECUTION_MODES = ['local', 'remote', 'agent'] as const;
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

/** The mode of a workspace, and the id of its pool where agents execute. */
export interface Execution {
  readonly mode: ExecutionMode;
  readonly pool: string | null;
}

/** The settings of a workspace that say it, by HCP's names. */
export const MODE_SETTING = 'execution-mode';
export const POOL_SETTING = 'agent-pool-id';

/** @param settings null where nothing was set @param executesHere whether the server itself executes runs */
export function executionOf(
  settings: Readonly<Record<string, WorkspaceSetting>> | null,
  executesHere: boolean,
): Execution {
  const set = EXECUTION_MODES.find((mode) => mode === settings?.[MODE_SETTING]);
  const mode = set ?? (executesHere ? 'remote' : 'local');
  const pool = settings?.[POOL_SETTING];
  return { mode, pool: mode === 'agent' && typeof pool === 'string' ? pool : null };
}
