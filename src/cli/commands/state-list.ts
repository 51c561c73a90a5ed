import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { presentState, snapshotOf } from '../folder/content.ts';
import { matchesAddress } from '../folder/selecting.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';

export const command: Command = defineCommand({
  description: 'Lists the resource instances in the state, as terraform addresses them.',
  args: [
    { name: 'address', help: 'only addresses that begin with one of these', required: false, rest: true },
  ],
  options: { ...TARGET_OPTIONS },
  examples: [
    { line: 'statehouse state list', says: 'all' },
    {
      line: 'statehouse state list module.net aws_instance.web',
      says: 'a module, and the instances of a resource',
    },
  ],
  run: (invocation) =>
    withTarget(invocation, 'reads', async ({ client, workspace }) => {
      const { args, terminal } = invocation;
      const where = client.locate(workspace);
      const { instances } = await snapshotOf(presentState(await client.read(workspace), where), where);
      const chosen = instances.filter(
        (instance) => args.length === 0 || args.some((asked) => matchesAddress(instance.address, asked)),
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
