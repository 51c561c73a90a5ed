import type { DriftDetailShape } from '../../api/shapes/drift.ts';
import { formatAgo } from '../figures.ts';
import type { Terminal } from '../terminal.ts';

/** With this a command ends that has found drift, as a plan of terraform does that has changes. */
export const HAS_DRIFT = 2;

/** Tells what is known of a state's drift. */
export function tellDrift(terminal: Terminal, detail: DriftDetailShape): void {
  if (terminal.json) {
    terminal.result(detail);
    return;
  }
  const { address, drifted, count, checkedAt, problem, outdated, resources, schedule, dueAt } = detail;
  const when = checkedAt === null ? '' : ` when it was looked at ${formatAgo(checkedAt)}`;
  if (checkedAt === null) terminal.say(`${address} was not looked at yet.`);
  else if (!drifted) terminal.say(`${address} was as what is there${when}.`);
  else {
    const what = count === 0 ? 'outputs have' : count === 1 ? '1 resource has' : `${count} resources have`;
    terminal.say(`${address}: ${what} drifted${when}.`);
    terminal.table(
      ['RESOURCE', 'WAS'],
      resources.map((one) => [one.address, one.action === 'delete' ? 'deleted' : 'changed']),
    );
  }
  if (outdated) terminal.note('The state was written since.');
  if (problem !== null) terminal.note(`The check after that found nothing out: ${problem}`);
  terminal.note(
    schedule === null
      ? 'It has no schedule.'
      : `It is looked at ${schedule}${dueAt === null ? '' : `, next at ${dueAt}`}.`,
  );
}
