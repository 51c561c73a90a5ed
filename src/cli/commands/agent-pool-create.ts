import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { POOL_ARGS } from '../server/agent-pools.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description:
    'Makes an agent pool of a project, and a token with which its agents are started. The token takes runs of the pool, and opens nothing else.',
  args: POOL_ARGS,
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse agent-pool create app office', says: 'a pool, and the first token of it' }],
  run: async ({ args: [project = '', name = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const pool = await house.ask('create-agent-pool', { body: { project, name } });
    const { token } = await house.ask('create-agent-token', { body: { pool: pool.id } });
    if (terminal.json) terminal.result({ ...pool, token });
    else {
      terminal.say(`${pool.name} is an agent pool of ${pool.project}.`);
      terminal.say(`token  ${token}`);
      terminal.note(
        'The token is shown only once: start agents with it by "statehouse agent --credential-file FILE".',
      );
      terminal.note(
        `"statehouse run mode ${project}/KEY agent --pool ${name}" has them execute the runs of a state.`,
      );
    }
    return DONE;
  },
});
