import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';

export const command: Command = defineCommand({
  description:
    'Has the server make a run of a state after each apply of another, of what was applied last. The run waits to be confirmed, unless the setting "auto-apply-run-trigger" of the workspace says otherwise.',
  args: [
    {
      name: 'address',
      help: 'PROJECT/KEY[@WORKSPACE] whose runs are made',
      required: true,
      completes: 'address',
    },
    {
      name: 'after',
      help: 'PROJECT/KEY[@WORKSPACE] whose applies count',
      required: true,
      completes: 'address',
    },
  ],
  options: { ...CONNECTION_OPTIONS },
  examples: [
    {
      line: 'statehouse run-trigger add app/web app/net',
      says: 'app/web is planned after app/net was applied',
    },
  ],
  run: async ({ args: [target = '', source = ''], options, terminal, stopped }) => {
    const [address, after] = [formatAddress(readAddress(target)), formatAddress(readAddress(source))];
    const house = new HouseClient(readConnection(options), stopped);
    const trigger = await house.ask('create-run-trigger', { body: { address, after } });
    if (terminal.json) terminal.result(trigger);
    else terminal.say(`${trigger.id}: applies of ${trigger.after} make runs of ${trigger.address}.`);
    return DONE;
  },
});
