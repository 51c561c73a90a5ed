import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Removes a webhook, and what waits to be sent to it.',
  args: [{ name: 'name', help: 'its name, as "statehouse webhook list" shows it', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse webhook remove pager', says: 'it is told nothing any more' }],
  run: async ({ args: [name = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const gone = await house.ask('remove-webhook', { path: { name } });
    if (terminal.json) terminal.result(gone);
    else terminal.say(`${gone.removed} is removed.`);
    return DONE;
  },
});
