import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { findCredential } from '../server/find-credential.ts';
import type { HeldLockShape } from '../../api/shapes/house.ts';
import { flag } from '../options.ts';
import type { Terminal } from '../terminal.ts';

export const command: Command = defineCommand({
  description:
    'Revokes a credential at once and permanently. It cannot write any more, even while it holds a lock, and what it has under way ends. Its locks are shown, and stay until an operator breaks them or --break-locks does.',
  args: [{ name: 'credential', help: 'its id or its name', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    breakLocks: flag('also break the locks that it holds, without asking', { environment: false }),
  },
  examples: [
    { line: 'statehouse credential revoke ci', says: 'the one that is named ci' },
    { line: 'statehouse credential revoke --break-locks ci', says: 'and its locks with it' },
  ],
  run: async ({ args: [wanted], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const found = await findCredential(house, wanted);
    const part = { path: { id: found.id } };
    let revoked = await house.ask('revoke-credential', {
      ...part,
      query: { breakLocks: options.breakLocks },
    });
    if (!terminal.json) terminal.say(`${revoked.name} (${revoked.id}) is revoked`);
    if (await offersToBreak(terminal, revoked.locks)) {
      revoked = await house.ask('revoke-credential', { ...part, query: { breakLocks: true } });
    }
    if (terminal.json) terminal.result(revoked);
    else
      for (const { address, lockId } of revoked.broken) terminal.say(`${address}: lock ${lockId} is broken`);
    return DONE;
  },
});

/** Shows the locks that stay and, on a terminal, asks whether to break them. */
async function offersToBreak(terminal: Terminal, locks: readonly HeldLockShape[]): Promise<boolean> {
  if (locks.length === 0 || terminal.json) return false;
  terminal.note('It still holds:');
  for (const { address, lockId } of locks) terminal.note(`  ${address}, lock ID ${lockId}`);
  const question = 'Break these locks? What their holder still writes is refused in any case.';
  if (terminal.interactive) return terminal.confirm(question, '--break-locks');
  terminal.note('Run it again with --break-locks to break them.');
  return false;
}
