import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { findPool, POOL_ARGS } from '../server/agent-pools.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Removes an agent pool with its tokens. Runs that wait for it wait on, and can be discarded.',
  args: POOL_ARGS,
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse agent-pool remove app office', says: 'its agents are given nothing more' }],
  run: async ({ args: [project = '', name = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { id } = await findPool(house, project, name);
    const gone = await house.ask('remove-agent-pool', { path: { id } });
    if (terminal.json) terminal.result(gone);
    else terminal.say(`${name} of ${project} is removed.`);
    return DONE;
  },
});
