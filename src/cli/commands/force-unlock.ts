import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { breakLock } from '../key/breaking.ts';
import { holderInWords, lockFacts } from '../key/lock-view.ts';
import { TARGET_OPTIONS, withTarget } from '../key/target.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Breaks the lock that somebody else left behind, after showing whose it is. Who wrongly breaks a living lock lets two write at once: ask its holder first.',
  args: [
    { name: 'lock-id', help: 'the lock to break; without it, the one that is held now', required: false },
  ],
  options: { ...TARGET_OPTIONS, yes: flag('do not ask', { environment: false }) },
  examples: [
    { line: 'statehouse force-unlock', says: 'shows the holder, and asks' },
    {
      line: 'statehouse force-unlock --yes 5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c11',
      says: 'breaks that very lock',
    },
  ],
  run: (invocation) =>
    withTarget(invocation, 'changes', async ({ client, workspace }) => {
      const { args, options, terminal } = invocation;
      const now = await client.inspectLock(workspace);
      const holder = now.type === 'held' ? now.holder : null;
      const id = args[0] ?? holder?.id;
      if (now.type === 'free' && args[0] === undefined) {
        throw new Failure(`the state of workspace ${workspace} is not locked`);
      }
      if (id === undefined) {
        const why = now.type === 'held' ? now.note : now.type === 'free' ? '' : now.message;
        throw wrongUse(`the lock to break must be named: ${why}`, 'Give its ID.');
      }
      if (options.yes) {
        if (args[0] === undefined)
          throw wrongUse('--yes needs the ID of the lock', '"statehouse status" shows it.');
      } else {
        terminal.note(
          holder === null
            ? `Lock ${id} on workspace ${workspace}${now.type === 'held' ? `, ${now.note}` : ''}`
            : `Workspace ${workspace} is locked by ${holderInWords(holder)}:`,
        );
        for (const [name, value] of holder === null ? [] : lockFacts(holder)) {
          terminal.note(`  ${`${name}:`.padEnd(11)}${value}`);
        }
        if (!(await terminal.confirm('Break this lock?', '--yes'))) {
          terminal.note('Nothing was changed.');
          throw new Failure('not confirmed');
        }
      }
      await breakLock(client, workspace, id);
      if (terminal.json) terminal.result({ unlocked: id, holder });
      else terminal.say(`The lock on workspace ${workspace} is broken.`);
      return DONE;
    }),
});
