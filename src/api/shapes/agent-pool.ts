/** Agents of one project that execute its runs. */
export interface AgentPoolShape {
  /** `apool-…` */
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

/** What an agent shows to be of a pool. */
export interface AgentTokenShape {
  /** `at-…` */
  readonly id: string;
  readonly description: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

/** A token at the one moment when its secret is told. */
export interface NewAgentTokenShape extends AgentTokenShape {
  readonly token: string;
}

/** An agent that has told of itself. */
export interface AgentShape {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** `terraform 1.11.4` */
  readonly programs: readonly string[];
  /** The network address that it comes from. */
  readonly address: string;
  readonly seenAt: string;
  /** It has not been heard of for so long that it is taken for gone. */
  readonly gone: boolean;
}

/** A pool with its tokens and its agents. */
export interface AgentPoolDetailShape extends AgentPoolShape {
  readonly tokens: readonly AgentTokenShape[];
  readonly agents: readonly AgentShape[];
}

export type ExecutionModeName = 'local' | 'remote' | 'agent';

/** Where the runs of a workspace are executed. */
export interface ExecutionShape {
  readonly mode: ExecutionModeName;
  /** The id of its pool, where agents execute; otherwise null. */
  readonly pool: string | null;
}
