import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Removes a run trigger. Runs that it has made go on.',
  args: [{ name: 'trigger', help: 'its ID, as "statehouse run-trigger list" shows it', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [
    { line: 'statehouse run-trigger remove rt-CZcmD7eagjhyX0vN', says: 'applies make no such runs any more' },
  ],
  run: async ({ args: [id = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const gone = await house.ask('remove-run-trigger', { path: { id } });
    if (terminal.json) terminal.result(gone);
    else terminal.say(`${gone.removed} is removed.`);
    return DONE;
  },
});
