import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { formatAgo } from '../figures.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Lists the agent pools of a project.',
  args: [{ name: 'project', help: 'the project', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse agent-pool list app', says: 'the pools of app' }],
  run: async ({ args: [project = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { pools } = await house.ask('list-agent-pools', { query: { project } });
    if (terminal.json) terminal.result({ pools });
    else if (pools.length === 0) terminal.say('No agent pools yet.');
    else {
      terminal.table(
        ['NAME', 'ID', 'MADE', 'BY'],
        pools.map((pool) => [pool.name, pool.id, formatAgo(pool.createdAt), pool.createdBy]),
      );
    }
    return DONE;
  },
});
