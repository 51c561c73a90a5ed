import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description:
    'Revokes a token of an agent pool: agents that have it finish what they execute, and are given nothing more.',
  args: [{ name: 'token', help: 'its ID, as "statehouse agent-pool show" shows it', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse agent-pool revoke at-CZcmD7eagjhyX2vN', says: 'it takes no run any more' }],
  run: async ({ args: [id = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const gone = await house.ask('revoke-agent-token', { path: { id } });
    if (terminal.json) terminal.result(gone);
    else terminal.say(`${gone.revoked} is revoked.`);
    return DONE;
  },
});
