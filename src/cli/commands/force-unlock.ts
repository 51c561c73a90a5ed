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
    'Breaks a lock that was left behind, after it has shown the holder: the lock of this folder on any backend, or, with an address, the lock of a state on a server. Ask the holder first: if the holder still works, two clients can write at once, and a server refuses what the old holder writes.',
  args: [
    {
      name: 'lock',
      help: 'the ID of the lock to break (the default is the lock that is held now), or PROJECT/KEY[@WORKSPACE] on a server',
      required: false,
      completes: 'address',
    },
    {
      name: 'lock-id',
      help: 'after an address: needed only where the lock is shared',
      required: false,
    },
  ],
  options: {
    ...TARGET_OPTIONS,
    ...CONNECTION_OPTIONS,
    yes: flag('do not ask for confirmation', { environment: false }),
  },
  examples: [
    { line: 'statehouse force-unlock', says: 'shows the holder, and asks' },
    {
      line: 'statehouse force-unlock --yes 5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c11',
      says: 'breaks this lock only',
    },
    { line: 'statehouse force-unlock app/net.tfstate', says: 'on a server' },
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
