import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';

export const command: Command = defineCommand({
  description:
    'Lists the run triggers of a state: those that make its runs, and those that its applies set off.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true, completes: 'address' }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse run-trigger list app/net', says: 'what is planned after it' }],
  run: async ({ args: [given = ''], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const house = new HouseClient(readConnection(options), stopped);
    const { triggers } = await house.ask('list-run-triggers', { query: { address } });
    if (terminal.json) terminal.result({ triggers });
    else if (triggers.length === 0) terminal.say('No run triggers.');
    else {
      terminal.table(
        ['TRIGGER', 'RUNS OF', 'AFTER', 'BY'],
        triggers.map((one) => [one.id, one.address, one.after, one.createdBy]),
      );
    }
    return DONE;
  },
});
