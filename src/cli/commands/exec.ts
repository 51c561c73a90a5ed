import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { Failure, wrongUse } from '../failure.ts';
import { environmentUnder, isOwnTerraform, lendingOf, withoutLock } from '../folder/child.ts';
import { ADOPT_LOCK, LOCK_OPTIONS, adoptLock, releaseLock, takeLock, withCiRun } from '../folder/holding.ts';
import { runProgram } from '../folder/program.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { text } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Runs a command under the lock, and always releases the lock afterwards. A terraform that it runs for this folder takes no lock of ' +
    'its own; inside a script, use -lock=false. The exit code is that of the command.',
  args: [{ name: 'command', help: 'what to run, after "--"', required: true, rest: true }],
  options: {
    ...TARGET_OPTIONS,
    lockTimeout: LOCK_OPTIONS.lockTimeout,
    lock: ADOPT_LOCK,
    reason: text('TEXT', 'the reason that other users see in the lock info', { environment: false }),
  },
  examples: [
    {
      line: 'statehouse exec --lock-timeout 5m -- ./deploy.sh',
      says: 'no other apply can run meanwhile',
    },
    {
      line: "statehouse exec -- sh -c 'statehouse pull | jq … | statehouse push -'",
      says: 'statehouse commands inside use this lock',
    },
    { line: 'statehouse exec -- terraform apply', says: 'sets -lock=false by itself' },
    {
      line: "statehouse exec -- sh -c 'terraform apply -lock=false && ./smoke-test.sh'",
      says: 'one lock around several steps',
    },
  ],
  passThrough: true,
  patient: true,
  run: (invocation) =>
    withTarget(invocation, 'changes', async (target) => {
      const { client, workspace } = target;
      const { args, options, terminal, env, cwd, stopped } = invocation;
      const [program = '', ...rest] = args;
      const namedWorkspace = options.workspace !== undefined;
      const isOwn = isOwnTerraform(args, { cwd, target, namedWorkspace });
      const keptOut = isOwn ? ((await client.keepsOut?.(workspace)) ?? null) : null;
      if (keptOut !== null) {
        const next = 'Run terraform by itself: it takes the lock. "statehouse" works under the lock of exec.';
        throw wrongUse(`${program} cannot work under the lock of exec: ${keptOut}`, next);
      }
      const { operation, variables, warning } = await lendingOf(client, workspace);
      if (warning !== '') terminal.note(`${terminal.colors.yellow('Warning:')} ${warning}`);
      const wanted = {
        client,
        workspace,
        operation,
        // Not the whole command: others see this, and arguments may hold secrets.
        info: withCiRun(options.reason ?? program, env),
        timeout: options.lockTimeout,
        stopped,
      };
      const lock =
        options.lock === undefined ? await takeLock(terminal, wanted) : await adoptLock(wanted, options.lock);
      const warnOfLoss = (): void => {
        terminal.note(
          `${terminal.colors.red('Warning:')} the lock was lost while the command was running: others may write now.`,
        );
      };
      lock.lost.addEventListener('abort', warnOfLoss);
      let code: number;
      try {
        const own = environmentUnder(lock.id, { workspace, env, variables });
        code = await runProgram(program, rest, { cwd, env: { ...own, ...(isOwn ? withoutLock(env) : {}) } });
      } catch (fault) {
        await lock.release();
        throw fault;
      }
      lock.lost.removeEventListener('abort', warnOfLoss);
      try {
        await releaseLock(lock);
      } catch (fault) {
        // The command's own failure says more than ours.
        if (code === 0) throw fault;
        terminal.note(fault instanceof Failure ? `${fault.message}. ${fault.next}` : String(fault));
      }
      return code;
    }),
});
