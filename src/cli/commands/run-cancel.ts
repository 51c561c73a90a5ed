import type { Command } from '../command.ts';
import { runCommand } from '../server/runs.ts';

export const command: Command = runCommand('cancel', {
  description: 'Cancels a run: what is at work is told to end in order.',
  example: 'statehouse run cancel run-CZcmD7eagjhyX2vN',
  says: 'it is told to end',
});
