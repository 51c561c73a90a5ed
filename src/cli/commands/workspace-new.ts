import { makeLockRequest } from '../../protocols/lock-request.ts';
import { selectWorkspace } from '../../workdir/selection.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { OPERATION_INIT } from '../folder/operations.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import {
  checkedName,
  demandSelectable,
  demandWorkspaces,
  waysTo,
  workspaceExists,
} from '../folder/workspace-names.ts';
import { flag } from '../options.ts';
import { readVersion } from '../../server/version.ts';

export const command: Command = defineCommand({
  description: 'Creates a workspace, as terraform does, and selects it.',
  args: [{ name: 'name', help: 'the name of the new workspace', required: true }],
  options: { ...TARGET_OPTIONS, noSelect: flag('do not select it', { environment: false }) },
  examples: [{ line: 'statehouse workspace new dev', says: 'an empty one' }],
  run: (invocation) =>
    withTarget(invocation, 'changes', async ({ client, folder }) => {
      const { args, options, terminal, env } = invocation;
      const name = checkedName(args[0]);
      demandWorkspaces(client);
      if (!options.noSelect) demandSelectable(client, name);
      if (await workspaceExists(client, name)) {
        throw new Failure(`workspace ${name} exists already`, {
          next: `Select it: statehouse workspace select ${name}`,
        });
      }
      await client.createWorkspace(name, makeLockRequest(OPERATION_INIT, readVersion()));
      if (!options.noSelect) await selectWorkspace(folder, name, env);
      if (terminal.json) terminal.result({ created: name, selected: !options.noSelect });
      else {
        terminal.say(`Created workspace ${name}${options.noSelect ? '' : ', and selected it'}.`);
        for (const line of waysTo(client, name)) terminal.note(line);
      }
      return DONE;
    }),
});
