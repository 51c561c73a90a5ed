import { once } from 'node:events';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { LOCK_OPTIONS, releaseLock, takeLock, withCiRun } from '../folder/holding.ts';
import { OPERATION_LOCK } from '../../core/lock-info.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { text } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Takes the lock that terraform respects, and keeps it. Where a lock ends with the process that took it (local files, ' +
    'Consul, PostgreSQL), this command runs until you press Ctrl-C.',
  args: [],
  options: {
    ...TARGET_OPTIONS,
    lockTimeout: LOCK_OPTIONS.lockTimeout,
    reason: text('TEXT', 'the reason that other users see in the lock info', { environment: false }),
  },
  examples: [
    { line: 'statehouse lock --reason "migrating the database by hand"', says: 'no apply can run meanwhile' },
    { line: 'statehouse lock --lock-timeout 10m', says: 'waits for the present holder' },
  ],
  run: (invocation) =>
    withTarget(invocation, 'changes', async ({ client, workspace }) => {
      const { terminal, options, stopped, env } = invocation;
      const lock = await takeLock(terminal, {
        client,
        workspace,
        operation: OPERATION_LOCK,
        info: withCiRun(options.reason ?? '', env),
        timeout: options.lockTimeout,
        stopped,
      });
      const stays = client.traits.locks === 'stored';
      if (terminal.json) terminal.result({ id: lock.id, lock: lock.info, stays });
      else {
        terminal.say(`Locked workspace ${workspace}. Lock ID: ${lock.id}`);
        terminal.note(
          stays
            ? `Release it with: statehouse unlock ${lock.id}`
            : 'Held until this command ends: press Ctrl-C.',
        );
      }
      if (stays) return DONE;
      // A signal alone does not keep a process alive.
      const alive = setInterval(() => {}, 60_000);
      try {
        await Promise.race([aborted(stopped), aborted(lock.lost)]);
      } finally {
        clearInterval(alive);
      }
      if (lock.lost.aborted) throw new Failure('the lock was lost: its connection broke');
      await releaseLock(lock);
      if (!terminal.json) terminal.note('Released.');
      return DONE;
    }),
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
