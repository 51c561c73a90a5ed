import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, lockedByOther } from '../failure.ts';
import { breakLock } from '../folder/breaking.ts';
import { heldByInWords } from '../folder/lock-view.ts';
import { OPERATION_LOCK } from '../../core/lock-info.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';

export const command: Command = defineCommand({
  description: 'Releases the lock that "statehouse lock" took.',
  args: [{ name: 'lock-id', help: 'the ID that "statehouse lock" printed', required: true }],
  options: { ...TARGET_OPTIONS },
  examples: [{ line: 'statehouse unlock 5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c11', says: 'releases that lock' }],
  run: (invocation) =>
    withTarget(invocation, 'changes', async ({ client, workspace }) => {
      const [id = ''] = invocation.args;
      const { terminal } = invocation;
      const now = await client.inspectLock(workspace);
      if (now.type === 'free') throw new Failure(`the state of workspace ${workspace} is not locked`);
      if (now.type === 'held' && now.holder !== null && now.holder.operation !== OPERATION_LOCK) {
        throw lockedByOther(
          `the lock was not taken by "statehouse lock": it is ${heldByInWords(now.holder)}`,
          'If its holder has ended: statehouse force-unlock.',
          { holder: now.holder },
        );
      }
      await breakLock(client, workspace, id);
      if (terminal.json) terminal.result({ unlocked: id });
      else terminal.say(`Unlocked workspace ${workspace}.`);
      return DONE;
    }),
});
