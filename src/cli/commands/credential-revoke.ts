import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description:
    'Revokes a credential at once and permanently. It cannot write any more, even while it holds a lock. Its locks stay until an operator breaks them.',
  args: [{ name: 'credential', help: 'its id or its name', required: true }],
  options: CONNECTION_OPTIONS,
  examples: [{ line: 'statehouse credential revoke ci', says: 'the one that is named ci' }],
  run: async ({ args: [wanted], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { credentials } = await house.ask('list-credentials', {});
    const found =
      credentials.find(({ id }) => id === wanted) ??
      credentials.find(({ name, revokedAt }) => name === wanted && revokedAt === null);
    if (found === undefined)
      throw new Failure(`there is no credential "${wanted}"`, {
        next: '"statehouse credential list" lists all credentials.',
      });
    const revoked = await house.ask('revoke-credential', { path: { id: found.id } });
    if (terminal.json) terminal.result(revoked);
    else terminal.say(`${revoked.name} (${revoked.id}) is revoked`);
    return DONE;
  },
});
