import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { textOr } from '../options.ts';
import { findPool, POOL_ARGS } from '../server/agent-pools.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Makes another token with which agents of a pool are started.',
  args: POOL_ARGS,
  options: {
    ...CONNECTION_OPTIONS,
    description: textOr('', 'TEXT', 'what it is for', { environment: false }),
  },
  examples: [{ line: 'statehouse agent-pool token app office', says: 'shown once' }],
  run: async ({ args: [project = '', name = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const pool = await findPool(house, project, name);
    const body = { pool: pool.id, description: options.description };
    const made = await house.ask('create-agent-token', { body });
    if (terminal.json) terminal.result(made);
    else terminal.say(made.token);
    terminal.note('The token is shown only once.');
    return DONE;
  },
});
