import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { formatAgo } from '../figures.ts';
import { text } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { HAS_DRIFT } from '../server/drift.ts';

/** States that are listed. */
const STATES_MAX = 100_000;

export const command: Command = defineCommand({
  description:
    'Lists the states that have drifted: they say something else than what is there. Ends with 0, or with 2 where a state has drifted.',
  args: [],
  options: { ...CONNECTION_OPTIONS, project: text('PROJECT', 'only this project', { environment: false }) },
  examples: [{ line: 'statehouse drift list --project app', says: 'those of one project' }],
  run: async ({ options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { items: states } = await house.list('list-drift', { project: options.project }, STATES_MAX);
    if (terminal.json) terminal.result({ states });
    else if (states.length === 0) terminal.say('No drift is known.');
    else {
      terminal.table(
        ['STATE', 'RESOURCES', 'LOOKED AT'],
        states.map(({ address, count, checkedAt }) => [
          address,
          String(count),
          checkedAt === null ? '' : formatAgo(checkedAt),
        ]),
      );
    }
    return states.length === 0 ? DONE : HAS_DRIFT;
  },
});
