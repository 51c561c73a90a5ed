import type { RunTriggerShape } from './shapes/run-trigger.ts';

/** What the operations about run triggers take and answer. */
export interface RunTriggerOperations {
  'list-run-triggers': {
    query: { address: string };
    body: undefined;
    answer: { readonly triggers: readonly RunTriggerShape[] };
  };
  'create-run-trigger': {
    query: Readonly<Record<string, never>>;
    body: { address: string; after: string };
    answer: RunTriggerShape;
  };
  'remove-run-trigger': {
    part: 'id';
    query: Readonly<Record<string, never>>;
    body: undefined;
    answer: { readonly removed: string };
  };
}
