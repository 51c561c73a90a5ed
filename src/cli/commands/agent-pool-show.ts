import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { formatAgo } from '../figures.ts';
import { findPool, POOL_ARGS } from '../server/agent-pools.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description:
    'Shows the agents of a pool, what they can execute, and the tokens that they are started with.',
  args: POOL_ARGS,
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse agent-pool show app office', says: 'who is there' }],
  run: async ({ args: [project = '', name = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { id } = await findPool(house, project, name);
    const pool = await house.ask('show-agent-pool', { path: { id } });
    if (terminal.json) {
      terminal.result(pool);
      return DONE;
    }
    if (pool.agents.length === 0) terminal.say('No agents: start one with "statehouse agent".');
    else {
      terminal.table(
        ['AGENT', 'SEEN', 'FROM', 'EXECUTES'],
        pool.agents.map((agent) => [
          agent.name,
          agent.gone ? `gone since ${formatAgo(agent.seenAt)}` : formatAgo(agent.seenAt),
          agent.address,
          agent.programs.join(', '),
        ]),
      );
    }
    terminal.table(
      ['TOKEN', 'MADE', 'BY', 'FOR'],
      pool.tokens.map((token) => [token.id, formatAgo(token.createdAt), token.createdBy, token.description]),
    );
    return DONE;
  },
});
