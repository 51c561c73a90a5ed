import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { tellDrift } from '../server/drift.ts';
import { readAddress } from '../server/read-address.ts';

export const command: Command = defineCommand({
  description: 'Shows what of a state had drifted when it was last looked at, and when it is looked at next.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true, completes: 'address' }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse drift show app/net', says: 'which resources are not as the state says' }],
  run: async ({ args: [given = ''], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const house = new HouseClient(readConnection(options), stopped);
    tellDrift(terminal, await house.ask('show-drift', { query: { address } }));
    return DONE;
  },
});
