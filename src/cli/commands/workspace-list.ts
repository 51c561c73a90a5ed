import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { listedWorkspaces } from '../folder/workspace-names.ts';

export const command: Command = defineCommand({
  description: 'Lists the workspaces; a star marks the selected one.',
  args: [],
  options: { ...TARGET_OPTIONS },
  examples: [{ line: 'statehouse workspace list', says: 'without terraform init' }],
  run: (invocation) =>
    withTarget(invocation, 'reads', async ({ client, workspace }) => {
      const { terminal } = invocation;
      const names = await listedWorkspaces(client);
      if (terminal.json) terminal.result({ workspaces: names, selected: workspace });
      else for (const name of names) terminal.say(`${name === workspace ? '*' : ' '} ${name}`);
      return DONE;
    }),
});
