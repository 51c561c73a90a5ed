import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description:
    'Makes the index anew by which states are found by what is in them. The server goes on meanwhile. Needs an admin of the server.',
  args: [],
  options: CONNECTION_OPTIONS,
  examples: [{ line: 'statehouse reindex', says: 'when a search lacks what is there' }],
  run: async ({ options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const answer = await house.ask('reindex', {});
    if (terminal.json) terminal.result(answer);
    else terminal.say('The index is made anew in the background.');
    return DONE;
  },
});
