import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { formatAgo } from '../figures.ts';
import { readAddress } from '../server/read-address.ts';
import { flag, text } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Writes the content of an old version as a new version, with the newest serial + 1. The versions in between stay. This also restores a deleted state.',
  args: [
    { name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true },
    { name: 'version', help: 'the number that "statehouse history" shows', required: true },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    lock: text('LOCK_ID', 'the lock that you hold on this state', { environment: false }),
    yes: flag('do not ask for confirmation', { environment: false }),
  },
  examples: [{ line: 'statehouse restore app/net.tfstate 41', says: 'version 41 becomes the newest' }],
  run: async ({ args: [place, number = ''], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(place));
    if (!/^[1-9]\d{0,15}$/.test(number))
      throw wrongUse(`invalid version "${number}": expected a whole number from 1 up`);
    const house = new HouseClient(readConnection(options), stopped);
    if (!options.yes) {
      const old = await house.ask('show-version', { query: { address, version: Number(number) } });
      const question = `Make version ${number} of ${address} (serial ${old.serial}, written ${formatAgo(old.at)} by ${old.subject}) the newest one?`;
      if (!(await terminal.confirm(question, '--yes'))) {
        terminal.note('Nothing was changed.');
        return FAILED;
      }
    }
    const made = await house.ask('restore-version', {
      query: { address },
      body: { version: Number(number), lockId: options.lock },
    });
    if (terminal.json) terminal.result({ address, ...made });
    else
      terminal.say(
        `${address}: version ${made.version} has the content of version ${number}, with serial ${made.serial}`,
      );
    return DONE;
  },
});
