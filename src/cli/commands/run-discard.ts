import type { Command } from '../command.ts';
import { runCommand } from '../server/runs.ts';

export const command: Command = runCommand('discard', {
  description: 'Discards a run that is planned or waits, and frees its lock.',
  example: 'statehouse run discard run-CZcmD7eagjhyX2vN',
  says: 'nothing is applied',
});
