import { z } from 'zod';
import type { RunAgainShape, RunLogShape, RunShape } from '../../../api/shapes/run.ts';
import { formatAddress } from '../../../core/address.ts';
import { RUN_KINDS } from '../../../core/runs/status.ts';
import { RUN_PROGRAMS, type PlanCounts } from '../../../runs/records.ts';
import type { Run } from '../../../runs/run-book.ts';
import type { AgainWanted } from '../../../runs/wanted.ts';
import { count, instant, objectOf, text } from './plain.ts';

const COUNTS = z.strictObject({
  additions: count('Resources to add.'),
  changes: count('Resources to change.'),
  destructions: count('Resources to destroy.'),
  imports: count('Resources to import.'),
});

export const RUN: z.ZodType<RunShape> = objectOf<RunShape>({
  id: text('Its ID, `run-…`.'),
  address: text('`project/key@workspace`.'),
  status: text('`pending`, `plan_queued`, `planning`, `planned`, … as docs/runs.md says.'),
  kind: z.enum(RUN_KINDS).describe('What it is made for.'),
  destroy: z.boolean().describe('It destroys what there is.'),
  createdAt: instant('When it was made.'),
  createdBy: text('Who made it, as authenticated.'),
  message: text('What its maker said of it.'),
  program: z.enum(RUN_PROGRAMS).describe('What it is executed with.'),
  version: text('The version of that program.'),
  hasChanges: z.boolean().describe('Whether its plan changes anything; false until that is known.'),
  counts: COUNTS.nullable().describe('What its plan would do; null before that is known.'),
  problem: z.string().nullable().describe('Why it ended, where its log does not say it.'),
}).meta({ id: 'Run' });

export const RUNS: z.ZodType<{ readonly runs: readonly RunShape[] }> = z
  .strictObject({ runs: z.array(RUN) })
  .meta({ id: 'Runs' });

export const RUN_LOG: z.ZodType<RunLogShape> = objectOf<RunLogShape>({
  text: text('What the programs said, in whole lines until the log ends.'),
  next: count('Give this as `offset` for what comes next.'),
  ended: z.boolean().describe('Nothing comes after it.'),
}).meta({ id: 'RunLog' });

/** What is asked for, as runs are made. */
export function againWanted(asked: RunAgainShape): AgainWanted {
  return {
    planOnly: asked.apply !== true,
    autoApply: asked.autoApply ?? false,
    destroy: asked.destroy ?? false,
    refresh: asked.noRefresh !== true,
    refreshOnly: asked.refreshOnly ?? false,
    targets: asked.targets ?? [],
    replaces: asked.replaces ?? [],
    generatesConfiguration: false,
    message: asked.message ?? '',
    variables: [],
    program: null,
    version: asked.version ?? null,
  };
}

export function toRunShape(run: Run): RunShape {
  const { id, status, kind, createdBy, message, program, version, hasChanges, counts, problem } = run;
  return {
    id,
    address: formatAddress(run.address),
    status,
    kind,
    destroy: run.task.destroy,
    createdAt: new Date(run.createdAt).toISOString(),
    createdBy,
    message,
    program,
    version,
    hasChanges,
    counts: counts === null ? null : shownCounts(counts),
    problem,
  };
}

function shownCounts({ additions, changes, destructions, imports }: PlanCounts): RunShape['counts'] {
  return { additions, changes, destructions, imports };
}
