import { DONE, type ExitCode } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import type { Invocation } from '../command.ts';
import type { OptionSpec } from '../options.ts';
import { breakLock } from './breaking.ts';
import { heldByInWords, lockFacts } from './lock-view.ts';
import { withTarget, type TARGET_OPTIONS } from './target.ts';

type ForceUnlock = Pick<
  Invocation<typeof TARGET_OPTIONS & { readonly yes: OptionSpec<boolean> }>,
  'options' | 'terminal' | 'env' | 'cwd'
>;

/** Breaks the lock of a folder's state on whatever backend that is, after it has shown who holds it. */
export function forceUnlockInFolder(invocation: ForceUnlock, lockId: string | undefined): Promise<ExitCode> {
  return withTarget<ExitCode>(invocation, 'changes', async ({ client, workspace }) => {
    const { options, terminal } = invocation;
    const now = await client.inspectLock(workspace);
    const holder = now.type === 'held' ? now.holder : null;
    const id = lockId ?? holder?.id;
    if (now.type === 'free' && lockId === undefined) {
      throw new Failure(`the state of workspace ${workspace} is not locked`);
    }
    if (id === undefined) {
      const why = now.type === 'held' ? now.note : now.type === 'free' ? '' : now.message;
      throw wrongUse(`the lock ID is missing: ${why}`, 'Give the ID of the lock to break.');
    }
    if (options.yes) {
      if (lockId === undefined)
        throw wrongUse('--yes needs the ID of the lock', '"statehouse status" shows it.');
    } else {
      terminal.note(
        holder === null
          ? `Lock ${id} on workspace ${workspace}${now.type === 'held' ? `, ${now.note}` : ''}`
          : `Workspace ${workspace} is ${heldByInWords(holder)}:`,
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
  });
}
