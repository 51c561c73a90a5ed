import { selectWorkspace } from '../../workdir/selection.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import {
  checkedName,
  demandSelectable,
  demandWorkspaces,
  workspaceExists,
} from '../folder/workspace-names.ts';

export const command: Command = defineCommand({
  description: 'Selects the workspace of this folder, also for terraform.',
  args: [{ name: 'name', help: 'the workspace', required: true, completes: 'workspace' }],
  options: { ...TARGET_OPTIONS },
  examples: [{ line: 'statehouse workspace select dev', says: 'as terraform workspace select does' }],
  run: (invocation) =>
    withTarget(invocation, 'reads', async ({ client, folder }) => {
      const { args, terminal, env } = invocation;
      const name = checkedName(args[0]);
      if (name !== 'default') demandWorkspaces(client);
      demandSelectable(client, name);
      if (!(await workspaceExists(client, name))) {
        throw new Failure(`there is no workspace ${name}`, {
          next: `Create it: statehouse workspace new ${name}`,
        });
      }
      await selectWorkspace(folder, name, env);
      if (terminal.json) terminal.result({ selected: name });
      else terminal.say(`Selected workspace ${name}.`);
      return DONE;
    }),
});
