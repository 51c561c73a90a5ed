import { defineCommand, type Command } from '../command.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { forceUnlockInHouse } from '../server/force-unlock.ts';
import { readAddress } from '../server/read-address.ts';
import { forceUnlockInFolder } from '../folder/force-unlock.ts';
import { TARGET_OPTIONS } from '../folder/target.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Breaks the lock that somebody else left behind, after showing whose it is: of the state of this folder on whatever backend it has, or, given an address, of a state in a running house. Who wrongly breaks a living lock lets two write at once, or in a house has the work of its holder refused: ask first.',
  args: [
    {
      name: 'lock',
      help: 'the lock to break, without it the one that is held now; or PROJECT/KEY[@WORKSPACE], for a house',
      required: false,
    },
    {
      name: 'lock-id',
      help: 'after an address: needed only where several hold it together',
      required: false,
    },
  ],
  options: { ...TARGET_OPTIONS, ...CONNECTION_OPTIONS, yes: flag('do not ask', { environment: false }) },
  examples: [
    { line: 'statehouse force-unlock', says: 'shows the holder, and asks' },
    {
      line: 'statehouse force-unlock --yes 5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c11',
      says: 'breaks that very lock',
    },
    { line: 'statehouse force-unlock app/net.tfstate', says: 'in a house' },
  ],
  run: async (invocation) => {
    const { args, options, terminal, stopped } = invocation;
    const [target, lockId] = args;
    // No backend gives out lock IDs with a slash, and every address has one.
    if (target?.includes('/') !== true) return forceUnlockInFolder(invocation, target);
    const house = new HouseClient(readConnection(options), stopped);
    return forceUnlockInHouse(house, readAddress(target), lockId, { terminal, yes: options.yes });
  },
});
