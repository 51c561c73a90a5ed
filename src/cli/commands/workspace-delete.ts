import { DEFAULT_WORKSPACE } from '../../core/address.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { snapshotOf } from '../folder/content.ts';
import { LOCK_OPTIONS, takeLock } from '../folder/holding.ts';
import { OPERATION_DELETE } from '../folder/operations.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { checkedName, demandWorkspaces, workspaceExists } from '../folder/workspace-names.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Deletes a workspace and its state. A state that still has resources is not deleted without --force.',
  args: [{ name: 'name', help: 'the workspace', required: true, completes: 'workspace' }],
  options: {
    ...TARGET_OPTIONS,
    lockTimeout: LOCK_OPTIONS.lockTimeout,
    force: flag('delete it although its state has resources', { environment: false }),
  },
  examples: [{ line: 'statehouse workspace delete dev', says: 'after terraform destroy' }],
  run: (invocation) =>
    withTarget(invocation, 'changes', async ({ client, workspace: selected }) => {
      const { args, options, terminal, stopped } = invocation;
      const name = checkedName(args[0]);
      if (name === DEFAULT_WORKSPACE) throw wrongUse('the default workspace cannot be deleted');
      if (name === selected) {
        throw wrongUse(
          `${name} is the selected workspace`,
          'Select another workspace first: statehouse workspace select default',
        );
      }
      demandWorkspaces(client);
      if (!(await workspaceExists(client, name))) throw new Failure(`there is no workspace ${name}`);
      const lock =
        client.traits.locks === 'none'
          ? null
          : await takeLock(terminal, {
              client,
              workspace: name,
              operation: OPERATION_DELETE,
              timeout: options.lockTimeout,
              stopped,
            });
      try {
        const bytes = await client.read(name);
        if (bytes !== null && !options.force) {
          const { instances } = await snapshotOf(bytes, client.locate(name));
          if (instances.some(({ mode }) => mode === 'managed')) {
            throw new Failure(`workspace ${name} has ${instances.length} resource instances`, {
              next: 'Destroy them first (terraform destroy), or delete the state with --force.',
            });
          }
        }
        await client.deleteWorkspace(name, lock);
      } catch (fault) {
        await lock?.release();
        throw fault;
      }
      if (terminal.json) terminal.result({ deleted: name });
      else terminal.say(`Deleted workspace ${name}.`);
      return DONE;
    }),
});
