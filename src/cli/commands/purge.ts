import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { flag } from '../options.ts';
import { PLACE, PLACE_OPTIONS, servedOr, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description:
    'Removes a deleted state from a server for good, with all its versions, unless one of them is retained still. Needs an admin of the address.',
  args: [PLACE],
  options: {
    ...PLACE_OPTIONS,
    yes: flag('do not ask for confirmation', { environment: false }),
    bypassRetention: flag('also where a version is retained by governance still; the audit log says so', {
      environment: false,
    }),
  },
  examples: [{ line: 'statehouse purge app/old.tfstate', says: 'after "statehouse delete"' }],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'changes', async (place) => {
      const { options, terminal } = invocation;
      const { house, name } = await servedOr(place, 'purge a state');
      const question = `Remove ${name} with all its versions? This cannot be undone.`;
      if (!options.yes && !(await terminal.confirm(question, '--yes'))) {
        terminal.note('Nothing was changed.');
        return FAILED;
      }
      const { purged } = await house.ask('purge-state', {
        query: { address: name, bypassRetention: options.bypassRetention },
      });
      if (terminal.json) terminal.result({ place: name, purged });
      else terminal.say(`${purged} is purged.`);
      return DONE;
    }),
});
