import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';

export const command: Command = defineCommand({
  description:
    'Announces a state that is new, so that an apply may make its first version within a day. Needed where "statehouse project set --announce-first on" was set.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true }],
  options: { ...CONNECTION_OPTIONS },
  examples: [{ line: 'statehouse announce app/net.tfstate', says: 'the next apply may create it' }],
  run: async ({ args: [given], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const house = new HouseClient(readConnection(options), stopped);
    const announced = await house.ask('announce-state', { query: { address } });
    if (terminal.json) terminal.result(announced);
    else terminal.say(`${address} may be created by an apply until ${announced.until}.`);
    return DONE;
  },
});
