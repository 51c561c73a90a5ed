import type { Run } from '../../../runs/run-book.ts';
import type { Runs } from '../../../runs/runs.ts';
import { runOfPhase } from '../layout.ts';
import { isError, type Answer, type DoorCall } from './call.ts';
import { notFound, refused, undetected, type HcpError } from './errors.ts';

/** A call to a server that executes runs. */
export interface RunCall extends DoorCall {
  readonly runs: Runs;
}

/** Runs a row that needs what executes runs. */
export function withRuns(run: (call: RunCall) => Promise<Answer>): (call: DoorCall) => Promise<Answer> {
  return async (call) => {
    const { runs } = call;
    return runs === null ? NO_RUNS : run({ ...call, runs });
  };
}

const NO_RUNS: HcpError = undetected(
  'this server executes no runs: start it with --runs, or set the execution mode of the workspace to "local"',
);

/** The run that a path names, for whoever may see it. @param isPlain it is the run alone that is read */
export async function findRun(call: RunCall, id: string, isPlain = false): Promise<Run | HcpError> {
  const answer = await call.runs.show(call.caller, id, isPlain);
  if (answer.type === 'shown') return answer.run;
  return answer.type === 'absent' ? notFound(`run "${id}"`) : refused(answer);
}

/** The run that a path names by its own ID, or by that of its plan or its apply. */
async function runNamed(call: RunCall): Promise<Run | HcpError> {
  const { run, plan, apply } = call.params;
  const id = run ?? runOfPhase('plan', plan ?? '') ?? runOfPhase('apply', apply ?? '');
  return id === null ? notFound(`"${plan ?? apply ?? ''}"`) : findRun(call, id);
}

/** Runs a row that is about one run. */
export function atRun(
  answer: (call: RunCall, run: Run) => Answer | Promise<Answer>,
): (call: DoorCall) => Promise<Answer> {
  return withRuns(async (call) => {
    const run = await runNamed(call);
    return isError(run) ? run : answer(call, run);
  });
}
