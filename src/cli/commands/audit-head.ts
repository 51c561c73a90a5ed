import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description:
    'Prints the head of the audit log of a running server, which stands for all of the log up to now. Keep it where those who can write the database cannot change it, and give it to "statehouse audit verify --head" later. Of several nodes each tells of what it has written itself.',
  args: [],
  options: CONNECTION_OPTIONS,
  examples: [{ line: 'statehouse audit head >> heads.txt', says: 'every day, on another machine' }],
  run: async ({ options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { head } = await house.ask('show-audit-head', {});
    if (terminal.json) terminal.result({ head });
    else if (head === '') terminal.note('This server has no head of its audit log yet.');
    else terminal.say(head);
    return DONE;
  },
});
