import type {
  AgentPoolDetailShape,
  AgentPoolShape,
  ExecutionModeName,
  ExecutionShape,
  NewAgentTokenShape,
} from './shapes/agent-pool.ts';

type Nothing = Readonly<Record<string, never>>;

/** What the operations about agents take and answer. */
export interface AgentPoolOperations {
  'list-agent-pools': {
    query: { project: string };
    body: undefined;
    answer: { readonly pools: readonly AgentPoolShape[] };
  };
  'create-agent-pool': {
    query: Nothing;
    body: { project: string; name: string };
    answer: AgentPoolShape;
  };
  'show-agent-pool': { part: 'id'; query: Nothing; body: undefined; answer: AgentPoolDetailShape };
  'remove-agent-pool': {
    part: 'id';
    query: Nothing;
    body: undefined;
    answer: { readonly removed: string };
  };
  'create-agent-token': {
    query: Nothing;
    body: { pool: string; description?: string | undefined };
    answer: NewAgentTokenShape;
  };
  'revoke-agent-token': {
    part: 'id';
    query: Nothing;
    body: undefined;
    answer: { readonly revoked: string };
  };
  'show-execution': { query: { address: string }; body: undefined; answer: ExecutionShape };
  'set-execution': {
    query: { address: string };
    body: { mode: ExecutionModeName; pool?: string | null | undefined };
    answer: ExecutionShape;
  };
}
