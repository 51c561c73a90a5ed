import { withSerial } from '../../core/state-header.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { headerOf } from '../folder/content.ts';
import { LOCK_OPTIONS, underLock } from '../folder/holding.ts';
import { OPERATION_PUSH } from '../folder/operations.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { readVersionOf } from '../folder/versions.ts';
import { writeAndVerify } from '../folder/writing.ts';

export const command: Command = defineCommand({
  description:
    'Restores an old version by a new write with the next serial. The history is not changed, and of the old state only the serial is.',
  args: [{ name: 'version', help: 'its ID, as "statehouse state history" lists it', required: true }],
  options: { ...TARGET_OPTIONS, ...LOCK_OPTIONS },
  examples: [
    {
      line: 'statehouse state restore 3LgKlq',
      says: 'after "statehouse state diff version:3LgKlq"',
    },
  ],
  run: (invocation) =>
    withTarget(invocation, 'changes', async ({ client, workspace }) => {
      const { options, terminal, env, stopped } = invocation;
      const [id = ''] = invocation.args;
      const { lockTimeout: timeout, noLock } = options;
      const wanted = { client, workspace, operation: OPERATION_PUSH, timeout, stopped, noLock, env };
      const serial = await underLock(terminal, wanted, async (lock) => {
        const old = await readVersionOf(client, workspace, id);
        const header = headerOf(old, `version ${id}`);
        const now = await client.read(workspace);
        const newest = now === null ? header.serial : headerOf(now, client.locate(workspace)).serial;
        const next = (newest > header.serial ? newest : header.serial) + 1n;
        await writeAndVerify(client, workspace, withSerial(old, header, next), lock);
        return next;
      });
      if (terminal.json) terminal.result({ restored: id, serial });
      else terminal.say(`Restored version ${id} in workspace ${workspace}, with serial ${serial}.`);
      return DONE;
    }),
});
