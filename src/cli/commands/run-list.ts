import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { formatAgo } from '../figures.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';
import { changesOf } from '../server/runs.ts';

export const command: Command = defineCommand({
  description: 'Lists the runs of a state that the server executes, newest first.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse run list app/net', says: 'its runs, and what each would change' }],
  run: async ({ args: [given = ''], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const house = new HouseClient(readConnection(options), stopped);
    const { runs } = await house.ask('list-runs', { query: { address } });
    if (terminal.json) terminal.result({ runs });
    else if (runs.length === 0) terminal.say('No runs yet.');
    else {
      terminal.table(
        ['RUN', 'STATUS', 'CHANGES', 'MADE', 'BY'],
        runs.map((run) => [run.id, run.status, changesOf(run), formatAgo(run.createdAt), run.createdBy]),
      );
    }
    return DONE;
  },
});
