import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { PLACE, PLACE_OPTIONS, servedOr, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description: 'Brings back a deleted state that a server still keeps, as it was.',
  args: [PLACE],
  options: { ...PLACE_OPTIONS },
  examples: [{ line: 'statehouse undelete app/net.tfstate', says: 'after "statehouse delete"' }],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'changes', async (place) => {
      const { terminal } = invocation;
      const next = 'Where the backend keeps versions, "statehouse restore VERSION" brings one back.';
      const { house, name } = await servedOr(place, 'undelete a state', next);
      const version = await house.ask('undelete-state', { query: { address: name } });
      if (terminal.json) terminal.result({ place: name, undeleted: true, ...version });
      else terminal.say(`${name} is back: version ${version.version}, serial ${version.serial}.`);
      return DONE;
    }),
});
