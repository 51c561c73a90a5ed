import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { formatAgo } from '../figures.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Lists the webhooks of a server, without their URLs and secrets.',
  args: [],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse webhook list', says: 'who is told of what' }],
  run: async ({ options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { webhooks } = await house.ask('list-webhooks', {});
    if (terminal.json) terminal.result({ webhooks });
    else if (webhooks.length === 0) terminal.say('No webhooks yet.');
    else {
      terminal.table(
        ['NAME', 'HOST', 'EVENTS', 'STATES', 'FORMAT', 'MADE'],
        webhooks.map(({ name, host, events, pattern, format, createdAt }) => [
          name,
          host,
          events.join(' '),
          pattern,
          format,
          formatAgo(createdAt),
        ]),
      );
    }
    return DONE;
  },
});
