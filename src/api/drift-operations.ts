import type { DriftDetailShape, DriftShape } from './shapes/drift.ts';
import type { Page } from './shapes/page.ts';
import type { RunShape } from './shapes/run.ts';

/** What the operations about drift take and answer. */
export interface DriftOperations {
  'list-drift': {
    query: { project?: string | undefined; limit?: number | undefined; cursor?: string | undefined };
    body: undefined;
    answer: Page<'states', DriftShape>;
  };
  'show-drift': { query: { address: string }; body: undefined; answer: DriftDetailShape };
  'schedule-drift': {
    query: { address: string };
    body: { schedule: string | null };
    answer: DriftDetailShape;
  };
  'check-drift': { query: { address: string }; body: undefined; answer: RunShape };
}
