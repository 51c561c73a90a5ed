import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Ends a freeze before its time.',
  args: [{ name: 'pattern', help: 'the pattern that "statehouse freeze" shows', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: "statehouse unfreeze 'app/*@prod'", says: 'applies go on' }],
  run: async ({ args: [pattern = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const ended = await house.ask('unfreeze', { query: { pattern } });
    if (terminal.json) terminal.result(ended);
    else terminal.say(`${pattern} is not frozen any more.`);
    return DONE;
  },
});
