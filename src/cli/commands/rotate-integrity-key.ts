import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { KEY_OPTIONS, PLACE_OPTIONS, placeConfiguration } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';

export const command: Command = defineCommand({
  description:
    'Makes a new integrity key, by which the server knows that it wrote each row itself: after a theft of the master key, once it was changed with "statehouse rotate-key --reencrypt". The server must be stopped, all of its nodes. Every row is checked first; then all get the new key in one step, which happens as a whole or not at all, also when the command is killed. Heads of the audit log from before stay good for "statehouse audit verify --head".',
  args: [],
  options: { ...PLACE_OPTIONS, ...KEY_OPTIONS },
  examples: [
    { line: 'statehouse rotate-integrity-key --data ./statehouse-data', says: 'of a server that is down' },
    {
      line: 'statehouse rotate-integrity-key --database-file url --master-key-file master.key',
      says: 'in PostgreSQL, with all nodes stopped',
    },
  ],
  run: async ({ options, terminal }) => {
    const { changeRowKeyOffline } = await import('../../server/change-row-key.ts');
    terminal.status('Checking every row, and authenticating it anew');
    try {
      await changeRowKeyOffline(placeConfiguration(options));
    } catch (fault) {
      throw keepingFailure(fault);
    } finally {
      terminal.status('');
    }
    if (terminal.json) terminal.result({ changed: true });
    else
      terminal.say(
        'All rows are under a new integrity key now. Make a backup: older ones have the former key.',
      );
    return DONE;
  },
});
