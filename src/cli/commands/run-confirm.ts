import type { Command } from '../command.ts';
import { runCommand } from '../server/runs.ts';

export const command: Command = runCommand('confirm', {
  description: 'Confirms a run that is planned: its apply begins.',
  example: 'statehouse run confirm run-CZcmD7eagjhyX2vN',
  says: 'what it planned is applied',
});
