import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { presentState, snapshotOf } from '../folder/content.ts';
import { matchesAddress } from '../folder/selecting.ts';
import { PLACE, PLACE_OPTIONS, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description: 'Lists the resource instances in the state, as terraform addresses them.',
  args: [
    PLACE,
    { name: 'address', help: 'only addresses that begin with one of these', required: false, rest: true },
  ],
  options: { ...PLACE_OPTIONS },
  examples: [
    { line: 'statehouse list app/net.tfstate', says: 'all of a state on a server' },
    {
      line: 'statehouse list module.net aws_instance.web',
      says: 'a module, and the instances of a resource',
    },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async ({ client, workspace, name: where }) => {
      const { args, terminal } = invocation;
      const [, ...wanted] = args;
      const { instances } = await snapshotOf(presentState(await client.read(workspace), where), where);
      const chosen = instances.filter(
        (instance) => wanted.length === 0 || wanted.some((asked) => matchesAddress(instance.address, asked)),
      );
      if (terminal.json) {
        terminal.result(
          chosen.map(({ address, mode, resourceType, provider, tainted, deposed }) => ({
            address,
            mode,
            type: resourceType,
            provider,
            tainted,
            deposed,
          })),
        );
        return DONE;
      }
      for (const { address, tainted, deposed } of chosen) {
        const marks = `${tainted ? ' (tainted)' : ''}${deposed === null ? '' : ` (deposed ${deposed})`}`;
        terminal.say(address + terminal.colors.yellow(marks));
      }
      return DONE;
    }),
});
