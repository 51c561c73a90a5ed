import { formatAddress } from '../core/address.ts';
import type { House } from '../house/house.ts';
import type { Log } from '../ports/log.ts';
import type { Run, RunBook } from './run-book.ts';

type Told = Parameters<House['webhooks']['tell']>[0];

/** Tells webhooks of runs that somebody should look at: that wait to be confirmed, that were applied, and that failed. */
export function announceRuns(book: RunBook, webhooks: House['webhooks'], log: Log): void {
  book.listen((run) => {
    const event = eventOf(run);
    if (event === null) return;
    webhooks
      .tell(event, run.createdBy)
      .catch((fault: unknown) =>
        log.warn('webhooks could not be told of a run', { run: run.id, fault: String(fault) }),
      );
  });
}

function eventOf(run: Run): Told | null {
  const { id, status, address, task, counts, createdBy, problem, times } = run;
  const name = formatAddress(address);
  const at = times[status] ?? run.createdAt;
  const facts = {
    run: id,
    by: createdBy,
    additions: counts?.additions ?? null,
    changes: counts?.changes ?? null,
    destructions: counts?.destructions ?? null,
  };
  const changes =
    counts === null
      ? ''
      : ` (${counts.additions} to add, ${counts.changes} to change, ${counts.destructions} to destroy)`;
  const told = { id: `${id} ${status}`, at, address: name, facts };
  if (status === 'planned' && !task.autoApply) {
    const message = `A run of ${createdBy} at ${name} waits to be confirmed${changes}: "statehouse run confirm ${id}" has it applied, "statehouse run discard ${id}" does not.`;
    return { ...told, type: 'run-waiting', message };
  }
  if (status === 'applied') {
    return {
      ...told,
      type: 'run-applied',
      message: `A run of ${createdBy} at ${name} was applied${changes}.`,
    };
  }
  if (status !== 'errored') return null;
  const why = problem === null ? '' : `: ${problem}`;
  const message = `A run of ${createdBy} at ${name} failed${why}. "statehouse run logs ${id}" shows what it said.`;
  return { ...told, type: 'run-errored', message };
}
