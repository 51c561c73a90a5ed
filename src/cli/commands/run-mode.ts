import { formatAddress } from '../../core/address.ts';
import { EXECUTION_MODES } from '../../runs/execution.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { text } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';

export const command: Command = defineCommand({
  description:
    'Shows or says where the runs of a state are executed: by its clients, by the server, or by the agents of a pool.',
  args: [
    { name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true },
    { name: 'mode', help: 'local, remote or agent; without it, shows what is set', required: false },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    pool: text('NAME', 'the agent pool of the project, for the mode agent', { environment: false }),
  },
  examples: [
    { line: 'statehouse run mode app/net agent --pool office', says: 'by the agents of that pool' },
    { line: 'statehouse run mode app/net local', says: 'on the machines of its clients' },
  ],
  run: async ({ args: [given = '', word], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const house = new HouseClient(readConnection(options), stopped);
    const mode = EXECUTION_MODES.find((known) => known === word);
    if (word !== undefined && mode === undefined)
      throw wrongUse(`invalid mode "${word}": expected one of ${EXECUTION_MODES.join(', ')}`);
    const execution =
      mode === undefined
        ? await house.ask('show-execution', { query: { address } })
        : await house.ask('set-execution', {
            query: { address },
            body: { mode, pool: options.pool ?? null },
          });
    if (terminal.json) terminal.result(execution);
    else terminal.say(execution.pool === null ? execution.mode : `${execution.mode} ${execution.pool}`);
    return DONE;
  },
});
