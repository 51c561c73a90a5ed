import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Has the server send a message to a webhook at once, and shows what the receiver answered.',
  args: [{ name: 'name', help: 'its name, as "statehouse webhook list" shows it', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse webhook test pager', says: 'whether messages arrive' }],
  run: async ({ args: [name = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const result = await house.ask('test-webhook', { body: { name } });
    if (terminal.json) terminal.result(result);
    else if (result.ok) terminal.say(`${name} took the message: it answered ${result.status}.`);
    else terminal.say(`${name} did not take the message: ${result.problem ?? 'no reason is known'}.`);
    return result.ok ? DONE : FAILED;
  },
});
